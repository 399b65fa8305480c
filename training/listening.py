"""What an ear would notice, as numbers: `python -m training.listening` on frozen songs with the model.

Bleed: how loud each other stem still is in an estimate, against its own true level there (least squares on
the true stems, in dB). Dullness: energy above 8 kHz against the truth's. Clicks: the jump of the error signal
at segment borders against its jumps elsewhere (1 is no click).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from demucs.hf import load_safetensors_model
from scipy import signal

from training.effects import RATE, Audio
from training.evaluate import OVERLAP, separate, songs_of
from training.export import MODEL
from training.mixing import STEMS
from training.render import WORK


def bleed(stems: Audio, estimate: Audio) -> np.ndarray:
    """Amplitude (4 estimates, 4 true stems) with which each true stem is heard in each estimate."""
    flat = stems.reshape(4, -1).astype(np.float64)
    gram = flat @ flat.T + 1e-6 * np.eye(4)
    return np.asarray(np.linalg.solve(gram, flat @ estimate.reshape(4, -1).T.astype(np.float64)).T)


def above(audio: Audio, hz: float) -> float:
    """Energy above a frequency."""
    high = signal.sosfilt(signal.butter(6, hz, "high", fs=RATE, output="sos"), audio)
    return float(np.sum(high**2))


def click_ratio(error: Audio, segment_samples: int) -> float:
    """Largest jumps at segment borders over the jumps elsewhere."""
    jumps = np.abs(np.diff(error, n=2, axis=-1)).max(tuple(range(error.ndim - 1)))
    stride = int((1 - OVERLAP) * segment_samples)
    borders = [
        b for k in range(1, jumps.size // stride) for b in (k * stride, k * stride + segment_samples - stride)
    ]
    near = np.array([jumps[max(0, b - 3) : b + 3].max() for b in borders if b + 3 < jumps.size])
    rng = np.random.default_rng(0)
    elsewhere = np.array([jumps[b : b + 6].max() for b in rng.integers(0, jumps.size - 6, 2000)])
    return float(near.mean() / (elsewhere.mean() + 1e-12))


def main(arguments: list[str] | None = None) -> None:
    """Print the averages over the songs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--songs", type=int, default=8)
    options = parser.parse_args(arguments)
    torch.set_num_threads(2)
    model = load_safetensors_model(MODEL).eval()
    leaks, dull, clicks = [], [], []
    for path in songs_of(options.work, "test", options.songs):
        stems = np.load(path).astype(np.float32) / 32767
        estimate = separate(model, stems.sum(0))
        sounding = np.abs(stems).max((1, 2)) > 1e-3
        leaks.append(np.where(sounding[None], np.abs(bleed(stems, estimate)), np.nan))
        dull.append(
            [
                above(e, 8000) / above(t, 8000) if s else np.nan
                for s, t, e in zip(sounding, stems, estimate, strict=True)
            ]
        )
        clicks.append(click_ratio(estimate - stems, int(model.segment * RATE)))
    print("bleed in dB: rows are estimates, columns true stems", ", ".join(STEMS))
    for name, row in zip(STEMS, 20 * np.log10(np.nanmean(leaks, axis=0) + 1e-6), strict=True):
        print(f"  {name:7s}", " ".join(f"{value:6.1f}" for value in row))
    ratios = 10 * np.log10(np.nanmedian(dull, axis=0) + 1e-9)
    print("above 8 kHz, dB against the truth:", dict(zip(STEMS, ratios.round(1).tolist(), strict=True)))
    print("clicks at segment borders, ratio:", round(float(np.mean(clicks)), 2))


if __name__ == "__main__":
    main()
