// Stands in for ESP-IDF's header of this name: only what is used of it. vTaskGetInfo counts microseconds where the configuration has
// CONFIG_FREERTOS_USE_TRACE_FACILITY and CONFIG_FREERTOS_GENERATE_RUN_TIME_STATS.
#pragma once

#include "FreeRTOS.h"

typedef struct task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *argument);
typedef enum { eRunning } eTaskState;
typedef struct {
  uint32_t ulRunTimeCounter;
} TaskStatus_t;

TaskHandle_t xTaskGetCurrentTaskHandle(void);
void vTaskGetInfo(TaskHandle_t task, TaskStatus_t *status, BaseType_t get_free_stack, eTaskState state);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t run, const char *name, uint32_t stack_bytes, void *argument,
                                   UBaseType_t priority, TaskHandle_t *handle, BaseType_t core);
