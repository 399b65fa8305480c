"""Pieces of HTML that stand alone: no script, no style sheet, no request, on light and on dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

COLOURS = {"done": "#2e9460", "failed": "#dc5048", "running": "#4a86e8"}
GROUND = "#8888883d"
QUIET = "opacity:.72"
CELL = "padding:2px 0 2px 16px;text-align:right;font-variant-numeric:tabular-nums;border:0"
FIRST = "padding:2px 0;text-align:left;white-space:nowrap;border:0"
_PICTURE = "display:block;overflow:visible"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are markup already, heads are text."""
    told = "".join(
        f"<th style='{CELL if position else FIRST};font-weight:normal'>"
        f"<span style='{QUIET}'>{escape(head)}</span></th>"
        for position, head in enumerate(heads)
    )
    lines = "".join(
        "<tr style='background:none'>"
        + "".join(
            f"<td style='{CELL if position else FIRST}'>{cell}</td>" for position, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        "<table style='border-collapse:collapse;margin:8px 0 0;border:0;color:inherit'>"
        f"<thead><tr style='background:none;border:0'>{told}</tr></thead><tbody>{lines}</tbody></table>"
    )


def bar(share: float, label: str, width: int = 120) -> str:
    """How much of a whole, between 0 and 1."""
    filled = 100 * min(1.0, max(0.0, share))
    return (
        f"<svg role='img' aria-label='{escape(label)}' width='{width}' height='8' "
        f"style='{_PICTURE};border-radius:4px'><rect width='100%' height='8' rx='4' fill='{GROUND}'/>"
        f"<rect width='{filled:.1f}%' height='8' rx='4' fill='{COLOURS['running']}'/></svg>"
    )


def spark(values: Sequence[float], label: str, width: int = 140, height: int = 22) -> str:
    """A small curve from 0 to the largest value."""
    if len(values) < 2:
        return ""
    top = max(*values, 1e-12)
    step = width / (len(values) - 1)
    points = " ".join(
        f"{position * step:.1f},{height - 1 - (height - 2) * value / top:.1f}"
        for position, value in enumerate(values)
    )
    return (
        f"<svg role='img' aria-label='{escape(label)}' width='{width}' height='{height}' "
        f"style='{_PICTURE}'><polyline points='{points}' fill='none' stroke='{COLOURS['running']}' "
        "stroke-width='1.5'/></svg>"
    )


def listed(title: str, items: Sequence[str], more: int, where: str = "") -> str:
    """A titled list, and how many it leaves out; empty for nothing."""
    if not items:
        return ""
    lines = "".join(f"<li style='margin:2px 0'>{item}</li>" for item in items)
    rest = f"<p style='margin:2px 0 0;{QUIET}'>… and {more:,} more{where}</p>" if more > 0 else ""
    return (
        f"<p style='margin:10px 0 0;{QUIET}'>{escape(title)}</p>"
        f"<ul style='margin:2px 0 0;padding-left:1.3em'>{lines}</ul>{rest}"
    )


def framed(*parts: str) -> str:
    return f"<div style='max-width:860px;line-height:1.5;overflow-wrap:anywhere'>{''.join(parts)}</div>"
