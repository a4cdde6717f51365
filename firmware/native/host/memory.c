// The functions on memory that the compiler calls by itself, for programs without a C library: by words where both ends are aligned.
#include <stddef.h>
#include <stdint.h>

typedef uint32_t word_t __attribute__((may_alias));

static int aligned(const void *a, const void *b) {
  return (((uintptr_t)a | (uintptr_t)b) & 3u) == 0;
}

void *memcpy(void *to, const void *from, size_t length) {
  uint8_t *t = to;
  const uint8_t *f = from;
  if (aligned(t, f))
    for (; length >= 4; length -= 4, t += 4, f += 4) *(word_t *)t = *(const word_t *)f;
  for (; length > 0; length--) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  uint8_t *t = to;
  const uint8_t *f = from;
  if (t <= f || t >= f + length) return memcpy(to, from, length);
  while (length-- > 0) t[length] = f[length];
  return to;
}

void *memset(void *to, int value, size_t length) {
  uint8_t *t = to;
  uint32_t word = (uint8_t)value * 0x01010101u;
  if (aligned(t, t))
    for (; length >= 4; length -= 4, t += 4) *(word_t *)t = word;
  for (; length > 0; length--) *t++ = (uint8_t)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t length) {
  const uint8_t *p = a;
  const uint8_t *q = b;
  for (; length > 0; length--, p++, q++)
    if (*p != *q) return *p - *q;
  return 0;
}
