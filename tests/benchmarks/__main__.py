"""Runs the benchmarks: ``python -m tests.benchmarks [NAME …]``, by default all.

Each module measures one thing beside a yardstick. The table goes to stdout, the same to build/bench.json.
`oban` needs PostgreSQL and oban-py, and without them measures nothing and says so.
(`key_profiles.py` is a survey with a table of its own.)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import connect, dashboard, jobs, memory, oban, pipeline, ports, rows, table

BENCHMARKS = {
    "connect": connect,
    "jobs": jobs,
    "oban": oban,
    "rows": rows,
    "ports": ports,
    "memory": memory,
    "pipeline": pipeline,
    "dashboard": dashboard,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; choose from {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(f"On {table.machine()}", flush=True)
    measured: list[table.Measurement] = []
    for name in names or BENCHMARKS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"soundforge-bench-{name}-") as folder:
            measured += BENCHMARKS[name].measure(Path(folder))
        print(f"{name}: measured in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    table.write(measured)
    print("\n".join(table.lines(measured)))
    print(f"Also in {table.JSON_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
