// Stands in for ESP-IDF's header of this name: only what is used of it.
#pragma once

#include <stdint.h>
#include <stdlib.h>

typedef int32_t esp_err_t;
#define ESP_OK 0
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERROR_CHECK(call)      \
  do {                             \
    if ((call) != ESP_OK) abort(); \
  } while (0)
