// Wide products and quotients that the compiler calls for on the LX106: Debian's library for it leaves them to a chip's ROM.
// The ESP32-S3's core has instructions for what takes most of their time here: the upper half of a product, and division.
#include <stdint.h>

static uint64_t product(uint32_t a, uint32_t b) {
  uint32_t low = (a & 0xffffu) * (b & 0xffffu);
  uint32_t cross = (a >> 16) * (b & 0xffffu) + (low >> 16);
  uint32_t middle = (a & 0xffffu) * (b >> 16) + (cross & 0xffffu);
  uint32_t high = (a >> 16) * (b >> 16) + (cross >> 16) + (middle >> 16);
  return (uint64_t)high << 32 | (middle << 16 | (low & 0xffffu));
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
  uint32_t high = (uint32_t)(a >> 32) * (uint32_t)b + (uint32_t)a * (uint32_t)(b >> 32);
  return product((uint32_t)a, (uint32_t)b) + ((uint64_t)high << 32);
}

// Quotient by shifting and subtracting, from the highest bit that the dividend has.
static uint64_t quotient(uint64_t dividend, uint64_t divisor) {
  uint64_t result = 0;
  uint64_t rest = 0;
  for (int bit = 63; bit >= 0; bit--) {
    rest = rest << 1 | (dividend >> bit & 1u);
    result <<= 1;
    if (rest >= divisor) rest -= divisor, result |= 1u;
  }
  return result;
}

static uint64_t magnitude(int64_t value) {
  return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t dividend, int64_t divisor) {
  uint64_t result = quotient(magnitude(dividend), magnitude(divisor));
  return (int64_t)((dividend < 0) != (divisor < 0) ? -result : result);
}

int32_t __divsi3(int32_t dividend, int32_t divisor) {
  return (int32_t)__divdi3(dividend, divisor);
}

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor) {
  return (uint32_t)quotient(dividend, divisor);
}
