"""Kinds of a person's own: a job of one runs in a child of its own, as all audio work does.

So it can be ended at any moment with all it started, a crash of it is an error of one attempt, and what it
imports stays out of the Dask worker.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import ConfigError, SoundforgeError
from soundforge_nb.jobs.job import Job, Outcome, Retry, outcome_as_json, outcome_from_json
from soundforge_nb.jobs.kind import Context, Kind
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.pipeline.outcomes import outcome_of
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.program import KIND
from soundforge_nb.ports.supervisor import PortSupervisor

_TRACEBACK_CHARACTERS = 8000


def named_kind(named: str) -> Kind:
    """The kind that ``module:Class`` names.

    Raises
    ------
    ConfigError
        It can't be imported or made, or is no `Kind`.
    """
    module, _, name = named.partition(":")
    try:
        made = getattr(import_module(module), name)()
    # What a person's module does when it is imported is its own affair.
    except Exception as error:
        raise ConfigError(
            f"The kind {named} can't be loaded: {type(error).__name__}: {error}.",
            "Write kinds as module:Class, with the module installed or on PYTHONPATH.",
        ) from error
    if not isinstance(made, Kind):
        raise ConfigError(f"{named} is no kind of job.", "Derive it from soundforge_nb.Kind.")
    return made


def process(kind: Kind, job: Job, context: Context) -> Outcome:
    """Process a job where its kind wants it: in a child of its own, or in this thread.

    Raises nothing: whatever goes wrong is an outcome.
    """
    try:
        if kind.runs_in == "child":
            return _in_child(kind, job, context)
        return kind.process(job, context)
    except SoundforgeError as error:
        return outcome_of(error)
    except Exception as error:
        return _unforeseen(error)


def _in_child(kind: Kind, job: Job, context: Context) -> Outcome:
    port = cold_port(KIND, context.config, threads=context.threads, gpu=context.gpu, supervisor=context.ports)
    answer = port.call(
        {
            "kind": f"{type(kind).__module__}:{type(kind).__qualname__}",
            "job": job.as_json(),
            "config": context.config.as_json(),
            "staging_place": str(context.staging_place),
            "threads": context.threads,
        },
        timeout_seconds=kind.timeout_seconds,
        owner=job.lease_id,
        on_progress=context.progress,
    )
    return outcome_from_json(answer["outcome"])


def process_here(
    named: str,
    job: dict[str, Any],
    settings: dict[str, Any],
    staging_place: str,
    threads: int,
    *,
    progress: Callable[[int, str], None],
) -> dict[str, Any]:
    """The child's side: ``{"outcome": …}`` of a job of the kind that ``module:Class`` names."""
    context = Context(
        config=Config.from_json(settings),
        ports=PortSupervisor(),
        progress=progress,
        staging_place=Path(staging_place),
        threads=threads,
        # A cancel ends this process: nobody has to look.
        cancelled=threading.Event(),
        gpu=os.environ["CUDA_VISIBLE_DEVICES"] if job.get("gpu") else None,
    )
    try:
        outcome = named_kind(named).process(Job(**job), context)
    except SoundforgeError as error:
        outcome = outcome_of(error)
    except Exception as error:
        outcome = _unforeseen(error)
    return {"outcome": outcome_as_json(outcome)}


def _unforeseen(error: Exception) -> Retry:
    fault = plain_error(f"The job ended with an unforeseen {type(error).__name__}: {error}", "internal")
    return Retry({**fault, "details": {"traceback": traceback.format_exc()[-_TRACEBACK_CHARACTERS:]}})
