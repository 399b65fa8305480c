"""Demucs networks small enough for tests: random weights, real architecture."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file

SOURCES = ["drums", "bass", "other", "vocals"]
TRANSFORMER = {
    "sources": SOURCES,
    "channels": 8,
    "growth": 1,
    "nfft": 2048,
    "depth": 4,
    "segment": Fraction(1),
    "t_layers": 1,
    "t_heads": 2,
    "bottom_channels": 16,
    "dconv_depth": 1,
}
#: Here the window must shrink to nothing over the layers: 4 ** depth.
HYBRID = {"sources": SOURCES, "channels": 8, "nfft": 256, "depth": 4, "segment": 1, "dconv_depth": 1}
WAVEFORM = {"sources": SOURCES, "channels": 8, "depth": 3, "segment": 1, "lstm_layers": 0}
#: htdemucs, as published.
FULL_SIZE = {"sources": SOURCES, "bottom_channels": 512, "t_layers": 5, "segment": Fraction(39, 5)}


def network(kind: type = HTDemucs, seed: int = 0, **changed: Any) -> tuple[Any, dict[str, Any]]:
    """A network in evaluation mode, and the arguments it was made with."""
    torch.manual_seed(seed)
    base = {HTDemucs: TRANSFORMER, HDemucs: HYBRID, Demucs: WAVEFORM}[kind]
    kwargs = {**base, **changed}
    return kind(**kwargs).eval(), kwargs


def save_pickle(folder: Path, name: str, kind: type = HTDemucs, seed: int = 0, **changed: Any) -> Path:
    """A ``.th`` file as Demucs saves it."""
    made, kwargs = network(kind, seed, **changed)
    file = folder / f"{name}.th"
    torch.save({"klass": kind, "args": (), "kwargs": kwargs, "state": made.state_dict()}, file)
    return file


def save_safetensors(folder: Path, name: str, seed: int = 0, **changed: Any) -> Path:
    """A ``.safetensors`` file as Demucs exports it."""
    made, kwargs = network(HTDemucs, seed, **changed)
    encoded = {
        key: {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
        if isinstance(value, Fraction)
        else value
        for key, value in kwargs.items()
    }
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(encoded)}
    file = folder / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in made.state_dict().items()}, file, metadata)
    return file
