"""Speech-like band powers drawn from a real-speech acoustic model, so that the network meets the spectra of thousands of
speakers without a recording of anybody.

The model is Debian's pocketsphinx-en-us (BSD-2-Clause, CMU Sphinx): 42 codebooks of 128 Gaussians for each of three streams (cepstra,
their differences, and the differences of these), mixed by 5,126 context-dependent states. For a synthesised sentence with known
phones, every third of a phone is a state in its context; from the state's mixture one Gaussian is drawn for each
stream, with some pull towards the sentence's own spectrum so that one voice speaks; then the smoothest path of cepstra that agrees with statics
and differences alike is solved for (as in HMM synthesis), and turned back into band powers.
"""
import struct

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.signal

from corpus import at_speed, read_sentence
from features import CENTRES_HZ, HOP, RATE_HZ
from phones import PHONES

MODEL = "/usr/share/pocketsphinx/model/en-us/en-us/"
CEPSTRA, FILTERS, STEP = 13, 25, 160
# The model's start-up mean of the cepstra, from its feat.params.
CEPSTRUM_MEAN = np.array([41.00, -5.29, -0.12, 5.09, 2.48, -4.07, -1.37, -1.78, -5.08, -2.05, -6.45, -1.42, 1.17])
_ORDER = np.arange(CEPSTRA)
_LIFTER = 1 + 11 * np.sin(np.pi * _ORDER / 22)
_DCT = np.cos(np.pi * _ORDER[:, None] * (np.arange(FILTERS)[None] + 0.5) / FILTERS) * np.sqrt(2 / FILTERS)
_DCT[0] = np.sqrt(1 / FILTERS)


def _filter_edges_hz():
    mel = np.linspace(2595 * np.log10(1 + 130 / 700), 2595 * np.log10(1 + 6800 / 700), FILTERS + 2)
    return 700 * (10 ** (mel / 2595) - 1)


_EDGES_HZ = _filter_edges_hz()
_PREEMPHASIS_DB = 20 * np.log10(np.abs(1 - 0.97 * np.exp(-2j * np.pi * CENTRES_HZ / RATE_HZ)))


def _filter_matrix():
    edges = np.round(_EDGES_HZ / 31.25) * 31.25
    bins_hz = np.arange(257) * 31.25
    matrix = np.zeros((FILTERS, 257), np.float32)
    for i in range(FILTERS):
        low, centre, high = edges[i:i + 3]
        rising, falling = (bins_hz - low) / max(centre - low, 1e-3), (high - bins_hz) / max(high - centre, 1e-3)
        matrix[i] = np.clip(np.minimum(rising, falling), 0, None) * 2 / (high - low)
    return matrix.T


_FILTERS = _filter_matrix()


def cepstra(samples):
    """The model's 13 cepstra every 10 ms, for samples of 16-bit scale."""
    emphasised = np.append(samples[0], samples[1:] - 0.97 * samples[:-1]).astype(np.float32)
    count = (len(emphasised) - 410) // STEP + 1
    stride = emphasised.strides[0]
    frames = np.lib.stride_tricks.as_strided(emphasised, (count, 410), (stride * STEP, stride))
    spectrum = scipy.fft.rfft(frames * np.hamming(410).astype(np.float32), 512, axis=1)
    filtered = np.log((spectrum.real ** 2 + spectrum.imag ** 2) @ _FILTERS + 1e-4)
    return filtered @ (_DCT * _LIFTER[:, None]).T


def _read_parameters(name):
    data = open(MODEL + name, "rb").read()
    at = data.index(b"endhdr\n") + 7 + 4
    codebooks, streams, gaussians = struct.unpack("<3i", data[at:at + 12])
    at += 12
    sizes = struct.unpack(f"<{streams}i", data[at:at + 4 * streams])
    at += 4 * streams + 4
    return np.frombuffer(data, np.float32, codebooks * gaussians * sum(sizes), at).reshape(codebooks, streams, gaussians, sizes[0])


class _Definition:
    """mdef: which state belongs to which phone in which context."""

    def __init__(self):
        data = open(MODEL + "mdef", "rb").read()
        _, header = struct.unpack("<2i", data[4:12])
        at = 12 + header
        (phones, all_phones, emitting, _, self.states, _, _, _, nodes, self.silence) = struct.unpack("<10i", data[at:at + 40])
        at += 40
        self.names = []
        for _ in range(phones):
            end = data.index(b"\0", at)
            self.names.append(data[at:end].decode())
            at = end + 1
        self.number_of = {name: number for number, name in enumerate(self.names)}
        node = np.dtype([("context", "<i2"), ("children", "<i2"), ("down", "<i4")])
        at = next(a for a in range(at, at + 8) if list(np.frombuffer(data, node, 4, a)["context"]) == [0, 1, 2, 3])
        self.tree = np.frombuffer(data, node, nodes, at)
        at += node.itemsize * nodes
        triphone = np.dtype([("sequence", "<i4"), ("transitions", "<i4"), ("attributes", "u1", 4)])
        self.triphones = np.frombuffer(data, triphone, all_phones, at)
        at += triphone.itemsize * all_phones
        count, = struct.unpack("<i", data[at:at + 4])
        self.sequences = np.frombuffer(data, "<u2", count, at + 4).reshape(-1, emitting)
        self._known = {}

    def _find(self, path):
        start, children = 0, 4
        for key in path:
            hits = np.flatnonzero(self.tree["context"][start:start + children] == key)
            if len(hits) == 0:
                return None
            node = self.tree[start + hits[0]]
            if node["children"] == 0:
                return int(node["down"])
            children, start = int(node["children"]), int(node["down"])
        return None

    def states_of(self, left, centre, right):
        """The three states of a phone between two others (names as in PHONES); the bare phone's where the context is not known."""
        key = (left, centre, right)
        if key not in self._known:
            c, l, r = (self.silence if name == "sil" else self.number_of[name.upper()] for name in (centre, left, right))
            found = next((f for f in (self._find((position, c, l, r)) for position in range(4)) if f is not None), c)
            self._known[key] = self.sequences[self.triphones["sequence"][found]], c
        return self._known[key]


class AcousticModel:
    """The parts of the model that band powers are drawn from."""

    def __init__(self):
        self.definition = _Definition()
        self.means = _read_parameters("means")
        self.variances = np.maximum(_read_parameters("variances"), 1e-4)
        self.log_density = -0.5 * np.log(2 * np.pi * self.variances[:, 0]).sum(-1)
        data = open(MODEL + "sendump", "rb").read()
        at = 0
        while True:
            length, = struct.unpack("<i", data[at:at + 4])
            at += 4
            if length == 0:
                break
            at += length
        at += 8
        weights = np.frombuffer(data, np.uint8, 3 * 128 * self.definition.states, at).reshape(3, 128, self.definition.states)
        # Stored as 8-bit logarithms, base 1.0001, shifted by 10 bits.
        self.log_weights = np.ascontiguousarray(weights.transpose(0, 2, 1)).astype(np.float32) * -(np.log(1.0001) * 1024)

    def _draw(self, rng, stream, state, codebook, pull=None):
        logits = self.log_weights[stream, state]
        if pull is not None:
            logits = logits + pull
        weights = np.exp(logits - logits.max())
        chosen = rng.choice(128, p=weights / weights.sum())
        return self.means[codebook, stream, chosen], self.variances[codebook, stream, chosen]

    def resampled(self, folder, name, rng):
        """One copy of a sentence in a drawn voice: (log2 of band power f16 [hops, 24], class of each hop), or None."""
        sentence = read_sentence(folder, name)
        if sentence is None:
            return None
        samples, classes = at_speed(*sentence, rng.uniform(0.84, 1.2))
        own = cepstra(samples * 20000 + rng.standard_normal(len(samples)).astype(np.float32) * 3)
        count = len(own)
        labels = classes[np.minimum(np.arange(count) * STEP + 205, len(classes) - 1)]
        if (labels > 0).sum() < 20:
            return None
        own = own - own[labels > 0].mean(0) + rng.normal(0, 1, CEPSTRA) * rng.uniform(0, 0.5) * np.sqrt(self.variances[:, 0].mean((0, 1)))
        static = self._statistics(rng, own, labels, float(rng.choice([0.02, 0.08, 0.2])))
        path = _smoothest(rng, *static)
        log_power = ((path + CEPSTRUM_MEAN) / _LIFTER) @ _DCT
        warped = CENTRES_HZ * rng.uniform(0.88, 1.14)
        centres = _EDGES_HZ[1:-1]
        hops = (count - 1) // 2
        decibels = np.stack([np.interp(warped, centres, row) for row in log_power]) * (10 / np.log(10)) - _PREEMPHASIS_DB
        power = 10 ** (decibels / 10)
        power = (power[0:2 * hops:2] + power[1:2 * hops:2]) / 2
        hop_labels = labels[0:2 * hops:2]
        bandwidth = np.gradient(CENTRES_HZ)
        spoken = power[hop_labels > 0].mean(0)
        # Level as if the active waveform had an rms of 0.1: sum of squared Hann weights is 192.
        power *= 192 * 0.01 / ((spoken * bandwidth).sum() / bandwidth.sum())
        power[hop_labels == 0] *= 10 ** (-rng.uniform(0, 3))
        if rng.random() < 0.5:
            keep = np.exp(-13.8 * HOP / RATE_HZ / rng.uniform(0.15, 0.7))
            gain = 10 ** (rng.uniform(-14, -3) / 10) * (1 - keep)
            power = power + scipy.signal.lfilter([0, gain], [1, -keep], power, axis=0)
        power = power * rng.gamma(6, 1 / 6, power.shape)
        return np.log2(power + 1e-9).astype(np.float16), hop_labels.astype(np.uint8)

    def _statistics(self, rng, own, labels, pull_strength):
        """Means and variances [3 streams, frames, 13] of the Gaussians drawn along the sentence."""
        count = len(labels)
        means, variances = np.zeros((3, count, CEPSTRA)), np.ones((3, count, CEPSTRA))
        starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
        ends = np.r_[starts[1:], count]
        names = [PHONES[labels[start]] for start in starts]
        for k, (start, end) in enumerate(zip(starts, ends)):
            left, right = names[k - 1] if k else "sil", names[k + 1] if k + 1 < len(names) else "sil"
            states, codebook = self.definition.states_of(left, names[k], right)
            cuts = np.round(np.linspace(start, end, 4)).astype(int)
            for third in range(3):
                a, b = cuts[third], cuts[third + 1]
                if b <= a:
                    continue
                distance = (own[a:b].mean(0) - self.means[codebook, 0]) ** 2 / self.variances[codebook, 0]
                pull = pull_strength * (self.log_density[codebook] - 0.5 * distance.sum(1))
                for stream in range(3):
                    mean, variance = self._draw(rng, stream, states[third], codebook, pull if stream == 0 else None)
                    means[stream, a:b], variances[stream, a:b] = mean, variance
        return means, variances


def _smoothest(rng, means, variances, spread=0.6):
    """Draws the path of cepstra that agrees best with statics and differences: a banded linear system for each cepstrum.

    The differences are the model's: d[t] = c[t+2] - c[t-2], dd[t] = c[t+3] - c[t-1] - c[t+1] + c[t-3].
    """
    means = means + spread * rng.standard_normal(means.shape) * np.sqrt(variances)
    count = means.shape[1]
    rows = ((((0, 1.0),), 0), (((2, 1.0), (-2, -1.0)), 1), (((3, 1.0), (-1, -1.0), (1, -1.0), (-3, 1.0)), 2))
    path = np.empty((count, CEPSTRA))
    for order in range(CEPSTRA):
        bands, target = np.zeros((7, count)), np.zeros(count)
        for taps, stream in rows:
            precision = 1 / variances[stream, :, order]
            weighted = means[stream, :, order] * precision
            low, high = max(0, -min(t for t, _ in taps)), count - max(0, max(t for t, _ in taps))
            for shift, sign in taps:
                target[low + shift:high + shift] += sign * weighted[low:high]
                for other, other_sign in taps:
                    if other >= shift:
                        bands[6 - (other - shift), low + other:high + other] += sign * other_sign * precision[low:high]
        path[:, order] = scipy.linalg.solveh_banded(bands, target, check_finite=False)
    return path
