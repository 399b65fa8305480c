"""What a separation was asked for, checked before anything heavy starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from soundforge_nb.audio.stem_writer import FORMATS, StemFormat, stem_format
from soundforge_nb.errors import UsageError

_DEVICES = ("auto", "cpu", "cuda", "mps")
_METHODS = ("minus", "add")


@dataclass(frozen=True)
class SeparationOptions:
    """How to separate.

    Attributes
    ----------
    model : str
        See `soundforge_nb.audio.model_registry`.
    model_folder : str, optional
        A folder of models, looked into first.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".
    shifts : int
        Over how many random shifts the stems are averaged; 0 for none.
    overlap : float
        Of two segments, as a share, 0 … below 1.
    segment_seconds : float, optional
        Instead of the model's own.
    stems : tuple of str, optional
        Only these; else all.
    two_stems : str, optional
        This stem, and one named ``no_<stem>`` with everything else.
    two_stems_method : str
        "minus": the mixture without the stem; "add": the sum of the other stems.
    seed : int, optional
        For the shifts; without one they differ from run to run.
    """

    model: str = "htdemucs"
    model_folder: str | None = None
    device: str = "auto"
    shifts: int = 1
    overlap: float = 0.25
    segment_seconds: float | None = None
    stems: tuple[str, ...] | None = None
    two_stems: str | None = None
    two_stems_method: str = "minus"
    format: StemFormat = FORMATS["wav_float32"]
    seed: int | None = None

    def __post_init__(self) -> None:
        base, _, number = self.device.partition(":")
        _require(
            base in _DEVICES and (not number or number.isdecimal()),
            "device",
            self.device,
            "auto, cpu, cuda or mps",
        )
        _require(0 <= self.shifts <= 100, "shifts", self.shifts, "a whole number from 0 to 100")
        _require(0 <= self.overlap < 1, "overlap", self.overlap, "a share from 0 to below 1, such as 0.25")
        _require(
            self.segment_seconds is None or 0.5 <= self.segment_seconds <= 600,
            "segment_seconds",
            self.segment_seconds,
            "seconds from 0.5 to 600",
        )
        _require(self.two_stems_method in _METHODS, "two_stems_method", self.two_stems_method, "minus or add")
        if self.stems is not None and self.two_stems is not None:
            raise UsageError("Both stems and two_stems are given.", "Give one of them.")

    @classmethod
    def from_json(cls, request: dict[str, Any]) -> SeparationOptions:
        """Read the options of a request; what is missing or null takes its default.

        Raises
        ------
        UsageError
            A value is of the wrong type or out of its range.
        """
        values: dict[str, Any] = {}
        for name, kinds in _TYPES.items():
            value = request.get(name)
            if value is None:
                continue
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise UsageError(f"The option {name} is {value!r}, which is of the wrong type.")
            values[name] = value
        if "stems" in values:
            values["stems"] = tuple(str(stem) for stem in values["stems"])
        if "format" in values:
            values["format"] = stem_format(values["format"])
        return cls(**values)

    def check_sources(self, sources: list[str]) -> None:
        """UsageError where a stem was asked for that the model does not give."""
        asked = [self.two_stems] if self.two_stems else list(sources if self.stems is None else self.stems)
        missing = [stem for stem in asked if stem not in sources]
        if missing or not asked:
            what = f"no stem {missing[0]!r}" if missing else "stems, but none was asked for"
            raise UsageError(f"The model {self.model} has {what}.", f"It has {', '.join(sources)}.")


_TYPES: dict[str, Any] = {
    "model": str,
    "model_folder": str,
    "device": str,
    "shifts": int,
    "overlap": (int, float),
    "segment_seconds": (int, float),
    "stems": (list, tuple),
    "two_stems": str,
    "two_stems_method": str,
    "format": str,
    "seed": int,
}


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise UsageError(f"The option {name} is {value!r}.", f"Give {wanted}.")
