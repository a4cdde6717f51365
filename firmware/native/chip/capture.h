// The microphone: an ICS-43434 on I2S, taken in by DMA, one buffer for each hop. ESP-IDF 5.0's driver (i2s_std.h).
#pragma once

// Starts the microphone and the task that hands its hops to the listener, on the second core. Called once, after listener_start().
// Aborts with ESP-IDF's message when the driver or FreeRTOS refuses: without ears the badge is of no use.
void capture_start(void);
