"""A kind of job that tells of its progress as fast as it can."""

from __future__ import annotations

from typing import Any

import soundforge_nb as sf


class Flood(sf.Kind):
    name, queue = "flood", "analysis"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        updates = job.args["updates"]
        for number in range(updates):
            context.progress(100 * number // updates, f"update {number}")
        return sf.Completed({"updates": updates})
