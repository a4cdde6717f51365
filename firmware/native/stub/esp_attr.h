// Stands in for ESP-IDF's header of this name: only what is used of it.
#pragma once

#define IRAM_ATTR
