// What the C that wasm2c writes for the front end needs of its surroundings, in place of wasm2c's own runtime, which checks every
// access and reads memory byte by byte. Nothing is checked here: all addresses are the module's own, each a multiple of its size
// (../voice-front-end/assembly/memory.ts), and the tests run the same code with every access checked. Little endian only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The front end's memory is little endian."
#endif

// Bytes of the module's memory that are used: its buffers, the weights, its constants. That these end here is checked below.
#define FRONT_END_MEMORY_BYTES 217216u

// The module's memory. One front end to a program, so that its address is a constant of the code.
extern uint8_t front_end_memory[FRONT_END_MEMORY_BYTES];

typedef struct {
  uint8_t unused;
} wasm_rt_memory_t;

// Ends the program: the module divided by zero. Defined in front_end.c.
_Noreturn void front_end_trap(void);

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FUNC_PROLOGUE
#define FUNC_EPILOGUE
// The module calls no function through a table, so types need no numbers; there is no runtime to start.
#define wasm_rt_register_func_type(...) 0u
#define wasm_rt_is_initialized() true
#define assert(condition) ((void)(condition))

#define I32_CLZ(x) ((x) ? (uint32_t)__builtin_clz(x) : 32u)
#define I64_CLZ(x) ((x) ? (uint64_t)__builtin_clzll(x) : 64u)

// The quotient of the least number and -1 would trap in WASM; the front end only divides by positive numbers.
#define WASM_DIVIDE(unsigned_type, signed_type, x, y) \
  (UNLIKELY((signed_type)(y) <= 0) ? (front_end_trap(), 0) : (unsigned_type)((signed_type)(x) / (signed_type)(y)))
#define I32_DIV_S(x, y) WASM_DIVIDE(uint32_t, int32_t, x, y)
#define I64_DIV_S(x, y) WASM_DIVIDE(uint64_t, int64_t, x, y)

// A load gives the stored type widened, by its sign or with zeros, to the result's width.
#define WASM_LOAD(name, stored, widened, result)                            \
  typedef stored name##_t __attribute__((may_alias));                       \
  static inline result name(wasm_rt_memory_t *memory, uint64_t address) {   \
    (void)memory;                                                           \
    return (result)(widened)*(const name##_t *)(front_end_memory + (uint32_t)address); \
  }

#define WASM_STORE(name, stored, value_type)                                             \
  typedef stored name##_t __attribute__((may_alias));                                    \
  static inline void name(wasm_rt_memory_t *memory, uint64_t address, value_type value) { \
    (void)memory;                                                                        \
    *(name##_t *)(front_end_memory + (uint32_t)address) = (stored)value;                 \
  }

WASM_LOAD(i32_load, uint32_t, uint32_t, uint32_t)
WASM_LOAD(i32_load8_s, int8_t, int32_t, uint32_t)
WASM_LOAD(i32_load8_u, uint8_t, uint32_t, uint32_t)
WASM_LOAD(i32_load16_s, int16_t, int32_t, uint32_t)
WASM_LOAD(i32_load16_u, uint16_t, uint32_t, uint32_t)
WASM_LOAD(i64_load, uint64_t, uint64_t, uint64_t)
WASM_LOAD(i64_load16_s, int16_t, int64_t, uint64_t)
WASM_LOAD(i64_load32_s, int32_t, int64_t, uint64_t)
WASM_LOAD(i64_load32_u, uint32_t, uint64_t, uint64_t)
WASM_STORE(i32_store, uint32_t, uint32_t)
WASM_STORE(i32_store8, uint8_t, uint32_t)
WASM_STORE(i32_store16, uint16_t, uint32_t)
WASM_STORE(i64_store, uint64_t, uint64_t)
WASM_STORE(i64_store32, uint32_t, uint64_t)

static inline void memory_fill(wasm_rt_memory_t *memory, uint32_t address, uint32_t value, uint32_t bytes) {
  (void)memory;
  __builtin_memset(front_end_memory + address, (int)value, bytes);
}

static inline void memory_copy(wasm_rt_memory_t *to, const wasm_rt_memory_t *from, uint32_t address,
                               uint32_t source, uint32_t bytes) {
  (void)to;
  (void)from;
  __builtin_memmove(front_end_memory + address, front_end_memory + source, bytes);
}

// Constants that the module brings; the last of them end the memory.
#define LOAD_DATA(memory, address, source, bytes)                                                      \
  do {                                                                                                 \
    _Static_assert((address) + (bytes) <= FRONT_END_MEMORY_BYTES, "FRONT_END_MEMORY_BYTES is too low"); \
    __builtin_memcpy(front_end_memory + (address), source, bytes);                                     \
  } while (0)

// The module starts with zeros.
static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t pages_max) {
  (void)pages_max;
  memory->unused = (uint8_t)pages;
  __builtin_memset(front_end_memory, 0, FRONT_END_MEMORY_BYTES);
}

static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
  (void)memory;
}
