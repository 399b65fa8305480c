"""The recipe: the model's shape and how it is trained, in one place that the model card quotes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from demucs.htdemucs import HTDemucs
from torch import Tensor, nn
from torch.nn import functional

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
    ema: float = 0.99
    consistency: float = 0.1
    seed: int = 1
    split: str = "train"
    low_band_fraction: float = 0.9
    low_band_bins: int = 1024


class LowBandHTDemucs(HTDemucs):  # type: ignore[misc]
    """The same network, whose spectral branch can look at the lowest bins alone while it trains.

    Above 11 kHz lies half of the work and hardly any energy. The network is convolutional over frequency,
    so it may learn from the lower half first (0.62 of the time per step) and see all of it at the end.
    Two hooks scale by the statistics of the whole spectrum, so that the change does not upset it.
    """

    bins = 2048

    def __init__(self, **arguments: object) -> None:
        super().__init__(**arguments)
        self.encoder[0].register_forward_pre_hook(self._to_whole)
        self.decoder[-1].register_forward_hook(self._from_whole)

    def _spec(self, x: Tensor) -> Tensor:
        z = super()._spec(x)
        magnitude, low = z.abs(), z[..., : self.bins, :].abs()
        stats = [f(m, dim=(1, 2, 3), keepdim=True) for m in (magnitude, low) for f in (torch.mean, torch.std)]
        self._mean, self._std, self._low_mean, self._low_std = stats
        return z[..., : self.bins, :]

    def _ispec(self, z: Tensor, length: int | None = None, scale: int = 0) -> Tensor:
        return super()._ispec(functional.pad(z, (0, 0, 0, self.nfft // 2 - self.bins)), length, scale)

    def _to_whole(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        magnitude = inputs[0] * (self._low_std + 1e-5) + self._low_mean
        return ((magnitude - self._mean) / (self._std + 1e-5), *inputs[1:])

    def _from_whole(self, _: nn.Module, __: object, output: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return (output[0] * self._std + self._mean - self._low_mean) / self._low_std.clamp_min(1e-8), output[
            1
        ]


def model_arguments(recipe: Recipe) -> dict[str, object]:
    """Keyword arguments of `demucs.htdemucs.HTDemucs`; what is absent keeps demucs' default.

    `cac=False` with iterations of −1 means: the spectral branch gives magnitudes and borrows the mixture's
    phase, which such a small model learns far sooner than complex spectra; the wave branch adds the phase.
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


def build_for_training(recipe: Recipe) -> LowBandHTDemucs:
    """The same model, with the same names of weights, for training."""
    return LowBandHTDemucs(**model_arguments(recipe))
