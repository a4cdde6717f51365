/* Speaks jobs with flite's voices and writes where each phone ends.
 * usage: speak_flite OUTDIR < jobs; a job is a line "id voice f0MeanHz f0DeviationHz stretch text", voice 0..3.
 * Writes OUTDIR/id.wav and OUTDIR/id.lab with lines "endSeconds phone". */
#include <flite/flite.h>
#include <stdio.h>
#include <string.h>

cst_voice *register_cmu_us_kal16(const char *);
cst_voice *register_cmu_us_slt(const char *);
cst_voice *register_cmu_us_rms(const char *);
cst_voice *register_cmu_us_awb(const char *);

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "speak_flite: name the folder to write to\n"), 2;
  flite_init();
  cst_voice *voices[4] = {register_cmu_us_kal16(NULL), register_cmu_us_slt(NULL), register_cmu_us_rms(NULL),
                          register_cmu_us_awb(NULL)};
  char line[4096], id[64], path[4096];
  int voice, text;
  float mean, deviation, stretch;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%63s %d %f %f %f %n", id, &voice, &mean, &deviation, &stretch, &text) < 5 || voice < 0 || voice > 3)
      return fprintf(stderr, "speak_flite: not a job: %s", line), 1;
    line[strcspn(line, "\n")] = 0;
    feat_set_float(voices[voice]->features, "int_f0_target_mean", mean);
    feat_set_float(voices[voice]->features, "int_f0_target_stddev", deviation);
    feat_set_float(voices[voice]->features, "duration_stretch", stretch);
    cst_utterance *spoken = flite_synth_text(line + text, voices[voice]);
    if (!spoken) return fprintf(stderr, "speak_flite: cannot speak: %s\n", line), 1;
    snprintf(path, sizeof path, "%s/%s.wav", argv[1], id);
    cst_wave_save_riff(utt_wave(spoken), path);
    snprintf(path, sizeof path, "%s/%s.lab", argv[1], id);
    FILE *labels = fopen(path, "w");
    if (!labels) return perror(path), 1;
    for (cst_item *segment = relation_head(utt_relation(spoken, "Segment")); segment; segment = item_next(segment))
      fprintf(labels, "%.4f %s\n", item_feat_float(segment, "end"), item_name(segment));
    fclose(labels);
    delete_utterance(spoken);
  }
  return 0;
}
