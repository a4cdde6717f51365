/* Speaks jobs with eSpeak NG and writes where each phoneme begins.
 * usage: speak_espeak OUTDIR < jobs; a job is a line "id language variant wordsPerMinute pitch range text".
 * Writes OUTDIR/id.raw (16 bit, 22,050 Hz) and OUTDIR/id.ev with lines "startMs mnemonic", the last one "endMs END". */
#include <espeak-ng/speak_lib.h>
#include <stdio.h>
#include <string.h>

static FILE *samples, *events;
static long sampleCount;

static int take(short *wave, int count, espeak_EVENT *event) {
  for (; event->type != espeakEVENT_LIST_TERMINATED; event++)
    if (event->type == espeakEVENT_PHONEME) {
      char name[9] = {0};
      memcpy(name, event->id.string, 8);
      fprintf(events, "%d %s\n", event->audio_position, name);
    }
  if (wave && count > 0) sampleCount += fwrite(wave, 2, count, samples);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "speak_espeak: name the folder to write to\n"), 2;
  int rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 2000, NULL, espeakINITIALIZE_PHONEME_EVENTS);
  if (rate != 22050) return fprintf(stderr, "speak_espeak: espeak speaks at %d Hz, not 22050\n", rate), 1;
  espeak_SetSynthCallback(take);
  char line[4096], id[64], language[64], variant[64], path[4096], voice[160];
  int speed, pitch, range, text;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%63s %63s %63s %d %d %d %n", id, language, variant, &speed, &pitch, &range, &text) < 6)
      return fprintf(stderr, "speak_espeak: not a job: %s", line), 1;
    line[strcspn(line, "\n")] = 0;
    snprintf(voice, sizeof voice, "%s+%s", language, variant);
    if (espeak_SetVoiceByName(voice) != EE_OK) {
      fprintf(stderr, "speak_espeak: no voice %s, job left out\n", voice);
      continue;
    }
    espeak_SetParameter(espeakRATE, speed, 0);
    espeak_SetParameter(espeakPITCH, pitch, 0);
    espeak_SetParameter(espeakRANGE, range, 0);
    snprintf(path, sizeof path, "%s/%s.raw", argv[1], id);
    samples = fopen(path, "wb");
    snprintf(path, sizeof path, "%s/%s.ev", argv[1], id);
    events = fopen(path, "w");
    if (!samples || !events) return perror(path), 1;
    sampleCount = 0;
    espeak_Synth(line + text, strlen(line + text) + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, NULL, NULL);
    espeak_Synchronize();
    fprintf(events, "%ld END\n", sampleCount * 1000 / rate);
    fclose(samples);
    fclose(events);
  }
  return 0;
}
