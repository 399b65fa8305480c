"""Runs one job of a person's own kind: the class is imported here, in a child, and nowhere near the jobs.

Request: ``{"kind": "module:Class", "job": {…}, "config": {…}, "staging_place", "threads"}``. The result is
``{"outcome": …}``, as `soundforge_nb.jobs.job.outcome_as_json` writes it. This program alone knows of jobs.
"""

from __future__ import annotations

from typing import Any

from soundforge_nb.programs.child import Report, run
from soundforge_nb.programs.request import path_of, set_threads


def handle(request: dict[str, Any], report: Report) -> dict[str, Any]:
    threads = set_threads(request)
    staging_place = path_of(request, "staging_place")
    # Here, not above: the hello line must not wait for them, nor for what a person's module imports.
    from soundforge_nb.pipeline.own_kind import process_here

    return process_here(
        request["kind"], request["job"], request["config"], staging_place, threads, progress=report
    )


if __name__ == "__main__":
    run("kind", handle)
