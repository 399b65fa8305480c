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
_KNOWN_FEATURES = f"some of: all, {', '.join(FEATURES)}"
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
        _check(isinstance(self.model, str) and bool(self.model), "model", self.model, "a model's name")
        folder = _folder(self.model_folder)
        _check(self.device is None or self.device in DEVICES, "device", self.device, ", ".join(DEVICES))
        whole = isinstance(self.shifts, int) and not isinstance(self.shifts, bool) and 0 <= self.shifts <= 100
        _check(whole, "shifts", self.shifts, "a whole number from 0 to 100")
        _check(_is_number(self.overlap) and 0 <= self.overlap < 1, "overlap", self.overlap, "0 to below 1")
        segment = self.segment_seconds
        usable = segment is None or (_is_number(segment) and 0 < segment < float("inf"))
        _check(usable, "segment_seconds", segment, "a length above 0")
        stems = _stems(self.stems)
        two = self.two_stems
        _check(two is None or (isinstance(two, str) and bool(two)), "two_stems", two, "a stem's name")
        _check(not (stems and two), "two_stems", two, "stems or two_stems, not both")
        _check(isinstance(self.format, str), "format", self.format, ", ".join(FORMATS))
        name = _FORMAT_ALIASES.get(self.format, self.format)
        _check(name in FORMATS, "format", self.format, ", ".join(FORMATS))
        # The same wish is the same value, however it was written: keys are made of it.
        changes = {
            "model_folder": folder,
            "overlap": float(self.overlap),
            "segment_seconds": None if segment is None else float(segment),
            "stems": stems,
            "format": name,
        }
        for field, value in changes.items():
            object.__setattr__(self, field, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Analysis:
    """Which features of a track, or of its stems, are measured."""

    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        given: Any = self.features
        given = (given,) if isinstance(given, str) else given
        _check(isinstance(given, Iterable), "analyze", given, _KNOWN_FEATURES)
        names = list(given)
        wrong = [name for name in names if name not in FEATURES]
        _check(not wrong, "analyze", ", ".join(map(str, wrong)), _KNOWN_FEATURES)
        _check(bool(names), "analyze", "nothing", _KNOWN_FEATURES)
        object.__setattr__(self, "features", tuple(name for name in FEATURES if name in names))

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
    for name in value:
        if name not in known:
            raise UsageError(f"A separation has no option {name!r}.", f"Known: {', '.join(sorted(known))}.")
    return Separation(**value)


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
        for name in value:
            if name != "features":
                raise UsageError(f"An analysis has no option {name!r}.", "Known: features.")
        return read_analysis(value.get("features", "all"))
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, Iterable):
        raise UsageError(f"analyze is {value!r}.", f"Give {_KNOWN_FEATURES}.")
    names = list(value)
    if "all" in names:
        names = [*FEATURES, *(name for name in names if name != "all")]
    return Analysis(tuple(names))


def _folder(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return str(Path(value).expanduser().absolute())
    except (TypeError, RuntimeError):
        raise UsageError(
            f"model_folder is {value!r}, which does not fit.", "Give the path of a folder of models."
        ) from None


def _stems(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = [value] if isinstance(value, str) else value
    fits = isinstance(names, (list, tuple, set, frozenset)) and all(
        isinstance(name, str) and name for name in names
    )
    _check(fits and bool(names), "stems", value, "the names of the stems to keep")
    return tuple(dict.fromkeys(names))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check(fits: bool, name: str, value: Any, wanted: str) -> None:
    if not fits:
        raise UsageError(f"{name} is {value!r}, which does not fit.", f"Give {wanted}.")
