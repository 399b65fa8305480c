"""The recipe: the model's shape and how it is trained, in one place that the model card quotes."""

from __future__ import annotations

from dataclasses import dataclass

from demucs.htdemucs import HTDemucs

from training.mixing import STEMS


@dataclass(frozen=True)
class Recipe:
    """All numbers of a training run."""

    channels: int = 20
    t_layers: int = 2
    segment_seconds: float = 2.0
    batch: int = 2
    learning_rate: float = 1.5e-3
    warmup_steps: int = 50
    decay_fraction: float = 0.4
    clip: float = 1.0
    ema: float = 0.998
    consistency: float = 0.1
    seed: int = 1


def model_arguments(recipe: Recipe) -> dict[str, object]:
    """Keyword arguments of `demucs.htdemucs.HTDemucs`; what is absent keeps demucs' default.

    `cac=False` with iterations of −1 means: the spectral branch gives magnitudes and borrows the mixture's phase,
    which such a small model learns far sooner than complex spectra; the wave branch adds what phase needs.
    """
    return {
        "sources": list(STEMS),
        "channels": recipe.channels,
        "depth": 4,
        "growth": 2,
        "nfft": 4096,
        "cac": False,
        "wiener_iters": -1,
        "end_iters": -1,
        "t_layers": recipe.t_layers,
        "t_heads": 4,
        "t_hidden_scale": 2.0,
        "samplerate": 44100,
        "segment": recipe.segment_seconds,
    }


def build(recipe: Recipe) -> HTDemucs:
    """An untrained model."""
    return HTDemucs(**model_arguments(recipe))
