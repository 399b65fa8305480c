"""Pictures of a track that stand alone in a saved notebook; matplotlib loads when one is drawn."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_INK, _BEAT = "#2f5d8a", "#d1495b"
STEM_COLOURS = {"drums": "#c8553d", "bass": "#6a4c93", "other": "#588b8b", "vocals": "#e09f3e"}
_OTHER_COLOURS = ("#4f7cac", "#7a9e7e", "#b56576", "#8d99ae")


def track_figure(
    title: str,
    analysis: Mapping[str, Any] | None,
    stems: Sequence[Mapping[str, Any]] = (),
) -> Figure:
    """A track in one figure: waveform with beats, loudness, chroma, and its stems.

    Parameters
    ----------
    title : str
    analysis : mapping, optional
        As `Forge.analysis` gives it; panels without their feature are left out.
    stems : sequence of mapping
        Each with `stem`, `rms` and `envelope` (``times_seconds``, and ``values`` of lowest and highest).

    Returns
    -------
    matplotlib.figure.Figure
        Not tied to pyplot: show it by returning it from a cell, save it by ``savefig``.
    """
    curves: Mapping[str, Any] = analysis["curves"] if analysis else {}
    panels = [name for name in ("waveform", "rms", "chroma") if name in curves]
    heights = [{"waveform": 2.0, "rms": 1.1, "chroma": 2.2}[name] for name in panels]
    heights += [1.0] * len(stems)
    figure = _figure_class()(figsize=(10, 0.9 + 0.85 * sum(heights)), layout="constrained", facecolor="white")
    if not heights:
        figure.text(0.5, 0.5, "Nothing is known of this track yet.", ha="center", va="center")
        return figure
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    drawers = {"waveform": _draw_waveform, "rms": _draw_loudness, "chroma": _draw_chroma}
    for axis, name in zip(axes, panels, strict=False):
        drawers[name](axis, analysis)
    for number, (axis, stem) in enumerate(zip(axes[len(panels) :], stems, strict=True)):
        _draw_stem(axis, stem, _OTHER_COLOURS[number % len(_OTHER_COLOURS)])
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("time (s)")
    # A title is a stranger's text: a dollar sign must not begin a formula.
    figure.suptitle(_headline(title, analysis), parse_math=False, fontsize=12)
    return figure


@cache
def _figure_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class TrackFigure(Figure):
        """A figure that a notebook shows as a picture, without pyplot and whatever backend is set."""

        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=80)
            return stream.getvalue()

    return TrackFigure


def _headline(title: str, analysis: Mapping[str, Any] | None) -> str:
    parts = [title]
    if analysis and analysis.get("tempo"):
        parts.append(f"{analysis['tempo']:.1f} BPM")
    if analysis and analysis.get("key"):
        parts.append(str(analysis["key"]))
    return "  ·  ".join(parts)


def _draw_waveform(axis: Axes, analysis: Any) -> None:
    curve = analysis["curves"]["waveform"]
    _fill_envelope(axis, curve, _INK)
    beats = (analysis["analysis"].get("tempo") or {}).get("beats_seconds") or []
    axis.vlines(beats, -1, 1, transform=axis.get_xaxis_transform(), color=_BEAT, lw=0.6, alpha=0.55)
    label = "waveform\nand beats" if beats else "waveform"
    axis.set_ylabel(label)


def _draw_loudness(axis: Axes, analysis: Any) -> None:
    curve = analysis["curves"]["rms"]
    decibels = 20 * np.log10(np.maximum(np.asarray(curve["values"], dtype=float), 1e-4))
    axis.plot(curve["times_seconds"], decibels, color=_INK, lw=0.9)
    axis.set_ylabel("RMS (dB)")


def _draw_chroma(axis: Axes, analysis: Any) -> None:
    curve = analysis["curves"]["chroma"]
    times, values = curve["times_seconds"], np.asarray(curve["values"], dtype=float)
    if len(times) > 1:
        axis.pcolormesh(times, np.arange(12), values, cmap="magma", shading="nearest", rasterized=True)
    axis.set_yticks(range(0, 12, 2), _PITCH_CLASSES[::2])
    axis.set_ylabel("chroma")


def _draw_stem(axis: Axes, stem: Mapping[str, Any], fallback: str) -> None:
    _fill_envelope(axis, stem["envelope"], STEM_COLOURS.get(stem["stem"], fallback))
    axis.set_ylabel(stem["stem"], rotation=0, ha="right", va="center", parse_math=False)


def _fill_envelope(axis: Axes, curve: Mapping[str, Any], colour: str) -> None:
    low, high = curve["values"]
    axis.fill_between(curve["times_seconds"], low, high, color=colour, lw=0)
    reach = max(1e-3, *(abs(value) for value in (*low, *high))) if low else 1.0
    axis.set_ylim(-reach, reach)
    axis.set_yticks([])
    axis.margins(x=0)
