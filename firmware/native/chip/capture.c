// I2S by DMA, and the task that reads it. What the DMA had to drop because the task was late is counted, and reported as lost hops.
#include "capture.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/gpio.h"
#include "driver/i2s_std.h"
#include "esp_attr.h"
#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "../front_end.h"
#include "../listener.h"

#if !defined(MIC_CLOCK_GPIO) || !defined(MIC_WORD_GPIO) || !defined(MIC_DATA_GPIO) || !defined(MUTE_STATE_GPIO)
#error "The build gives the pins: see CMakeLists.txt; they are in hardware/pins.ts."
#endif

#define RATE_HZ 16000
// The driver keeps one fewer than this waiting: 140 ms.
#define DMA_BUFFERS 8
// The microphone's 24 bits are the upper ones of each word; a frame has 16.
#define WORD_TO_SAMPLE_SHIFT 16
#define READ_TIMEOUT_MS 100u
#define HOP_MS 20u
// libopus keeps its scratch memory on the stack: 22 KB on RV32IMC, counted; the rest is room for the register windows.
#define STACK_BYTES (32u * 1024u)
// Above the runtime's task and workers (1 and 2), below ESP-IDF's timers and Wi-Fi.
#define PRIORITY 5

static i2s_chan_handle_t channel;
static _Atomic uint32_t hops_dropped;

// Called in the interrupt, once for each buffer that was dropped: the oldest one that waited.
static bool IRAM_ATTR dropped(i2s_chan_handle_t handle, i2s_event_data_t *event, void *context) {
  (void)handle, (void)event, (void)context;
  atomic_fetch_add(&hops_dropped, 1u);
  return false;
}

static void start_channel(void) {
  i2s_chan_config_t port = I2S_CHANNEL_DEFAULT_CONFIG(I2S_NUM_0, I2S_ROLE_MASTER);
  port.dma_desc_num = DMA_BUFFERS;
  port.dma_frame_num = HOP_SAMPLES;
  i2s_std_config_t mode = {
      .clk_cfg = I2S_STD_CLK_DEFAULT_CONFIG(RATE_HZ),
      .slot_cfg = I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_MONO),
      .gpio_cfg = {.mclk = I2S_GPIO_UNUSED,
                   .bclk = MIC_CLOCK_GPIO,
                   .ws = MIC_WORD_GPIO,
                   .dout = I2S_GPIO_UNUSED,
                   .din = MIC_DATA_GPIO},
  };
  const i2s_event_callbacks_t callbacks = {.on_recv_q_ovf = dropped};
  ESP_ERROR_CHECK(i2s_new_channel(&port, NULL, &channel));
  ESP_ERROR_CHECK(i2s_channel_init_std_mode(channel, &mode));
  ESP_ERROR_CHECK(i2s_channel_register_event_callback(channel, &callbacks, NULL));
  ESP_ERROR_CHECK(i2s_channel_enable(channel));
}

static void hear(const int32_t *words) {
  int16_t samples[HOP_SAMPLES];
  for (unsigned i = 0; i < HOP_SAMPLES; i++) samples[i] = (int16_t)(words[i] >> WORD_TO_SAMPLE_SHIFT);
  listener_hear(samples, gpio_get_level(MUTE_STATE_GPIO) == 0);
}

static void capture_task(void *unused) {
  (void)unused;
  static int32_t words[HOP_SAMPLES];
  for (;;) {
    size_t got = 0;
    esp_err_t error = i2s_channel_read(channel, words, sizeof words, &got, READ_TIMEOUT_MS);
    listener_lost(atomic_exchange(&hops_dropped, 0u));
    if (error == ESP_OK && got == sizeof words)
      hear(words);
    else
      listener_lost(READ_TIMEOUT_MS / HOP_MS);  // the clock stands still: time passes all the same
  }
}

void capture_start(void) {
  const gpio_config_t mute = {.pin_bit_mask = 1ull << MUTE_STATE_GPIO, .mode = GPIO_MODE_INPUT};
  ESP_ERROR_CHECK(gpio_config(&mute));
  start_channel();
  BaseType_t made =
      xTaskCreatePinnedToCore(capture_task, "hear", STACK_BYTES, NULL, PRIORITY, NULL, APP_CPU_NUM);
  ESP_ERROR_CHECK(made == pdPASS ? ESP_OK : ESP_ERR_NO_MEM);
}
