#!/usr/bin/env python3
"""Makes the voice front end's network from scratch: speaks a corpus, prepares it, trains, and writes ../network.bin and its report.

usage: make_weights.py [--work DIR] [--sentences N] [--minutes M] [--seed S] [--resume STEP] [--output FILE]

Needs Debian's packages: see README.md. Takes about an hour and three quarters on two cores with the defaults; DIR needs 5 GB.
"""
import argparse
import json
import os
import platform
import sys
import time

import numpy as np
import torch

import corpus
import export
import prepare
import synthesise
import train
from band_mean import BandMean
from integer import IntegerNetwork

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = ("speak", "prepare", "train", "export")
# Each stage: its share of the minutes, the share of its crops that are drawn from the acoustic model, its highest learning rate. The later,
# the more is drawn: it is closer to people, and noisier to begin with.
STAGES = ((0.13, 0.4, 2e-3), (0.59, 0.5, 2e-3), (0.28, 0.65, 1.2e-3))


def say(text):
    print(text, flush=True)


def held_out_score(data, work, seed=5):
    """How the int8 network does on sentences that it was not trained on: share of spoken pairs right, with fresh noise."""
    rng = np.random.default_rng(seed)
    streams = train.Streams([os.path.join(work, "material", "held-out-0.npz")], rng)
    degrader = train.Degrader([os.path.join(work, "material", "noise-0.npy")], np.load(os.path.join(work, "start-mean.npy")), rng)
    network, right, counted, hits = IntegerNetwork(data), 0, 0, np.zeros(2)
    power, classes = streams.next(256)
    inputs = degrader.inputs(degrader.bands(power))
    for crop, truth in zip(inputs, classes):
        posteriors, speech = network.posteriors(crop)
        best = np.argmax(network.logits(crop)[:, :40], 1)
        first, second = truth[0::2], truth[1::2]
        both = (first > 0) & (second > 0)
        right += (((best == first) | (best == second)) & both).sum()
        counted += both.sum()
        hits += ((speech > 128) == (truth > 0)).sum(), len(truth)
    return {"phonesRight": float(right / counted), "speechRight": float(hits[0] / hits[1])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", default="training-work", help="folder for everything in between")
    parser.add_argument("--sentences", type=int, default=40000)
    parser.add_argument("--minutes", type=float, default=85, help="of training")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", choices=STEPS, default="speak", help="begin with this step; earlier ones are taken as done")
    parser.add_argument("--output", default=os.path.join(HERE, "..", "network.bin"))
    flags = parser.parse_args()
    begin, work, started = STEPS.index(flags.resume), flags.work, time.monotonic()
    os.makedirs(work, exist_ok=True)
    folder = os.path.join(work, "spoken")
    if begin <= 0:
        say(f"speaking {flags.sentences} sentences")
        synthesise.synthesise(work, flags.sentences, flags.seed)
    if begin <= 1:
        say(f"preparing {len(corpus.sentence_ids(folder))} sentences")
        prepare.prepare(work, folder, 1, 2, 240, flags.seed)
    if begin <= 2:
        say(f"training for {flags.minutes:g} minutes")
        initial = None
        for share, resampled, rate in STAGES:
            train.train(work, flags.minutes * share, resampled, rate, flags.seed, log=say, initial=initial)
            initial = os.path.join(work, "network.pt")
    network = train.Network()
    network.load_state_dict(torch.load(os.path.join(work, "network.pt")))
    BandMean.build(work)
    start_mean = np.load(os.path.join(work, "start-mean.npy"))
    rng = np.random.default_rng(flags.seed)
    streams = train.Streams([os.path.join(work, "material", "spoken-0.npz")], rng)
    degrader = train.Degrader([os.path.join(work, "material", "noise-0.npy")], start_mean, rng)
    inputs = degrader.inputs(degrader.bands(streams.next(128)[0])).reshape(-1, 24)
    data = export.weights_file(network, start_mean, inputs)
    with open(flags.output, "wb") as file:
        file.write(data)
    history = json.load(open(os.path.join(work, "training.json")))
    report = {
        "sentences": len(corpus.sentence_ids(folder)), "stages": STAGES, "minutes": flags.minutes, "seed": flags.seed,
        "lastStageSteps": history["steps"], "lastStageHoursHeard": round(history["crops"] * history["cropHops"] * 0.02 / 3600),
        "heldOut": {key: round(value, 4) for key, value in history["history"][-1].items()},
        "int8": {key: round(value, 4) for key, value in held_out_score(data, work).items()},
        "bytes": len(data), "torch": torch.__version__, "python": platform.python_version(),
    }
    with open(os.path.splitext(flags.output)[0] + ".report.json", "w") as file:
        json.dump(report, file, indent=2)
        file.write("\n")
    say(json.dumps(report, indent=2))
    say(f"done in {(time.monotonic() - started) / 60:.0f} minutes")


if __name__ == "__main__":
    sys.exit(main())
