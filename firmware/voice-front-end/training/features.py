"""The front end's band powers in floating point: 512-point periodic Hann, hop 320, 24 triangular mel bands.

Index i of every array here is hop i of the badge: its window ends with the hop, so it begins 192 samples before it.
"""
import numpy as np
import scipy.fft

RATE_HZ, HOP, WINDOW, BANDS = 16000, 320, 512, 24
LEAD = WINDOW - HOP
# Sample whose phone a hop is labelled with, from the hop's first one: the centre of its window.
LABEL_SAMPLE = HOP - WINDOW // 2

_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def _mel(hz):
    return 2595 * np.log10(1 + hz / 700)


def _hz(mel):
    return 700 * (10 ** (mel / 2595) - 1)


EDGES_HZ = _hz(np.linspace(_mel(100), _mel(7600), BANDS + 2))
CENTRES_HZ = EDGES_HZ[1:-1]


def mel_matrix(warp=1.0):
    """[257, 24] weights that give each band's mean power; `warp` moves the edges, which simulates another vocal tract."""
    edges = EDGES_HZ
    if warp != 1.0:
        knee = 4800 * min(warp, 1) / warp
        edges = np.where(edges <= knee, edges * warp, 8000 - (8000 - knee * warp) / (8000 - knee) * (8000 - edges))
    bins_hz = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    matrix = np.zeros((BANDS, len(bins_hz)), np.float32)
    for band in range(BANDS):
        low, centre, high = edges[band:band + 3]
        weights = np.clip(np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)), 0, None)
        if weights.sum() == 0:
            weights[np.argmin(abs(bins_hz - centre))] = 1
        matrix[band] = weights / weights.sum()
    return np.ascontiguousarray(matrix.T)


MEL = mel_matrix()


def band_power(samples, matrix=MEL):
    """Mean |X|^2 of each band and hop, [hops, 24], for samples of +-1."""
    padded = np.concatenate([np.zeros(LEAD, np.float32), samples.astype(np.float32)])
    hops = (len(padded) - WINDOW) // HOP + 1
    frames = np.lib.stride_tricks.as_strided(padded, (hops, WINDOW), (padded.strides[0] * HOP, padded.strides[0]))
    spectrum = scipy.fft.rfft(frames * _HANN, axis=1)
    return (spectrum.real ** 2 + spectrum.imag ** 2) @ matrix


def band_bytes(power):
    """The frame's band bytes for mean powers."""
    return np.clip(np.round(8 * np.log2(power * 2.0 ** 20 + 1) - 16), 0, 255).astype(np.uint8)
