/* Every detection of PocketSphinx's keyword mode with its score, for benchmarks. The beam is as wide as a double allows: with the usual
 * 1e-48 a long phrase is given up before it gets a score, whatever the detection threshold; the wide one takes no longer.
 * usage: pocketsphinx_scores HMM DICTIONARY KEYWORDS SAMPLES < segments
 * SAMPLES: 16 kHz mono, 16 bit. A line of stdin is "first count": one utterance, as PocketSphinx adapts to each by itself.
 * Prints "utterance phrase-with-spaces<TAB>score" for each detection. */
#include <pocketsphinx.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "pocketsphinx_scores: four arguments\n"), 2;
  cmd_ln_t *config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", argv[1], "-dict", argv[2], "-kws", argv[3], "-beam",
                                 "1e-300", "-logfn", "/dev/null", NULL);
  ps_decoder_t *decoder = config ? ps_init(config) : NULL;
  FILE *samples = fopen(argv[4], "rb");
  if (!decoder || !samples) return fprintf(stderr, "pocketsphinx_scores: cannot start\n"), 1;
  long first, count;
  for (int utterance = 0; scanf("%ld %ld", &first, &count) == 2; utterance++) {
    int16 *block = malloc(2 * count);
    fseek(samples, 2 * first, SEEK_SET);
    if ((long)fread(block, 2, count, samples) != count) return fprintf(stderr, "pocketsphinx_scores: too few samples\n"), 1;
    ps_start_utt(decoder);
    ps_process_raw(decoder, block, count, FALSE, TRUE);
    ps_end_utt(decoder);
    for (ps_seg_t *segment = ps_seg_iter(decoder); segment; segment = ps_seg_next(segment)) {
      int32 acoustic, language, backoff;
      int32 score = ps_seg_prob(segment, &acoustic, &language, &backoff);
      printf("%d %s\t%d\n", utterance, ps_seg_word(segment), score);
    }
    free(block);
  }
  return 0;
}
