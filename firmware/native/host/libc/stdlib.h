// For programs without a C library: what libopus uses of this header. Defined in host/replay-opus.c.
#pragma once

#include <stddef.h>

void *malloc(size_t length);
void free(void *bytes);
_Noreturn void abort(void);
#define abs(value) __builtin_abs(value)
