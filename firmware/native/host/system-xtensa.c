// System calls and start of a program without a C library on Xtensa Linux, as qemu-xtensa runs it, for cores without register windows.
#include "system.h"

#define CALL_READ 12
#define CALL_WRITE 13
#define CALL_EXIT 118

int main(void);

static long call(long number, long a, long b, long c) {
  register long a2 __asm__("a2") = number;
  register long a6 __asm__("a6") = a;
  register long a3 __asm__("a3") = b;
  register long a4 __asm__("a4") = c;
  __asm__ volatile("syscall" : "+r"(a2) : "r"(a6), "r"(a3), "r"(a4) : "memory");
  return a2;
}

#include "system-calls.h"

__attribute__((noreturn)) void _start(void) {
  main();
  for (;;) continue;
}
