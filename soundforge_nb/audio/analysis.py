"""The analysis of a song: one decoding, one short-time and one constant-Q transform, in blocks.

Memory does not grow with the length but for the frames' features: a two-hour file takes a few hundred MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from soundforge_nb.audio import harmony, spectra, summary
from soundforge_nb.audio.curves import Envelope, curve
from soundforge_nb.audio.decode import AudioFile, open_audio
from soundforge_nb.audio.harmony import ChromaBuilder
from soundforge_nb.audio.key import Key, find_key
from soundforge_nb.audio.resample import mono, regrouped, resampled
from soundforge_nb.audio.spectra import Spectra, SpectraBuilder
from soundforge_nb.audio.tempo import Tempo, find_tempo, onset_strength
from soundforge_nb.errors import UsageError

#: Raised whenever the same file would give other numbers.
ANALYSIS_VERSION = 1
FEATURES = ("tempo", "key", "energy", "spectral", "mfcc", "chroma")

BLOCK_SECONDS = 30
Report = Callable[[int, str], None]


@dataclass(frozen=True)
class Heard:
    """What one pass over the file left; parts that no wanted feature needs are None."""

    spectra: Spectra
    chroma: harmony.Chroma | None
    tuning: float
    envelope: Envelope


def wanted_features(names: Iterable[str]) -> tuple[str, ...]:
    """Feature names in their fixed order; "all" stands for each.

    Raises
    ------
    UsageError
        A name is none of `FEATURES`.
    """
    asked = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in asked if name not in (*FEATURES, "all")]
    if unknown or not asked:
        raise UsageError(
            f"There is no feature named {unknown[0]}." if unknown else "No feature was asked for.",
            f"Choose from {', '.join(FEATURES)}, or all.",
        )
    return FEATURES if "all" in asked else tuple(name for name in FEATURES if name in asked)


def analyze(
    path: str,
    features: Iterable[str] = ("all",),
    *,
    expected: dict[str, int] | None = None,
    report: Report = lambda percent, message: None,
) -> dict[str, Any]:
    """Measure a song.

    Parameters
    ----------
    path : str
        A sound file of any known format.
    features : iterable of str
        From `FEATURES`, or "all".
    expected : dict, optional
        ``size_bytes`` and ``mtime_ns`` the file must have.
    report : callable
        ``report(percent, message)``.

    Returns
    -------
    dict
        ``columns``, ``features``, ``curves``, ``audio``, ``code_version``: plain JSON without NaN. What was
        not asked for, or is not there (the tempo of silence), is None or missing.

    Raises
    ------
    InputError
        The file can't be used.
    """
    wanted = wanted_features(features)
    with open_audio(path, expected) as file:
        heard = listen(file, wanted, lambda share: report(round(5 + 75 * share), "Listening"))
    report(82, "Finding features")
    measured, curves = _measure(heard, wanted, report)
    report(97, "Writing it down")
    return {
        "columns": _columns(measured),
        "features": measured,
        "curves": curves,
        "audio": file.as_json(),
        "code_version": ANALYSIS_VERSION,
    }


def listen(file: AudioFile, wanted: Iterable[str], progress: Callable[[float], None]) -> Heard:
    """Pass once over a file, in blocks."""
    wanted = set(wanted)
    rate = spectra.SAMPLE_RATE_HZ
    frames = SpectraBuilder(shape="spectral" in wanted)
    chroma = ChromaBuilder() if wanted & {"key", "chroma"} else None
    envelope = Envelope()
    expected = file.format.expected_seconds
    blocks = resampled(mono(file.blocks()), file.format.sample_rate_hz, rate, 1)
    for block in regrouped(blocks, BLOCK_SECONDS * rate):
        y = block[:, 0]
        frames.push(y)
        envelope.push(y)
        if chroma is not None:
            chroma.push(y)
        if expected:
            progress(min(1.0, file.duration_seconds / expected))
    folded, tuning = chroma.finish() if chroma is not None else (None, 0.0)
    return Heard(frames.finish(), folded, tuning, envelope)


def _measure(heard: Heard, wanted: tuple[str, ...], report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    frames = heard.spectra
    frame_seconds = 1 / spectra.FRAMES_PER_SECOND
    silent = bool(frames.rms.max() <= summary.SILENT_RMS)
    measured: dict[str, Any] = {}
    curves: dict[str, Any] = {"waveform": heard.envelope.as_json(spectra.SAMPLE_RATE_HZ)}
    mel_db = frames.mel_db() if {"tempo", "mfcc"} & set(wanted) else frames.mel
    if "tempo" in wanted:
        strength = onset_strength(mel_db)
        report(88, "Finding the tempo")
        tempo = None if silent else find_tempo(mel_db)
        measured["tempo"] = _tempo_json(tempo)
        curves["onset_strength"] = curve(strength, frame_seconds, np.max)
    if heard.chroma is not None:
        chroma_seconds = harmony.HOP_LENGTH / spectra.SAMPLE_RATE_HZ
        if "key" in wanted:
            key = None if silent else find_key(heard.chroma.mean(axis=1, dtype=np.float64))
            measured["key"] = _key_json(key, heard.tuning)
        if "chroma" in wanted:
            normal = _normalised(heard.chroma)
            measured["chroma"] = {"mean": summary.numbers(normal.mean(axis=1))}
            curves["chroma"] = curve(normal, chroma_seconds)
    if "energy" in wanted:
        measured["energy"] = summary.energy_summary(frames)
        curves["rms"] = curve(frames.rms, frame_seconds)
    if "spectral" in wanted:
        measured["spectral"] = summary.spectral_summary(frames)
        curves["spectral_centroid"] = curve(frames.centroid, frame_seconds)
    if "mfcc" in wanted:
        measured["mfcc"] = summary.mfcc_summary(mel_db)
    return {name: measured[name] for name in wanted}, curves


def _tempo_json(tempo: Tempo | None) -> dict[str, Any]:
    return tempo.as_json() if tempo else {"bpm": None, "beats_seconds": [], "confidence": 0.0}


def _key_json(key: Key | None, tuning: float) -> dict[str, Any]:
    absent = {"tonic": None, "mode": None, "confidence": 0.0, "runner_up": None, "correlation": None}
    return (key.as_json() if key else absent) | {"tuning_semitones": tuning if key else None}


def _normalised(chroma: harmony.Chroma) -> harmony.Chroma:
    top = chroma.max(axis=0, keepdims=True)
    return np.where(top > 1e-6, chroma / np.maximum(top, 1e-6), 0.0).astype(np.float32)


def _columns(measured: dict[str, Any]) -> dict[str, Any]:
    """The values that SQL asks for most, None where they were not asked for or are not there."""
    key = measured.get("key", {})
    energy = measured.get("energy", {})
    spectral = measured.get("spectral", {})
    return {
        "tempo": measured.get("tempo", {}).get("bpm"),
        "key": f"{key['tonic']} {key['mode']}" if key.get("tonic") else None,
        "energy": energy.get("rms_mean"),
        "spectral_centroid": spectral.get("centroid", {}).get("mean"),
        "spectral_rolloff": spectral.get("rolloff", {}).get("mean"),
        "zero_crossing_rate": energy.get("zero_crossing_rate"),
    }
