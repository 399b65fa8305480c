"""A batch as HTML that stands alone: no script, no style sheet, no request, on light and on dark ground.

Text keeps the colour of its surroundings; only bars have colours of their own, and those keep a
contrast of 3:1 on white and on near-black. Where styles or pictures are stripped (an untrusted
notebook, a code host), a plain table with all the numbers is left.
"""

from __future__ import annotations

from html import escape
from typing import Any

from soundforge_nb.dashboards import batch_words as words
from soundforge_nb.dashboards.batch_state import STATUSES

_COLOURS = {"done": "#2e9460", "reused": "#5b989c", "failed": "#dc5048", "running": "#4a86e8"}
_GROUND = "#8888883d"
_QUIET = "opacity:.72"
_CELL = "padding:2px 0 2px 16px;text-align:right;font-variant-numeric:tabular-nums;border:0"
_FIRST = "padding:2px 0;text-align:left;white-space:nowrap;border:0"


def as_html(snapshot: dict[str, Any]) -> str:
    """The state, each step with a bar and its counts, what runs and what failed."""
    return (
        "<div style='max-width:760px;line-height:1.5;overflow-wrap:anywhere'>"
        + _head(snapshot)
        + _bar(_whole(snapshot), 760, 6, f"{snapshot['percent']} percent")
        + _steps(snapshot)
        + _running(snapshot)
        + _failures(snapshot)
        + "</div>"
    )


def _head(snapshot: dict[str, Any]) -> str:
    finished = snapshot["state"] == "finished"
    title = "Finished" if finished else f"{snapshot['percent']} %"
    took = words.elapsed(snapshot)
    note = took if finished else "as it stood when this was shown"
    return (
        f"<p style='margin:0 0 6px'><strong>{title}</strong> · {escape(words.told_inputs(snapshot))}"
        + (f" <span style='{_QUIET}'>· {note}</span>" if note else "")
        + "</p>"
    )


def _whole(snapshot: dict[str, Any]) -> dict[str, float]:
    """The overall bar: ended inputs by their end, and the percent that is done beyond them."""
    inputs, percent = snapshot["inputs"], snapshot["percent"]
    total = inputs["total"] or 1
    done, failed = 100 * inputs["done"] / total, 100 * inputs["failed"] / total
    running = max(0.0, percent - done - failed)
    return {"done": done, "failed": failed, "running": running, "waiting": 100 - done - failed - running}


def _steps(snapshot: dict[str, Any]) -> str:
    if not snapshot["steps"]:
        return ""
    heads = "".join(
        f"<th style='{_CELL};font-weight:normal'>{_key(s)}<span style='{_QUIET}'>{s}</span></th>"
        for s in STATUSES
    )
    rows = "".join(
        f"<tr style='background:none'><td style='{_FIRST}'>{escape(words.step_name(step))}</td>"
        f"<td style='{_CELL}'>{_bar(counts, 150, 8, words.told_counts(counts))}</td>"
        + "".join(f"<td style='{_CELL}{_faint(counts.get(s, 0))}'>{counts.get(s, 0)}</td>" for s in STATUSES)
        + "</tr>"
        for step, counts in snapshot["steps"].items()
    )
    return (
        "<table style='border-collapse:collapse;margin:10px 0 0;border:0;color:inherit'>"
        "<thead><tr style='background:none;border:0'>"
        f"<th style='{_FIRST}'></th><th style='{_CELL}'></th>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _faint(count: int) -> str:
    return "" if count else ";opacity:.5"


def _key(status: str) -> str:
    colour = _COLOURS.get(status, _GROUND)
    return (
        "<svg width='8' height='8' aria-hidden='true' style='margin-right:5px'>"
        f"<rect width='8' height='8' rx='2' fill='{colour}'/></svg>"
    )


def _bar(shares: dict[str, Any], width: int, height: int, label: str) -> str:
    total = sum(shares.values()) or 1
    parts, x = [], 0.0
    for status, colour in _COLOURS.items():
        wide = 100 * shares.get(status, 0) / total
        if wide:
            parts.append(f"<rect x='{x:.2f}%' width='{wide:.2f}%' height='{height}' fill='{colour}'/>")
        x += wide
    style = f"display:block;min-width:{min(width, 110)}px;max-width:{width}px;border-radius:{height / 2:g}px"
    return (
        f"<svg role='img' aria-label='{escape(label)}' width='100%' height='{height}' style='{style}'>"
        f"<rect width='100%' height='{height}' fill='{_GROUND}'/>{''.join(parts)}</svg>"
    )


def _running(snapshot: dict[str, Any]) -> str:
    running = snapshot["running"]
    items = [escape(words.told_running(entry)) for entry in running[: words.SHOWN_RUNNING]]
    return _listed("Running", items, len(running), "")


def _failures(snapshot: dict[str, Any]) -> str:
    failures = snapshot["failures"]
    items = [
        f"<strong>{escape(words.short_name(entry['name']))}</strong>"
        + (
            f" <span style='{_QUIET}'>{escape(words.step_name(entry['step']))}</span>"
            if entry["step"]
            else ""
        )
        + f"<br/>{escape(words.one_line(entry['error']))}"
        for entry in failures[: words.SHOWN_FAILURES]
    ]
    return _listed("Failed", items, len(failures), ", see <code>batch.errors()</code>")


def _listed(title: str, items: list[str], total: int, where: str) -> str:
    if not items:
        return ""
    more = total - len(items)
    rows = "".join(f"<li style='margin:2px 0'>{item}</li>" for item in items)
    rest = f"<p style='margin:2px 0 0;{_QUIET}'>… and {more} more{where}</p>" if more > 0 else ""
    return (
        f"<p style='margin:10px 0 0;{_QUIET}'>{title} ({total})</p>"
        f"<ul style='margin:2px 0 0;padding-left:1.3em'>{rows}</ul>{rest}"
    )
