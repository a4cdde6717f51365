"""Turns the spoken corpus into training material on disk: varied copies, resampled Gaussians, noises."""
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import corpus
import gaussians
import noises

HELD_OUT_EVERY = 60


def _pack(path, pieces):
    pieces = [piece for piece in pieces if piece is not None]
    np.savez(path, power=np.concatenate([piece[0] for piece in pieces]),
             classes=np.concatenate([piece[1] for piece in pieces]),
             lengths=np.array([len(piece[1]) for piece in pieces]))


def load(path):
    """The file's sentences: a list of (log2 power f16 [hops, 24], class u8 [hops])."""
    packed = np.load(path)
    ends = np.cumsum(packed["lengths"])[:-1]
    return list(zip(np.split(packed["power"], ends), np.split(packed["classes"], ends)))


def _spoken(job):
    path, folder, names, seed = job
    rng = np.random.default_rng(seed)
    _pack(path, (corpus.varied(folder, name, rng) for name in names))


def _resampled(job):
    path, folder, names, seed = job
    rng = np.random.default_rng(seed)
    model = gaussians.AcousticModel()
    _pack(path, (model.resampled(folder, name, rng) for name in names))


def _noise(job):
    path, folder, names, clips, seed = job
    np.save(path, noises.noise_bank(folder, names, clips, seed))


def prepare(work, folder, copies, resamplings, noise_clips, seed):
    """Writes work/material/{spoken,resampled,held-out}-N.npz and noise-N.npy, on all cores."""
    out = os.path.join(work, "material")
    os.makedirs(out, exist_ok=True)
    names = corpus.sentence_ids(folder)
    held_out, kept = names[::HELD_OUT_EVERY], [n for i, n in enumerate(names) if i % HELD_OUT_EVERY]
    parts = os.cpu_count()
    with ProcessPoolExecutor(parts) as pool:
        jobs = []
        for part in range(parts):
            path = os.path.join(out, f"noise-{part}.npy")
            jobs.append(pool.submit(_noise, (path, folder, kept, noise_clips // parts, seed * 1000 + part)))
        jobs.append(pool.submit(_spoken, (os.path.join(out, "held-out-0.npz"), folder, held_out, seed)))
        for copy in range(copies):
            for part in range(parts):
                path = os.path.join(out, f"spoken-{copy * parts + part}.npz")
                jobs.append(pool.submit(_spoken, (path, folder, kept[part::parts], seed * 100 + copy * parts + part)))
        for copy in range(resamplings):
            for part in range(parts):
                path = os.path.join(out, f"resampled-{copy * parts + part}.npz")
                jobs.append(pool.submit(_resampled, (path, folder, kept[part::parts], seed * 10 + copy * parts + part)))
        for job in jobs:
            job.result()
