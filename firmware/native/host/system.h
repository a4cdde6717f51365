// The three calls that the programs of this folder make of the system, the same on every processor. Where there is a C library they are
// its own; bare processors bring theirs in system-rv32.c and system-xtensa.c, for the user-mode emulator.
#pragma once

#include <stddef.h>

long read(int file, void *bytes, size_t length);
long write(int file, const void *bytes, size_t length);
_Noreturn void _exit(int status);
