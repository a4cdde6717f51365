"""Writes the trained network as int8 weights: the file of ../network.md."""
import struct
import zlib

import numpy as np
import torch
from torch.nn import functional

from network import CONTEXT_TAPS, shifted

MAGIC, VERSION = b"STNN", 1
PRIOR_WEIGHT = 0.4
LOGIT_UNITS = 256


def _folded(convolution, norm):
    """Weights [output, tap, input] and bias of a convolution with its batch norm folded in."""
    weight = convolution.weight.detach().numpy().transpose(0, 2, 1)
    bias = convolution.bias.detach().numpy()
    if norm is None:
        return weight, bias
    gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    return weight * gain[:, None, None], (bias - norm.running_mean.numpy()) * gain + norm.bias.detach().numpy()


def layers_of(network):
    """[(weights [output, tap, input], bias)] of the six layers, batch norms folded in."""
    layers = [_folded(network.hop, network.norms[0]), _folded(network.pair, network.norms[1])]
    for index, convolution in enumerate(network.context):
        weight, bias = _folded(convolution, network.norms[2 + index])
        taps = len(CONTEXT_TAPS[index])
        layers.append((weight.reshape(len(weight), taps, -1), bias))
    layers.append(_folded(network.output, None))
    return layers


def activations(network, inputs):
    """Activations [time, channels] after layers 0 to 4 for inputs [hops, 24], in floating point."""
    network.eval()
    found = []
    with torch.no_grad():
        hidden = torch.from_numpy(inputs).float().div(32).T[None]
        hidden = functional.relu(network.norms[0](network.hop(hidden)))
        found.append(hidden)
        hidden = functional.relu(network.norms[1](network.pair(hidden)))
        found.append(hidden)
        for layer, taps, norm in zip(network.context, CONTEXT_TAPS, network.norms[2:]):
            below = torch.cat([shifted(hidden, tap) for tap in taps], 1)
            hidden = functional.relu(norm(layer(below))) + hidden
            found.append(hidden)
    return found


def class_offsets(network, inputs):
    """0.4 (ln prior - mean ln prior of the phones) of each class, from the posteriors of speech, in 1/256 nat."""
    network.eval()
    with torch.no_grad():
        posterior = functional.softmax(network(torch.from_numpy(inputs).float().div(32).T[None])[0], 1)[0].numpy()
    prior = posterior[:, posterior[0] < 0.5].mean(1)
    logarithm = np.log(prior / prior.sum() + 1e-6)
    return np.round(PRIOR_WEIGHT * (logarithm - logarithm[1:].mean()) * LOGIT_UNITS).astype(np.int16)


def weights_file(network, start_mean, inputs):
    """The bytes of network.bin; `inputs` [hops, 24] i8 is a stream whose activations set the scales."""
    ranges = [float(np.quantile(found.numpy(), 0.9997)) for found in activations(network, inputs)]
    body = [np.round(np.asarray(start_mean) * 256).astype("<u2").tobytes(),
            class_offsets(network, inputs).astype("<i2").tobytes()]
    scale_in = 1 / 32
    for index, (weight, bias) in enumerate(layers_of(network)):
        last = index == 5
        scale_out = 1 / LOGIT_UNITS if last else ranges[index] / 255
        scales = np.abs(weight).max((1, 2)) / 127 + 1e-12
        body.append(np.round(weight / scales[:, None, None]).astype(np.int8).tobytes())
        body.append(np.round(bias / (scales * scale_in)).astype("<i4").tobytes())
        factors = np.round(scales * scale_in / scale_out * 2.0 ** 32)
        if factors.max() >= 2 ** 31:
            raise ValueError(f"layer {index}: a multiplier of {factors.max() / 2 ** 32:.2f} does not fit; train longer or clip its weights")
        body.append(factors.astype("<i4").tobytes())
        if 2 <= index <= 4:
            body.append(struct.pack("<I", int(round(scale_in / scale_out * 65536))))
        scale_in = scale_out
    body = b"".join(body)
    return MAGIC + struct.pack("<III", VERSION, len(body), zlib.crc32(body)) + body
