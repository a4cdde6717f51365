"""Trains the network: endless crops of sentences with fresh noise, channel and level, cross-entropy on phones."""
import glob
import json
import os
import time

import numpy as np
import torch
from torch.nn import functional

from band_mean import BandMean
from features import BANDS, CENTRES_HZ, EDGES_HZ, band_bytes
from network import CLASSES, MARGIN_PAIRS, THIRDS, Network
from prepare import load

CROP_HOPS, BATCH = 320, 64
EVALUATE_STEPS = 250
GAP_LOG2 = -29.0
ROUNDING_POWER = 192 * (1.04 / 32768) ** 2
EQ_HZ = np.array([60, 125, 250, 500, 1000, 2000, 3000, 4500, 8000])
# Bins that a band's power is averaged over: few bins, strong interference between speech and noise.
BIN_COUNTS = np.maximum(1.5, np.diff(EDGES_HZ)[:-1] / 31.25)


class Streams:
    """All sentences of some files as one long stream with pauses, shuffled anew for every pass."""

    def __init__(self, paths, rng):
        self.sentences = [sentence for path in paths for sentence in load(path)]
        self.rng = rng
        self.at = None

    def shuffle(self):
        order = self.rng.permutation(len(self.sentences))
        gaps = np.minimum(200, self.rng.exponential(25, len(order))).astype(int)
        total = sum(len(self.sentences[i][1]) for i in order) + gaps.sum()
        self.power = np.full((total, BANDS), GAP_LOG2, np.float16)
        self.classes = np.zeros(total, np.uint8)
        at = 0
        for i, gap in zip(order, gaps):
            power, classes = self.sentences[i]
            self.power[at:at + len(classes)] = power.astype(np.float32) + self.rng.normal(0, 0.9)
            self.classes[at:at + len(classes)] = classes
            at += len(classes) + gap
        self.crops = self.rng.permutation(total // CROP_HOPS)
        self.at = 0

    def next(self, count):
        """`count` crops: (log2 power [count, hops, 24], classes [count, hops])."""
        if self.at is None or self.at + count > len(self.crops):
            self.shuffle()
        chosen = self.crops[self.at:self.at + count] * CROP_HOPS
        self.at += count
        return (np.stack([self.power[c:c + CROP_HOPS] for c in chosen]).astype(np.float32),
                np.stack([self.classes[c:c + CROP_HOPS] for c in chosen]))


class Degrader:
    """Channel, noise and level of a real place, in the domain of band powers."""

    def __init__(self, noise_paths, start_mean, rng):
        self.noises = np.concatenate([np.load(path) for path in noise_paths])
        self.start_mean, self.rng = start_mean, rng

    def _channel(self, count):
        rng = self.rng
        gains = np.cumsum(rng.normal(0, 3, (count, len(EQ_HZ))), 1)
        gains = np.clip(gains - gains.mean(1, keepdims=True), -14, 14)
        for row in gains[rng.random(count) < 0.1]:
            row[EQ_HZ >= rng.choice([3000, 4500])] = -45
        gains[rng.random(count) < 0.15] = 0
        curve = np.stack([np.interp(np.log(CENTRES_HZ), np.log(EQ_HZ), row) for row in gains])
        return 10 ** (curve / 10)[:, None]

    def bands(self, log2_power):
        """Band bytes [crops, hops, 24] of a microphone that hears the crops somewhere."""
        rng, count = self.rng, len(log2_power)
        speech = np.exp2(log2_power) * self._channel(count)
        picks, starts = rng.integers(len(self.noises), size=count), rng.integers(self.noises.shape[1] - CROP_HOPS, size=count)
        noise = np.stack([self.noises[p, s:s + CROP_HOPS] for p, s in zip(picks, starts)])
        coloured = rng.random(count) < 0.5
        noise[coloured] *= self._channel(count)[coloured]
        snr_db = np.where(rng.random(count) < 0.28, rng.uniform(24, 50, count), rng.uniform(-2, 27, count))
        noise *= (0.01 * 10 ** (-snr_db / 10))[:, None, None]
        crossing = rng.standard_normal(speech.shape).astype(np.float32) * np.sqrt(0.5 / BIN_COUNTS).astype(np.float32)
        power = speech + noise + 2 * np.sqrt(speech * noise) * np.clip(crossing, -0.9, 0.9)
        level_db = rng.uniform(-46, -12, count)
        power = power * (100 * 10 ** (level_db / 10))[:, None, None]
        power += ROUNDING_POWER * rng.gamma(2, 0.5, power.shape)
        return band_bytes(power)

    def inputs(self, bands):
        """The network's inputs [crops, hops, 24] for band bytes; most means are warm, some are fresh from the start."""
        inputs = []
        for crop in bands:
            mean = BandMean(self.start_mean)
            if self.rng.random() < 0.75:
                mean(crop)
            inputs.append(mean(crop))
        return np.stack(inputs)


def thirds_of(classes):
    """Class of each hop refined by which third of its phone it is in: 0 silence, 1 + 3 (phone - 1) + third."""
    flat = classes.reshape(-1)
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    ends = np.r_[starts[1:], len(flat)]
    lengths = np.repeat(ends - starts, ends - starts)
    offset = np.arange(len(flat)) - np.repeat(starts, ends - starts)
    third = np.minimum(2, ((offset + 0.5) * 3 / lengths).astype(int))
    return np.where(flat > 0, 1 + (flat.astype(int) - 1) * 3 + third, 0).reshape(classes.shape)


def soft(classes, count):
    """[crops, count, pairs]: each pair's target, half from each hop."""
    one_hot = functional.one_hot(torch.from_numpy(classes.astype(np.int64)), count).float()
    return (0.5 * (one_hot[:, 0::2] + one_hot[:, 1::2])).transpose(1, 2)


def losses(network, inputs, classes):
    """(phone, speech, thirds) losses of a batch; the edges of the crops, where context is cut off, do not count."""
    phones, speech, thirds = network(torch.from_numpy(inputs).float().div(32).transpose(1, 2))
    inner = slice(MARGIN_PAIRS, -MARGIN_PAIRS)

    def cross_entropy(logits, target, count):
        weights = torch.ones(count)
        weights[0] = 0.5
        target = target * weights[None, :, None]
        smooth = 0.97 * target + 0.03 / count * target.sum(1, keepdim=True)
        return -(smooth * functional.log_softmax(logits, 1))[:, :, inner].sum() / target[:, :, inner].sum()

    spoken = torch.from_numpy((classes > 0).astype(np.float32)).reshape(len(classes), -1, 2).transpose(1, 2)
    return (cross_entropy(phones, soft(classes, CLASSES), CLASSES),
            functional.binary_cross_entropy_with_logits(speech[:, :, inner], spoken[:, :, inner]),
            cross_entropy(thirds, soft(thirds_of(classes), THIRDS), THIRDS))


def evaluate(network, batches):
    """Mean phone and speech loss and the share of spoken pairs whose phone is right."""
    network.eval()
    totals, right, spoken = np.zeros(2), 0, 0
    with torch.no_grad():
        for inputs, classes in batches:
            phone, speech, _ = losses(network, inputs, classes)
            totals += phone.item(), speech.item()
            best = network(torch.from_numpy(inputs).float().div(32).transpose(1, 2))[0].argmax(1).numpy()
            first, second = classes[:, 0::2], classes[:, 1::2]
            counted = (first > 0) & (second > 0)
            right += (((best == first) | (best == second)) & counted).sum()
            spoken += counted.sum()
    network.train()
    return {"phone": totals[0] / len(batches), "speech": totals[1] / len(batches), "right": right / spoken}


def start_mean_of(paths):
    """Mean band byte of speech at -26 dBFS: where the badge's mean starts."""
    rows = [power[classes > 0] for power, classes in load(paths[0])[:2000]]
    return band_bytes(np.exp2(np.concatenate(rows).astype(np.float32)) * 100 * 10 ** -2.6).mean(0)


def train(work, minutes, resampled_share, peak_rate, seed, log=print, initial=None):
    """Trains for about `minutes` and writes work/network.pt and work/training.json."""
    torch.manual_seed(seed)
    torch.set_num_threads(os.cpu_count())
    BandMean.build(work)
    rng = np.random.default_rng(seed)
    material = os.path.join(work, "material")

    def paths(kind):
        return sorted(glob.glob(os.path.join(material, kind)))

    spoken, resampled = Streams(paths("spoken-*.npz"), rng), Streams(paths("resampled-*.npz"), rng)
    mean_path = os.path.join(work, "start-mean.npy")
    np.save(mean_path, start_mean_of(paths("spoken-*.npz")))
    start_mean = np.load(mean_path)
    degrader = Degrader(paths("noise-*.npy"), start_mean, rng)
    held_out = Streams(paths("held-out-*.npz"), np.random.default_rng(1))
    fixed = Degrader(paths("noise-*.npy"), start_mean, np.random.default_rng(2))
    batches = []
    for _ in range(6):
        power, classes = held_out.next(BATCH)
        batches.append((fixed.inputs(fixed.bands(power)), classes))

    network = Network()
    if initial:
        network.load_state_dict(torch.load(initial))
    optimiser = torch.optim.AdamW(network.parameters(), lr=peak_rate, weight_decay=1e-3)
    from_resampled = int(round(BATCH * resampled_share))
    started, step, history, running = time.monotonic(), 0, [], []

    def note():
        scores = evaluate(network, batches)
        minutes_gone = (time.monotonic() - started) / 60
        history.append({"step": step, "minutes": minutes_gone, "training": float(np.mean(running or [0])), **scores})
        running.clear()
        log(f"step {step}, {minutes_gone:.1f} min: training {history[-1]['training']:.3f}, held out {scores['phone']:.3f},"
            f" speech {scores['speech']:.3f}, phones right {scores['right']:.1%}")
        torch.save(network.state_dict(), os.path.join(work, "network.pt"))

    while True:
        progress = (time.monotonic() - started) / (minutes * 60)
        if progress >= 1:
            break
        rate = peak_rate * (min(1, progress / 0.05 + 0.02) if progress < 0.3 else 0.5 * (1 + np.cos(np.pi * (progress - 0.3) / 0.7)) + 1e-3)
        for group in optimiser.param_groups:
            group["lr"] = rate
        power, classes = spoken.next(BATCH - from_resampled)
        if from_resampled:
            more, more_classes = resampled.next(from_resampled)
            power, classes = np.concatenate([power, more]), np.concatenate([classes, more_classes])
        inputs = degrader.inputs(degrader.bands(power))
        for crop in inputs[rng.random(BATCH) < 0.3]:
            first = rng.integers(BANDS - 3)
            crop[:, first:first + rng.integers(1, 4)] = 0
        phone, speech, thirds = losses(network, inputs, classes)
        loss = phone + 0.5 * speech + 0.4 * thirds
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2)
        optimiser.step()
        running.append(phone.item())
        step += 1
        if step % EVALUATE_STEPS == 0:
            note()
    note()
    torch.save(network.state_dict(), os.path.join(work, "network.pt"))
    json.dump({"steps": step, "crops": step * BATCH, "cropHops": CROP_HOPS, "history": history},
              open(os.path.join(work, "training.json"), "w"), indent=1)
    return network
