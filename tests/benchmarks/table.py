"""What the benchmarks measured: a table for people, and build/bench.json for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

JSON_FILE = Path("build") / "bench.json"


@dataclass(frozen=True)
class Measurement:
    """A value of ours beside the value of a yardstick, measured in the same run on the same machine."""

    name: str
    value: float
    unit: str
    yardstick: str
    yardstick_value: float

    @property
    def ratio(self) -> float:
        return self.value / self.yardstick_value

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}


def lines(measurements: list[Measurement]) -> Iterator[str]:
    """The table, in Markdown."""
    yield "| what | value | yardstick | its value | ratio |"
    yield "|---|---:|---|---:|---:|"
    for entry in measurements:
        value, other = (f"{number(v)} {entry.unit}" for v in (entry.value, entry.yardstick_value))
        yield f"| {entry.name} | {value} | {entry.yardstick} | {other} | {entry.ratio:.2f} |"


def number(value: float) -> str:
    """Three figures are all that a measurement bears."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    """On what it was measured."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, load {load}"


def write(measurements: list[Measurement], file: Path = JSON_FILE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = [entry.as_json() for entry in measurements]
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
