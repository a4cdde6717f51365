"""Reads spoken sentences with their phone boundaries, and makes varied copies of them as band powers."""
import glob
import os

import numpy as np
import scipy.io.wavfile
import scipy.signal

from features import HOP, LABEL_SAMPLE, RATE_HZ, band_power, mel_matrix
from phones import CLASS_OF, CLASSES_OF_ESPEAK, class_of_festival

ACTIVE_RMS = 0.1
TAIL_SAMPLES = 4800


def sentence_ids(folder):
    """Names of all sentences in the folder, in order."""
    return sorted(os.path.splitext(os.path.basename(path))[0]
                  for pattern in ("*.lab", "*.ev") for path in glob.glob(os.path.join(folder, pattern)))


def _espeak_segments(path):
    """[(end in s, class)] of an eSpeak event file, which tells where phonemes begin."""
    rows = [line.split() for line in open(path)]
    rows = [(int(at) / 1000, CLASSES_OF_ESPEAK[name]) for at, name in (row for row in rows if len(row) == 2)
            if CLASSES_OF_ESPEAK.get(name)]
    segments = [(rows[0][0], 0)] if rows and rows[0][0] > 0 else []
    for (start, names), (end, _) in zip(rows[:-1], rows[1:]):
        names = names.split()
        for index, name in enumerate(names):
            segments.append((start + (end - start) * (index + 1) / len(names), CLASS_OF[name]))
    return segments


def read_sentence(folder, name):
    """(samples at 16 kHz with an active level of 0.1, class of each sample), or None when there is nothing in it."""
    base = os.path.join(folder, name)
    if os.path.exists(base + ".ev"):
        samples, rate = np.fromfile(base + ".raw", np.int16).astype(np.float32) / 32768, 22050
        segments = _espeak_segments(base + ".ev")
    else:
        rate, samples = scipy.io.wavfile.read(base + ".wav")
        samples = samples.astype(np.float32) / 32768
        rows = [line.split() for line in open(base + ".lab")]
        segments = [(float(row[0]), class_of_festival(row[-1])) for row in rows if len(row) in (2, 3)]
    if len(samples) < rate // 4 or not segments:
        return None
    if rate != RATE_HZ:
        divisor = np.gcd(rate, RATE_HZ)
        samples = scipy.signal.resample_poly(samples, RATE_HZ // divisor, rate // divisor).astype(np.float32)
    classes = np.zeros(len(samples), np.uint8)
    start = 0
    for end_s, phone in segments:
        end = min(len(samples), int(end_s * RATE_HZ))
        classes[start:end] = phone
        start = max(start, end)
    spoken = classes > 0
    if spoken.sum() < RATE_HZ // 10:
        return None
    return samples * (ACTIVE_RMS / (np.sqrt((samples[spoken] ** 2).mean()) + 1e-9)), classes


def at_speed(samples, classes, speed):
    """Faster or slower speech, pitch and formants moving along."""
    count = int(len(samples) / speed)
    at = np.arange(count) * speed
    return (np.interp(at, np.arange(len(samples)), samples).astype(np.float32),
            classes[np.minimum(at.round().astype(int), len(classes) - 1)])


def room(rng, decay_s=None):
    """Impulse response of a made-up room: a direct sound and a noise tail."""
    decay_s = decay_s or rng.uniform(0.12, 0.7)
    count = int(decay_s * RATE_HZ)
    response = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    response[:int(rng.uniform(0.002, 0.01) * RATE_HZ)] *= 0.1
    response /= np.sqrt((response ** 2).sum()) + 1e-9
    response /= 10 ** (rng.uniform(-3, 14) / 20)
    response[0] = 1
    return response / np.sqrt((response ** 2).sum())


def labels_of(classes, hops):
    """Class at the centre of each hop's window."""
    at = np.arange(hops) * HOP + LABEL_SAMPLE
    return classes[np.minimum(at, len(classes) - 1)]


def varied(folder, name, rng):
    """One varied copy: (log2 of band power as f16 [hops, 24], class of each hop), or None."""
    sentence = read_sentence(folder, name)
    if sentence is None:
        return None
    samples, classes = sentence
    if rng.random() < 0.7:
        samples, classes = at_speed(samples, classes, rng.uniform(0.84, 1.19))
    samples = np.concatenate([samples, np.zeros(TAIL_SAMPLES, np.float32)])
    classes = np.concatenate([classes, np.zeros(TAIL_SAMPLES, np.uint8)])
    if rng.random() < 0.5:
        samples = scipy.signal.fftconvolve(samples, room(rng))[:len(samples)]
    matrix = mel_matrix(rng.uniform(0.82, 1.22)) if rng.random() < 0.75 else mel_matrix()
    power = band_power(samples, matrix)
    return np.log2(power + 1e-9).astype(np.float16), labels_of(classes, len(power))
