// The Jacdac service voice front end (../services/voice-front-end.md) on the runtime's own device.
#pragma once

// Adds the service. Called by app_init_services().
// @param listen called once, when the first client asks for frames: starts the microphone
void voice_service_init(void (*listen)(void));
