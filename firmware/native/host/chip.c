// Plays the chip around the badge's C: the runtime's loop and bus, the microphone's DMA, a clock, all stubs' calls. Runs a script of lines:
//   hops N            the microphone delivers the next N hops of the recording, as the I2S driver queues them
//   run               the capture task runs until it has heard all that waits
//   silent            the next read of the microphone runs into its time limit
//   mute 0|1          the mute switch
//   tick US           time passes, and the runtime comes round
//   busy US           the runtime's task has run so much longer
//   heap BLOCK...     the program's heap: words of each block, negative: free; none: there is no program; 0: a broken block
//   packet I C [HEX]  a command for service I (1 voice front end, 2 runtime vitals); C is hexadecimal
// and prints what is sent to the bus: "sent I C HEX". Argument: a file of i16 samples at 16 kHz.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../chip/capture.h"
#include "../frame_ring.h"
#include "../front_end.h"
#include "../runtime_heap.h"
#include "devs_internal.h"
#include "driver/i2s_std.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "services/jd_services.h"

#define LINE_BYTES_MAX 1024
#define SERVICES_MAX 4
#define HEAP_WORDS_MAX 1024
#define QUEUED_MAX 7  // the driver keeps one fewer than its DMA buffers

struct srv_state {
  SRV_COMMON;
};

uint32_t now;

static srv_t *services[SERVICES_MAX];
static unsigned service_count = 1;  // 0 is the control service, the runtime's own

static FILE *recording;
static int32_t queued[QUEUED_MAX][HOP_SAMPLES];
static unsigned queued_count;
static bool channel_silent;
static i2s_isr_callback_t on_dropped;
static TaskFunction_t task;
static jmp_buf idle;
static int mute_level = 1;
static uint32_t busy_us;

static struct {
  heap_chunk_t chunk;
  uintptr_t blocks[HEAP_WORDS_MAX];
} heap;
static bool has_heap;

// The runtime's bus.

srv_t *jd_allocate_service(const srv_vt_t *vt) {
  if (service_count == SERVICES_MAX) abort();
  srv_t *state = calloc(1, vt->state_size);
  if (state == NULL) abort();
  state->vt = vt;
  state->service_index = (uint8_t)service_count;
  return services[service_count++] = state;
}

int jd_send(unsigned service_index, unsigned service_command, const void *data, unsigned length_bytes) {
  printf("sent %u %04x ", service_index, service_command);
  for (unsigned i = 0; i < length_bytes; i++) printf("%02x", ((const uint8_t *)data)[i]);
  printf("\n");
  return 0;
}

int jd_respond_u8(jd_packet_t *packet, uint8_t value) {
  return jd_send(packet->service_index, packet->service_command, &value, sizeof value);
}

int jd_respond_u16(jd_packet_t *packet, uint16_t value) {
  return jd_send(packet->service_index, packet->service_command, &value, sizeof value);
}

int jd_respond_u32(jd_packet_t *packet, uint32_t value) {
  return jd_send(packet->service_index, packet->service_command, &value, sizeof value);
}

int jd_send_not_implemented(jd_packet_t *packet) {
  const uint16_t report[2] = {packet->service_command, packet->crc};
  return jd_send(packet->service_index, 0x03, report, sizeof report);
}

// The program's heap and the runtime's task.

devs_ctx_t *devsmgr_get_ctx(void) {
  static struct {
    const void *first_free;
    const heap_chunk_t *first_chunk;
  } head = {NULL, &heap.chunk};
  static devs_ctx_t context = {(devs_gc_t *)&head};
  return has_heap ? &context : NULL;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void) {
  return (TaskHandle_t)&now;
}

void vTaskGetInfo(TaskHandle_t handle, TaskStatus_t *status, BaseType_t get_free_stack, eTaskState state) {
  (void)get_free_stack, (void)state;
  if (handle != (TaskHandle_t)&now) abort();
  status->ulRunTimeCounter = busy_us;
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t run, const char *name, uint32_t stack_bytes, void *argument,
                                   UBaseType_t priority, TaskHandle_t *handle, BaseType_t core) {
  (void)name, (void)stack_bytes, (void)argument, (void)priority, (void)handle, (void)core;
  task = run;
  return pdPASS;
}

void stub_log(const char *tag, const char *text) {
  printf("log %s: %s\n", tag, text);
}

// The microphone.

esp_err_t gpio_config(const gpio_config_t *config) {
  return config->mode == GPIO_MODE_INPUT ? ESP_OK : 1;
}

int gpio_get_level(gpio_num_t gpio) {
  return gpio == MUTE_STATE_GPIO ? mute_level : 0;
}

esp_err_t i2s_new_channel(const i2s_chan_config_t *config, i2s_chan_handle_t *sending, i2s_chan_handle_t *receiving) {
  *receiving = (i2s_chan_handle_t)queued;
  return sending == NULL && config->dma_frame_num == HOP_SAMPLES && config->dma_desc_num == QUEUED_MAX + 1 ? ESP_OK : 1;
}

esp_err_t i2s_channel_init_std_mode(i2s_chan_handle_t handle, const i2s_std_config_t *config) {
  (void)handle;
  return config->clk_cfg.sample_rate_hz == 16000 ? ESP_OK : 1;
}

esp_err_t i2s_channel_register_event_callback(i2s_chan_handle_t handle, const i2s_event_callbacks_t *callbacks,
                                              void *context) {
  (void)handle, (void)context;
  on_dropped = callbacks->on_recv_q_ovf;
  return ESP_OK;
}

esp_err_t i2s_channel_enable(i2s_chan_handle_t handle) {
  (void)handle;
  printf("listening\n");
  return ESP_OK;
}

// Hands out the oldest hop that waits; with none, the task would sleep: its run ends.
esp_err_t i2s_channel_read(i2s_chan_handle_t handle, void *bytes, size_t length, size_t *got, uint32_t timeout_ms) {
  (void)handle, (void)timeout_ms;
  *got = 0;
  if (channel_silent) {
    channel_silent = false;
    return 1;
  }
  if (queued_count == 0) longjmp(idle, 1);
  memcpy(bytes, queued[0], length);
  memmove(queued[0], queued[1], sizeof queued[0] * --queued_count);
  *got = length;
  return ESP_OK;
}

// Queues one hop as the driver's interrupt does: a full queue loses its oldest. The lower half of a word is the microphone's noise.
static void deliver(const int16_t *samples) {
  if (queued_count == QUEUED_MAX) {
    memmove(queued[0], queued[1], sizeof queued[0] * --queued_count);
    on_dropped((i2s_chan_handle_t)queued, NULL, NULL);
  }
  for (unsigned i = 0; i < HOP_SAMPLES; i++) queued[queued_count][i] = samples[i] * 65536 + 0x1234;
  queued_count++;
}

// The script.

static void hops(int count) {
  int16_t samples[HOP_SAMPLES];
  while (count-- > 0 && fread(samples, sizeof samples, 1, recording) == 1) deliver(samples);
}

static void run(void) {
  if (task != NULL && setjmp(idle) == 0) task(NULL);
}

static void tick(uint32_t us) {
  now += us;
  for (unsigned i = 1; i < service_count; i++) services[i]->vt->process(services[i]);
}

static void set_heap(const char *blocks) {
  unsigned shift = 8 * (sizeof(uintptr_t) - 1);
  unsigned at = 0;
  int words, used;
  for (has_heap = false; sscanf(blocks, "%d%n", &words, &used) == 1; blocks += used, has_heap = true) {
    unsigned size = (unsigned)abs(words);
    if (at + size + 1 > HEAP_WORDS_MAX) abort();
    heap.blocks[at] = (words < 0 ? (uintptr_t)1 : (uintptr_t)2) << shift | size;
    at += size > 0 ? size : 1;
  }
  heap.blocks[at] = (uintptr_t)0x4f << shift | 1;
  heap.chunk = (heap_chunk_t){NULL, &heap.blocks[at]};
}

static void packet(unsigned service, unsigned command, const char *hex) {
  if (service == 0 || service >= service_count) abort();
  union {
    jd_packet_t packet;
    uint8_t bytes[sizeof(jd_packet_t) + 240];
  } in = {.packet = {.crc = 0xabcd, .service_index = (uint8_t)service, .service_command = (uint16_t)command}};
  unsigned byte;
  for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) in.bytes[sizeof(jd_packet_t) + in.packet.service_size++] = (uint8_t)byte;
  services[service]->vt->handle_pkt(services[service], &in.packet);
}

static void obey(const char *line) {
  unsigned a, b;
  int used = 0;
  if (sscanf(line, "hops %u", &a) == 1) hops((int)a);
  else if (strcmp(line, "run") == 0) run();
  else if (strcmp(line, "silent") == 0) channel_silent = true;
  else if (sscanf(line, "mute %u", &a) == 1) mute_level = a == 0;
  else if (sscanf(line, "tick %u", &a) == 1) tick(a);
  else if (sscanf(line, "busy %u", &a) == 1) busy_us += a;
  else if (strncmp(line, "heap", 4) == 0) set_heap(line + 4);
  else if (sscanf(line, "packet %u %x %n", &a, &b, &used) >= 2) packet(a, b, line + used);
  else {
    fprintf(stderr, "no such line: %s\n", line);
    exit(2);
  }
}

void __real_app_init_services(void) {}
void __wrap_app_init_services(void);

int main(int argc, char **argv) {
  if (argc != 2 || (recording = fopen(argv[1], "rb")) == NULL) return 2;
  __wrap_app_init_services();
  char line[LINE_BYTES_MAX];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    obey(line);
  }
  fclose(recording);
  for (unsigned i = 1; i < service_count; i++) free(services[i]);
  return 0;
}
