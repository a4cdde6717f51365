// Stands in for ESP-IDF's header of this name: only what is used of it.
#pragma once

#include <stdint.h>

typedef int BaseType_t;
typedef unsigned UBaseType_t;
#define pdFALSE 0
#define pdPASS 1
#define APP_CPU_NUM 1
