#!/usr/bin/env python3
"""Speaks an hour of other talk, on which thresholds of key phrases are found: words in any order, by all voices, in rooms, with some noise.

No pattern of sales talk is in it: a phrase that truly falls there would count as a false alarm.

usage: make_background.py [--work DIR] [--minutes M] [--seed S] OUTPUT.wav
Then:  npx tsx test-rig/bench/hearing/make-background.ts OUTPUT.wav      writes host-tools/data/background.bin
"""
import argparse

import numpy as np
import scipy.io.wavfile
import scipy.signal

import corpus
import noises
import synthesise
from features import RATE_HZ

SENTENCES_PER_MINUTE = 24


def talk(folder, names, minutes, rng):
    """Conversations of two voices with pauses, each in a room of its own, at 14 to 40 dB above a noise."""
    count, pieces, made = int(minutes * 60 * RATE_HZ), [], 0
    while made < count:
        mix = []
        for _ in range(rng.integers(6, 18)):
            sentence = corpus.read_sentence(folder, names[rng.integers(len(names))])
            if sentence is None:
                continue
            samples, _ = corpus.at_speed(*sentence, rng.uniform(0.88, 1.14))
            mix += [samples * 10 ** (rng.uniform(-12, 0) / 20), np.zeros(int(rng.exponential(0.35) * RATE_HZ), np.float32)]
        mix = np.concatenate(mix)
        if rng.random() < 0.6:
            mix = scipy.signal.fftconvolve(mix, corpus.room(rng))[:len(mix)]
        noise = noises.coloured(rng, len(mix), rng.uniform(0, 2)) if rng.random() < 0.6 else noises.clatter(rng, len(mix))
        mix = mix + noise / noise.std() * corpus.ACTIVE_RMS * 10 ** (-rng.uniform(14, 40) / 20)
        pieces.append((mix * 10 ** (rng.uniform(-18, 2) / 20)).astype(np.float32))
        made += len(mix)
    return np.concatenate(pieces)[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output")
    parser.add_argument("--work", default="background-work")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=101)
    flags = parser.parse_args()
    folder = synthesise.synthesise(flags.work, int(flags.minutes * SENTENCES_PER_MINUTE), flags.seed, sales=False)
    rng = np.random.default_rng(flags.seed)
    samples = talk(folder, corpus.sentence_ids(folder), flags.minutes, rng)
    scipy.io.wavfile.write(flags.output, RATE_HZ, np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16))


if __name__ == "__main__":
    main()
