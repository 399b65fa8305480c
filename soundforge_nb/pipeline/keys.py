"""The keys of stems and analyses: what was asked of which bytes, and what made it."""

from __future__ import annotations

import hashlib
import json
import uuid
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from soundforge_nb.pipeline.options import Analysis, Separation

#: Raise these when a program's results change, so that what an older version made is not taken for them.
SEPARATION_VERSION = 1
ANALYSIS_VERSION = 1


def digest(*parts: Any) -> str:
    """A hash over JSON values, in order.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def row_id(*parts: Any) -> str:
    """An identifier (UUID version 8) that says what a row is: made twice, it is the same row.

    >>> row_id("stem", "vocals") == row_id("stem", "vocals"), uuid.UUID(row_id("stem")).version
    (True, 8)
    """
    value = int(digest(*parts)[:32], 16)
    value = value & ~(0xF << 76) | 8 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def separation_request_key(byte_hash: str, separation: Separation) -> str:
    """What is known before the model is loaded: its name stands for its weights.

    Demucs' names are bound to their weights by checksum; the model that ships with this package by its
    card, and a folder of the person's own by the names, sizes and times of its files.
    """
    options = _asked(separation)
    return digest("separate", SEPARATION_VERSION, byte_hash, options, _weights_mark(separation))


def separation_content_key(byte_hash: str, separation: Separation, model_sha256: str) -> str:
    """What the stems are: the bytes, the weights and the parameters that made them."""
    options = _asked(separation)
    for name in ("model", "model_folder"):
        options.pop(name)
    return digest("separate", SEPARATION_VERSION, byte_hash, options, model_sha256)


def _asked(separation: Separation) -> dict[str, Any]:
    """The options that stems depend on: not where they are computed, nor in which order they are named."""
    options = separation.as_json()
    options.pop("device")
    if separation.stems:
        options["stems"] = sorted(separation.stems)
    return options


def analysis_request_key(byte_hash: str, analysis: Analysis, source: str = "mixture") -> str:
    """The bytes, the features and the program that measures them."""
    return digest("analyze", ANALYSIS_VERSION, byte_hash, list(analysis.features), source)


def _weights_mark(separation: Separation) -> Any:
    if separation.model_folder is not None:
        return _folder_mark(Path(separation.model_folder))
    return _demo_sha256() if separation.model == "demo" else separation.model


def _folder_mark(folder: Path) -> list[list[Any]]:
    if not folder.is_dir():
        return []
    return [
        [entry.name, entry.stat().st_size, entry.stat().st_mtime_ns]
        for entry in sorted(folder.iterdir())
        if entry.is_file()
    ]


@cache
def _demo_sha256() -> str:
    card = resources.files("soundforge_nb").joinpath("audio", "models", "demo.json")
    return str(json.loads(card.read_text(encoding="utf-8"))["sha256"])
