"""What a person can ask of a separation and of an analysis, checked before any job exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from soundforge_nb.errors import UsageError

FORMATS = ("wav_float32", "wav_int24", "flac", "mp3")
_FORMAT_ALIASES = {"wav": "wav_float32", "float32": "wav_float32", "int24": "wav_int24"}
SUFFIXES = {"wav_float32": "wav", "wav_int24": "wav", "flac": "flac", "mp3": "mp3"}
FEATURES = ("tempo", "key", "energy", "spectral", "mfcc", "chroma")
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Separation:
    """How a track is separated into stems.

    Attributes
    ----------
    model : str
        A name that Demucs knows (``htdemucs``, ``htdemucs_ft``, ``htdemucs_6s``, ``mdx_extra`` …), the
        model that ships with this package (``demo``), or one in `model_folder`.
    model_folder : str or None
        A local folder of models, as Demucs' own ``--repo``.
    device : str or None
        ``auto``, ``cpu``, ``cuda`` or ``mps``; None is the setting `device`.
    shifts : int
        Passes at random small shifts, averaged; each costs a whole pass. 0 is one unshifted pass.
    overlap : float
        Of neighbouring segments, from 0 to below 1.
    segment_seconds : float or None
        Length of a segment; None is the model's own.
    stems : tuple of str or None
        Only these stems are kept; None is all.
    two_stems : str or None
        Keep this stem and the mixture without it (``no_<stem>``).
    format : str
        ``wav_float32``, ``wav_int24``, ``flac`` or ``mp3``.
    """

    model: str = "htdemucs"
    model_folder: str | None = None
    device: str | None = None
    shifts: int = 1
    overlap: float = 0.25
    segment_seconds: float | None = None
    stems: tuple[str, ...] | None = None
    two_stems: str | None = None
    format: str = "wav_float32"

    def __post_init__(self) -> None:
        _check(bool(self.model) and isinstance(self.model, str), "model", self.model, "a model's name")
        _check(self.device is None or self.device in DEVICES, "device", self.device, ", ".join(DEVICES))
        whole = isinstance(self.shifts, int) and 0 <= self.shifts <= 100
        _check(whole, "shifts", self.shifts, "a whole number from 0 to 100")
        _check(_is_number(self.overlap) and 0 <= self.overlap < 1, "overlap", self.overlap, "0 to below 1")
        segment = self.segment_seconds
        usable = segment is None or (_is_number(segment) and 0 < segment < float("inf"))
        _check(usable, "segment_seconds", segment, "a length above 0")
        _check(self.format in FORMATS, "format", self.format, ", ".join(FORMATS))
        _check(
            not (self.stems and self.two_stems), "two_stems", self.two_stems, "stems or two_stems, not both"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Analysis:
    """Which features of a track, or of its stems, are measured."""

    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        wrong = [name for name in self.features if name not in FEATURES]
        _check(not wrong, "analyze", ", ".join(map(str, wrong)), f"of: all, {', '.join(FEATURES)}")
        _check(bool(self.features), "analyze", "nothing", f"of: all, {', '.join(FEATURES)}")

    def as_json(self) -> dict[str, Any]:
        return {"features": list(self.features)}


def read_separation(value: Any) -> Separation | None:
    """From what was given as `separate`: a model's name, a mapping, a `Separation`, or nothing.

    Raises
    ------
    UsageError
        An option is unknown or its value does not fit.

    >>> read_separation({"model": "demo", "format": "wav"}).format
    'wav_float32'
    """
    if value is None or value is False:
        return None
    if value is True:
        return Separation()
    if isinstance(value, Separation):
        return value
    if isinstance(value, str):
        return Separation(model=value)
    if not isinstance(value, Mapping):
        raise UsageError(f"separate is {value!r}.", "Give a model's name, or a mapping of options.")
    known = {field.name for field in fields(Separation)}
    options = dict(value)
    for name in options:
        if name not in known:
            raise UsageError(f"A separation has no option {name!r}.", f"Known: {', '.join(sorted(known))}.")
    if isinstance(options.get("stems"), str):
        options["stems"] = (options["stems"],)
    elif options.get("stems") is not None:
        options["stems"] = tuple(dict.fromkeys(options["stems"]))
    if options.get("model_folder") is not None:
        options["model_folder"] = str(Path(options["model_folder"]).expanduser().absolute())
    if "format" in options:
        options["format"] = _FORMAT_ALIASES.get(options["format"], options["format"])
    return Separation(**options)


def read_analysis(value: Any) -> Analysis | None:
    """From what was given as `analyze`: ``"all"``, a feature, several, an `Analysis`, or nothing.

    Raises
    ------
    UsageError
        A feature is unknown.

    >>> read_analysis(["key", "tempo"]).features
    ('tempo', 'key')
    """
    if value is None or value is False:
        return None
    if isinstance(value, Analysis):
        return value
    if value is True or value == "all":
        return Analysis()
    if isinstance(value, Mapping):
        value = value.get("features", "all")
        return read_analysis(value)
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, Iterable):
        raise UsageError(f"analyze is {value!r}.", f"Give some of: all, {', '.join(FEATURES)}.")
    names = list(value)
    if "all" in names:
        return Analysis()
    unknown = [name for name in names if name not in FEATURES]
    return Analysis(tuple(unknown) + tuple(name for name in FEATURES if name in names))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check(fits: bool, name: str, value: Any, wanted: str) -> None:
    if not fits:
        raise UsageError(f"{name} is {value!r}, which does not fit.", f"Give {wanted}.")
