// Stands in for ESP-IDF's header of this name: only what is used of it.
#pragma once

#include <stdint.h>

#include "esp_err.h"

typedef int gpio_num_t;
#define GPIO_NUM_NC (-1)
typedef enum { GPIO_MODE_INPUT = 1 } gpio_mode_t;
typedef struct {
  uint64_t pin_bit_mask;
  gpio_mode_t mode;
} gpio_config_t;

esp_err_t gpio_config(const gpio_config_t *config);
int gpio_get_level(gpio_num_t gpio);
