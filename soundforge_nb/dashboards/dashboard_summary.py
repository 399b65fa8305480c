"""The dashboard in words and in HTML that stand alone, for wherever no live view can be."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from soundforge_nb.dashboards import dashboard_words as words
from soundforge_nb.dashboards import markup
from soundforge_nb.dashboards.batch_words import one_line

State = Mapping[str, Any]


def as_text(state: State, failures: Mapping[str, Any]) -> str:
    """A few lines: the queues, what runs, what failed last."""
    lines = [words.headline(state)]
    if not any(state["states"].values()):
        lines.append(words.EMPTY)
    lines += [f"  {words.told_queue(queue)}" for queue in state["queues"]]
    lines += [f"  {words.told_running(row)}" for row in state["running"][: words.SHOWN_RUNNING]]
    for row in failures["rows"][: words.SHOWN_FAILURES]:
        name, why = words.told_failure(row)
        lines.append(f"  failed: {name}: {why}")
    lines += [
        f"  {child['name']} is {child['state']}: {one_line(child['last_reason'])}"
        for child in state["children"]
        if child["state"] != "running"
    ]
    return "\n".join(lines)


def as_html(state: State, failures: Mapping[str, Any]) -> str:
    """The same with bars and curves."""
    return markup.framed(
        f"<p style='margin:0 0 6px'><strong>{escape(words.headline(state))}</strong> "
        f"<span style='{markup.QUIET}'>· as it stood when this was shown</span></p>",
        "" if any(state["states"].values()) else f"<p style='margin:0'>{escape(words.EMPTY)}</p>",
        _queues(state),
        _running(state),
        _failures(failures),
        _troubled(state),
    )


def metrics_text(history: Mapping[str, Any]) -> str:
    """Each metric that has a value, with its last one."""
    lines = [
        "  "
        + words.curve_name(metric["name"], curve["label"])
        + ": "
        + words.told_value(curve["points"][-1][1], metric["unit"])
        for metric in history["metrics"]
        for curve in metric["curves"]
        if curve["points"]
    ]
    return "\n".join(
        ["Metrics, each with its last value", *lines] if lines else ["Nothing was measured yet."]
    )


def metrics_html(history: Mapping[str, Any]) -> str:
    """Each metric with its last value and its curve."""
    rows = [
        [
            escape(metric["name"])
            + (f" <span style='{markup.QUIET}'>{escape(curve['label'])}</span>" if curve["label"] else ""),
            markup.spark([point[1] for point in curve["points"]], f"{metric['name']} over the last hour"),
            escape(words.told_value(curve["points"][-1][1], metric["unit"])),
        ]
        for metric in history["metrics"]
        for curve in metric["curves"]
        if curve["points"]
    ]
    if not rows:
        return markup.framed("<p style='margin:0'>Nothing was measured yet. Look again in ten seconds.</p>")
    return markup.framed(markup.table(["Metric", "", "last"], rows))


def unreachable(sentence: str) -> dict[str, str]:
    """What is shown where the application can't be asked."""
    told = f"The application can't be asked. {sentence}"
    return {"text/plain": told, "text/html": markup.framed(f"<p style='margin:0'>{escape(told)}</p>")}


def _queues(state: State) -> str:
    rows = [
        [
            escape(queue["queue"]) + (" <em>paused</em>" if queue["paused"] else ""),
            markup.bar(queue["running"] / max(1, queue["slots"]), words.told_queue(queue)),
            f"{queue['running']} of {queue['slots']}",
            f"{queue['waiting']:,}",
            f"{queue['scheduled']:,}",
            f"{queue['retryable']:,}",
            markup.spark(queue["ended"], f"jobs of {queue['queue']} that ended in the last five minutes"),
        ]
        for queue in state["queues"]
    ]
    heads = ["Queue", "", "running", "waiting", "scheduled", "to retry", "ended lately"]
    return markup.table(heads, rows)


def _running(state: State) -> str:
    shown = [escape(words.told_running(row)) for row in state["running"][: words.SHOWN_RUNNING]]
    total = len(state["running"]) + state["running_more"]
    return markup.listed(f"Running ({total:,})", shown, total - len(shown))


def _failures(failures: Mapping[str, Any]) -> str:
    told = [words.told_failure(row) for row in failures["rows"][: words.SHOWN_FAILURES]]
    items = [f"<strong>{escape(name)}</strong><br/>{escape(why)}" for name, why in told]
    return markup.listed(
        f"Discarded ({failures['total']:,})",
        items,
        failures["total"] - len(items),
        ", see <code>forge.jobs()</code>",
    )


def _troubled(state: State) -> str:
    items = [
        f"<strong>{escape(child['name'])}</strong> is {escape(child['state'])}: "
        f"{escape(one_line(child['last_reason']))}"
        for child in state["children"]
        if child["state"] != "running"
    ]
    return markup.listed("Services that do not run", items, 0)
