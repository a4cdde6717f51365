"""A bank of noises as band powers: coloured noise, babble of the synthetic voices, hums, music-like tones, clatter, wind."""
import numpy as np
import scipy.signal

from corpus import read_sentence, room
from features import RATE_HZ, band_power

CLIP_S = 24


def coloured(rng, count, slope):
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    hz[0] = hz[1]
    return np.fft.irfft(spectrum * (hz / 1000) ** (-slope / 2), count)


def babble(rng, count, folder, names, voices):
    mix = np.zeros(count)
    for _ in range(voices):
        at = 0
        while at < count:
            sentence = read_sentence(folder, names[rng.integers(len(names))])
            if sentence is None:
                continue
            part = sentence[0][:count - at]
            mix[at:at + len(part)] += part * rng.uniform(0.3, 1)
            at += len(part) + rng.integers(0, 8000)
    return scipy.signal.fftconvolve(mix, room(rng, rng.uniform(0.3, 0.9)))[:count] if rng.random() < 0.7 else mix


def hum(rng, count):
    t = np.arange(count) / RATE_HZ
    noise = coloured(rng, count, rng.uniform(0, 2)) * (1 + 0.9 * np.sin(2 * np.pi * rng.uniform(0.3, 6) * t))
    base, level = rng.uniform(45, 200), noise.std()
    for harmonic in range(1, 10):
        noise += rng.exponential(0.5) * level * np.sin(2 * np.pi * base * harmonic * t + rng.uniform(0, 6))
    return noise


def music(rng, count):
    notes = np.zeros(count)
    at, base = 0, rng.uniform(80, 400)
    while at < count:
        step = int(rng.uniform(0.1, 0.7) * RATE_HZ)
        t = np.arange(min(count - at, 2 * step)) / RATE_HZ
        for _ in range(rng.integers(1, 4)):
            hz = base * 2 ** (rng.choice([0, 2, 3, 4, 5, 7, 9, 10, 12, 14, 16, 19]) / 12)
            for harmonic in range(1, 8):
                if hz * harmonic < 7500:
                    notes[at:at + len(t)] += (np.exp(-t * rng.uniform(2, 8)) * np.sin(2 * np.pi * hz * harmonic * t)
                                              / harmonic ** rng.uniform(0.7, 2))
        if rng.random() < 0.5:
            beat = min(count - at, 2000)
            notes[at:at + beat] += rng.standard_normal(beat) * np.exp(-np.arange(beat) / 300)
        at += step
    return notes


def clatter(rng, count):
    noise = coloured(rng, count, 1.2) * 0.2
    for _ in range(max(1, int(count / RATE_HZ * rng.uniform(0.5, 6)))):
        at = rng.integers(0, count)
        length = min(count - at, int(rng.uniform(0.01, 0.2) * RATE_HZ))
        edges = np.clip(np.sort(rng.uniform(0.03, 0.95, 2)) + [0, 0.03], 0.01, 0.98)
        b, a = scipy.signal.butter(2, edges, "band")
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        noise[at:at + length] += scipy.signal.lfilter(b, a, burst) * rng.exponential(3)
    return noise


def wind(rng, count):
    gusts = np.interp(np.arange(count), np.linspace(0, count, 4 * CLIP_S), rng.exponential(1, 4 * CLIP_S))
    return coloured(rng, count, rng.uniform(1.5, 2.6)) * (0.2 + gusts)


def noise_bank(folder, names, clips, seed):
    """[clips, hops, 24] band powers of noises with a waveform level of 1."""
    rng = np.random.default_rng(seed)
    count = CLIP_S * RATE_HZ
    bank = []
    for _ in range(clips):
        kind = rng.random()
        if kind < 0.2:
            noise = coloured(rng, count, rng.uniform(-0.3, 2.3))
        elif kind < 0.58:
            noise = babble(rng, count, folder, names, rng.integers(2, 10))
        elif kind < 0.68:
            noise = hum(rng, count)
        elif kind < 0.80:
            noise = music(rng, count)
        elif kind < 0.92:
            noise = clatter(rng, count)
        else:
            noise = wind(rng, count)
        bank.append(band_power((noise / (noise.std() + 1e-9)).astype(np.float32)).astype(np.float32))
    return np.stack(bank)
