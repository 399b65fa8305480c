"""The dashboard in words: what its text and its HTML say alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soundforge_nb.dashboards.batch_words import one_line, short_name

SHOWN_RUNNING = 8
SHOWN_FAILURES = 8

#: What the kinds of the house are called on a screen; those of a person's own by their name.
KIND_NAMES = {
    "download_track": "Download",
    "separate_stems": "Separate",
    "analyze_track": "Analyze",
    "analyze_stems": "Analyze stems",
}
EMPTY = 'No job was inserted yet. Begin with forge.process(forge.add("~/Music"), analyze="all").'


def kind_name(kind: str) -> str:
    """
    >>> kind_name("separate_stems"), kind_name("greet_people")
    ('Separate', 'Greet people')
    """
    return KIND_NAMES.get(kind) or one_line(kind).replace("_", " ").capitalize()


def headline(state: Mapping[str, Any]) -> str:
    """How many jobs there are of what matters, in one line.

    >>> headline({"states": {"executing": 2, "available": 1, "scheduled": 4, "completed": 1200}})
    '2 running, 5 waiting, 1,200 completed'
    """
    states = state["states"]
    waiting = sum(states.get(name, 0) for name in ("available", "scheduled"))
    told = [f"{states.get('executing', 0):,} running", f"{waiting:,} waiting"]
    told += [
        f"{states[name]:,} {name}"
        for name in ("retryable", "completed", "discarded", "cancelled")
        if states.get(name)
    ]
    return ", ".join(told)


def told_running(row: Mapping[str, Any]) -> str:
    """One running job: what it does, to what, and how far it is."""
    message = f" ({one_line(row['message'])})" if row["message"] else ""
    name = f" {short_name(row['name'])}" if row["name"] else ""
    return f"{kind_name(row['kind'])}{name}: {row['progress']} %{message}"


def told_failure(row: Mapping[str, Any]) -> tuple[str, str]:
    """A job that ended badly: what it was, and why."""
    name = short_name(row["name"]) if row["name"] else kind_name(row["kind"])
    return name, one_line(row["error"] or "It failed without a word.")


def told_queue(queue: Mapping[str, Any]) -> str:
    """
    >>> told_queue({"queue": "analysis", "running": 1, "slots": 2, "waiting": 3, "paused": True})
    'analysis: 1 of 2 running, 3 waiting, paused'
    """
    paused = ", paused" if queue["paused"] else ""
    return (
        f"{one_line(queue['queue'])}: {queue['running']} of {queue['slots']} running, "
        f"{queue['waiting']:,} waiting{paused}"
    )


def told_value(value: float, unit: str) -> str:
    """A measured value with as many figures as it bears.

    >>> told_value(0.01234, "ms"), told_value(1234.5, "MB"), told_value(3.0, "")
    ('0.012 ms', '1,234 MB', '3')
    """
    size = abs(value)
    if size >= 100 or value == int(value):
        text = f"{value:,.0f}"
    elif size >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
    return f"{text} {unit}".strip()


def curve_name(metric: str, label: str) -> str:
    """
    >>> curve_name("rpc.stop.duration", "sql"), curve_name("vm.loop_lag", "")
    ('rpc.stop.duration (sql)', 'vm.loop_lag')
    """
    return one_line(f"{metric} ({label})" if label else metric)
