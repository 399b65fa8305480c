"""A kind of job that does what a test tells it: its child reads a pipe, line by line.

A line is ``PERCENT MESSAGE``; the message ``end`` ends the job. Copied beside the notebooks of the tests, and
run there both by the application and, as a program, by the port.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundforge_nb as sf
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.program import Program
from soundforge_nb.programs.child import Report, run


class Perform(sf.Kind):
    name, queue = "perform", "analysis"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        program = Program("perform", "performing")
        port = cold_port(program, context.config, threads=1, supervisor=context.ports)
        answer = port.call(job.args, timeout_seconds=600, owner=job.lease_id, on_progress=context.progress)
        return sf.Completed(answer)


def perform(request: dict[str, Any], report: Report) -> dict[str, Any]:
    with Path(request["score"]).open() as score:
        for line in score:
            percent, message = line.rstrip("\n").split(" ", 1)
            if message == "end":
                break
            report(int(percent), message)
    return {}


if __name__ == "__main__":
    run("perform", perform)
