"""The application of the data folder: whether one runs, and how it is. None is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import soundforge_nb
from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.forge.answer import Answer
from soundforge_nb.forge.doctor.finding import Finding, Level, from_error, ok, problem, warning

#: How long an application that is well may take to answer.
ANSWER_SECONDS = 10.0
_LIBRARY_QUERY = """
SELECT (SELECT max(number) FROM schema_migrations) AS schema, (SELECT count(*) FROM tracks) AS tracks,
    (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM stems) AS stems,
    (SELECT count(*) FROM analyses) AS analyses"""
_RESTART = "Run: soundforge restart. It lets running jobs end, and nothing is lost."


def look_at_application(config: Config) -> Iterator[Finding]:
    """Who serves the data folder, and what it says of itself."""
    from soundforge_nb.cluster.discovery import is_locked, living, read_whereabouts

    try:
        found = living(config.scheduler_file, config.lock_file)
    except SoundforgeError as error:
        yield from_error("application", error)
        return
    if found is not None and found.is_alive():
        yield from _running(config, found)
    elif config.lock_file.exists() and is_locked(config.lock_file):
        yield warning(
            "application",
            "An application is starting or ending: it holds the lock and can't be called yet.",
            "Look again in a moment; if it stays so: soundforge logs",
        )
    else:
        yield ok("application", "None runs; connect() and most commands start one.")
        if config.scheduler_file.exists():
            said = read_whereabouts(config.scheduler_file)
            who = f"process {said.pid}" if said else "nobody: it can't be read"
            yield warning(
                "scheduler_file",
                f"{config.scheduler_file} was left behind by an application that was killed ({who}).",
                "Nothing to do: the next start replaces it, and unfinished jobs go on.",
            )
        yield from _last_words(config)


def _running(config: Config, found: Any) -> Iterator[Finding]:
    from soundforge_nb.cluster.connection import Connection
    from soundforge_nb.cluster.security import security_of

    try:
        found.check_version()
        connection = Connection(
            found.address,
            security_of(config.tls_folder),
            timeout_seconds=ANSWER_SECONDS,
            is_alive=found.is_alive,
        )
        with closing(connection):
            status = connection.call("status")
            library = Answer(connection.call("sql", query=_LIBRARY_QUERY)).dicts()[0]
    except SoundforgeError as error:
        level = Level.WARNING if error.kind == "closed" else Level.PROBLEM
        lost = error.kind in ("timeout", "no_application", "connection_lost")
        remedy = _RESTART if lost else error.remedy
        yield Finding(
            "application",
            level,
            f"The application (process {found.pid}) runs, but: {error.message}",
            remedy,
            {"pid": found.pid, "kind": error.kind},
        )
        return
    yield _health(status, found.pid)
    yield from _parts(status)
    counts = ", ".join(f"{library[name]} {name}" for name in ("tracks", "jobs", "stems", "analyses"))
    yield ok("store", f"The application answers for the library: {counts}.", rows=library)
    yield ok("schema", f"Its schema is {library['schema']}.", schema=library["schema"])


def _health(status: dict[str, Any], pid: int) -> Finding:
    told = f"The application (process {pid}, version {status['version']})"
    if not status["healthy"]:
        return problem("application", f"{told} is not healthy.", "See: soundforge logs. " + _RESTART, pid=pid)
    if status["version"] != soundforge_nb.__version__:
        return warning(
            "application", f"{told} is not this version, {soundforge_nb.__version__}.", _RESTART, pid=pid
        )
    return ok("application", f"{told} is healthy.", pid=pid, version=status["version"])


def _parts(status: dict[str, Any]) -> Iterator[Finding]:
    for child in status["children"]:
        check = f"application.{child['name']}"
        if child["state"] != "running":
            message = f"Its child {child['name']} is {child['state']}: {child['last_reason'] or 'no reason'}."
            yield problem(check, message, "See: soundforge logs. " + _RESTART)
        elif child["restarts"]:
            message = f"Its child {child['name']} crashed {child['restarts']} times: {child['last_reason']}."
            yield warning(check, message, "It works again; the log says more: soundforge logs")
    workers = status["dask_workers"]
    if not workers:
        yield problem("dask_workers", "It has no Dask worker: no job can run.", _RESTART)
    else:
        cores = sum(worker.get("cores", 0) for worker in workers)
        told = f"{len(workers)} Dask worker{'s' if len(workers) > 1 else ''}, {cores} cores"
        yield ok("dask_workers", told, dask_workers=workers)
    queues = [
        f"{queue['queue']}: {queue['running']} of {queue['limit']} running, "
        f"{queue['jobs'].get('available', 0)} waiting"
        for queue in status["queues"]
    ]
    yield ok("queues", "; ".join(queues), queues=status["queues"])


def _last_words(config: Config) -> Iterator[Finding]:
    """What the last application said when it ended by an error; its sentence closes the log then."""
    from soundforge_nb.cluster.launch import log_file
    from soundforge_nb.forge.logs import last_lines

    try:
        lines = last_lines(log_file(config), 1)
    except OSError:
        return
    if lines and lines[-1].startswith("soundforge: "):
        said = lines[-1].removeprefix("soundforge: ").strip()
        yield warning("last_start", f"The last application ended with: {said}", "See: soundforge logs")
