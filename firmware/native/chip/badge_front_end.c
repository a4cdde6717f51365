// Puts the front end into the DeviceScript runtime for the ESP32-S3: its two services on the runtime's device, and what they ask of it.
// The linker lets __wrap_app_init_services stand in for the runtime's app_init_services (CMakeLists.txt), so the runtime stays untouched.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devs_internal.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "../listener.h"
#include "../vitals_service.h"
#include "../voice_service.h"
#include "capture.h"

// network.bin, which the build embeds.
extern const uint8_t network_start[] asm("_binary_network_bin_start");
extern const uint8_t network_end[] asm("_binary_network_bin_end");

// The first fields of the runtime's struct _devs_gc_t, which it keeps to itself (gc_alloc.c).
typedef struct {
  const void *first_free;
  const heap_chunk_t *first_chunk;
} heap_head_t;

// The task that runs the runtime, and in it the program.
static TaskHandle_t runtime_task;

static const heap_chunk_t *program_heap(void) {
  devs_ctx_t *context = devsmgr_get_ctx();
  return context == NULL ? NULL : ((const heap_head_t *)context->gc)->first_chunk;
}

static uint32_t runtime_busy_us(void) {
  TaskStatus_t status;
  vTaskGetInfo(runtime_task, &status, pdFALSE, eRunning);
  return status.ulRunTimeCounter;
}

static void listen(void) {
  if (listener_start(network_start, (uint32_t)(network_end - network_start)))
    capture_start();
  else
    ESP_LOGE("salestag", "the front end does not start: network.bin or the Opus encoder is not the right one");
}

void __real_app_init_services(void);
void __wrap_app_init_services(void);

void __wrap_app_init_services(void) {
  static const vitals_source_t source = {.heap = program_heap, .busy_us = runtime_busy_us};
  runtime_task = xTaskGetCurrentTaskHandle();
  __real_app_init_services();
  voice_service_init(listen);
  vitals_service_init(&source);
}
