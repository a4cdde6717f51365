// System calls and start of a program without a C library on 32-bit RISC-V Linux, as qemu-riscv32 runs it; and the three functions
// that the compiler may call by itself, written word by word where it can be, as a C library has them.
#include "system.h"

#define CALL_READ 63
#define CALL_WRITE 64
#define CALL_EXIT 93

int main(void);

static long call(long number, long a, long b, long c) {
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

#include "system-calls.h"

__attribute__((naked, noreturn)) void _start(void) {
  __asm__ volatile(
      ".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
      "andi sp, sp, -16\ncall main\n");
}
