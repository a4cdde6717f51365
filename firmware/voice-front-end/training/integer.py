"""The network file run exactly as ../network.md says, over a whole stream at once. Sums are exact: float64 holds them all."""
import struct

import numpy as np

from network import CONTEXT_TAPS, HOP_CHANNELS, PAIR_CHANNELS

SHAPES = ((HOP_CHANNELS, 5, 24), (PAIR_CHANNELS, 4, HOP_CHANNELS)) + ((PAIR_CHANNELS, 3, PAIR_CHANNELS),) * 3 + ((42, 1, PAIR_CHANNELS),)


def _later(array, by):
    """array[t + by] for every t, zeros beyond the ends."""
    result = np.zeros_like(array)
    if by >= 0:
        result[:len(array) - by] = array[by:]
    else:
        result[-by:] = array[:by]
    return result


class IntegerNetwork:
    def __init__(self, data):
        at = 16

        def take(count, kind):
            nonlocal at
            values = np.frombuffer(data, kind, count, at)
            at += values.nbytes
            return values

        self.start_mean = take(24, "<u2") / 256
        self.offsets = take(40, "<i2").astype(np.int64)
        self.layers = []
        for index, shape in enumerate(SHAPES):
            weight = take(int(np.prod(shape)), "i1").reshape(shape[0], -1).T.astype(np.float64)
            bias, factor = take(shape[0], "<i4").astype(np.int64), take(shape[0], "<i4").astype(np.int64)
            residual = struct.unpack_from("<I", data, at)[0] if 2 <= index <= 4 else 0
            at += 4 if 2 <= index <= 4 else 0
            self.layers.append((weight, bias, factor, residual))
        if at != len(data):
            raise ValueError(f"the network's file has {len(data)} bytes, its layers take {at}")

    def _scaled(self, index, taps):
        weight, bias, factor, residual = self.layers[index]
        sums = (np.concatenate(taps, 1) @ weight).astype(np.int64) + bias
        return (sums * factor + 2 ** 31) >> 32, residual

    def logits(self, inputs):
        """Logits [pairs, 42] in 1/256 nat for inputs [hops, 24] i8, an even number of hops."""
        inputs = inputs.astype(np.float64)
        hidden, _ = self._scaled(0, [_later(inputs, tap) for tap in range(-2, 3)])
        hidden = np.clip(hidden, 0, 255).astype(np.float64)
        hidden, _ = self._scaled(1, [_later(hidden, tap)[0::2] for tap in range(-1, 3)])
        hidden = np.clip(hidden, 0, 255)
        for index, taps in enumerate(CONTEXT_TAPS, 2):
            value, residual = self._scaled(index, [_later(hidden.astype(np.float64), tap) for tap in taps])
            hidden = np.clip(np.maximum(value, 0) + ((hidden * residual + 2 ** 15) >> 16), 0, 255)
        return self._scaled(5, [hidden.astype(np.float64)])[0]

    def posteriors(self, inputs):
        """(q [pairs, 40] of the frame, speech bytes [hops])."""
        logits = self.logits(inputs)
        nats = logits[:, :40] / 256
        log_sum = np.log(np.exp(nats - nats.max(1, keepdims=True)).sum(1, keepdims=True)) + nats.max(1, keepdims=True)
        x = np.round((nats - log_sum) * 256).astype(np.int64) - self.offsets
        speech = np.clip(128 + ((logits[:, 40:] + 8) >> 4), 1, 255)
        return np.clip((512 - x + 32) >> 6, 0, 31), speech.reshape(-1)
