// Stands in for ESP-IDF's header of this name: only what is used of it.
#pragma once

void stub_log(const char *tag, const char *text);
#define ESP_LOGE(tag, text) stub_log(tag, text)
