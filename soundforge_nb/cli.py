"""`soundforge`: the same calls from a shell.

Exit status: 0 done, 1 some inputs failed (doctor: it found a problem), 2 wrong usage,
3 no application reachable, 130 interrupted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundforge_nb
from soundforge_nb import config as configuration
from soundforge_nb.errors import ConnectError, SoundforgeError, UsageError
from soundforge_nb.forge import dashboard_command

if TYPE_CHECKING:
    from soundforge_nb.forge.batch import Batch
    from soundforge_nb.forge.forge import Forge

DONE, SOME_FAILED, WRONG_USAGE, NO_APPLICATION, INTERRUPTED = 0, 1, 2, 3, 130
#: How long `restart` lets running jobs end.
RESTART_DRAIN_SECONDS = 600.0


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read our output (head, less) has seen enough.
        sys.stderr.close()
        return DONE
    except SoundforgeError as error:
        print(f"soundforge: {error}", file=sys.stderr)
        if isinstance(error, ConnectError):
            return NO_APPLICATION
        return WRONG_USAGE if isinstance(error, UsageError) else SOME_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="soundforge",
        description="Songs in, stems, analyses and SQL out.",
        epilog=__doc__.split("\n\n")[1],
    )
    parser.add_argument("--version", action="version", version=soundforge_nb.__version__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-folder", metavar="FOLDER", help="where everything is kept")
    common.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("serve", _serve, "run the application in this shell, until stopped or idle")
    worker = command("worker", _worker, "offer this host's slots to an application, until stopped")
    worker.add_argument("--address", metavar="tls://…", help="instead of what the data folder says")
    worker.add_argument("--name", help="how it is told apart (host and process)")
    command("status", _status, "tell whether the application runs, and how it is")
    stop = command("stop", _stop, "end the application; unfinished jobs go on at its next start")
    stop.add_argument("--drain-seconds", type=float, default=0.0, help="let running jobs end first")
    restart = command("restart", _restart, "let running jobs end, then end and start the application")
    restart.add_argument("--drain-seconds", type=float, default=RESTART_DRAIN_SECONDS)
    add = command("add", _add, "add files, folders, globs or links to audio to the library")
    add.add_argument("paths", nargs="+", metavar="PATH")
    process = command("process", _process, "separate and analyze files, and wait for it")
    process.add_argument("paths", nargs="+", metavar="PATH")
    process.add_argument("--separate", metavar="MODEL", help="demo, htdemucs, htdemucs_ft …")
    process.add_argument(
        "--analyze", metavar="FEATURES", help="all, or some of tempo,key,energy,spectral,mfcc,chroma"
    )
    process.add_argument("--analyze-stems", metavar="FEATURES", help="the same, for each stem")
    process.add_argument("--stems", metavar="NAMES", help="only these stems, as vocals,drums")
    process.add_argument("--two-stems", metavar="STEM", help="this stem, and the mixture without it")
    process.add_argument("--shifts", type=int, help="passes at random shifts, averaged")
    process.add_argument("--format", help="wav_float32, wav_int24, flac or mp3")
    process.add_argument(
        "--output-folder", metavar="FOLDER", help="write stems, analyses and a manifest here"
    )
    process.add_argument("--no-wait", action="store_true", help="return at once; the jobs run on")
    demo = command("demo", _demo, "take the demo song through the whole house")
    demo.add_argument("--output-folder", metavar="FOLDER", default="soundforge-demo")
    jobs = command("jobs", _jobs, "list jobs, the newest first")
    jobs.add_argument("--batch", metavar="ID", help="only those of a batch")
    jobs.add_argument("--limit", type=int, default=50)
    queue = command("queue", _queue, "pause, resume, scale or drain a queue; without a name, list them")
    queue.add_argument("queue", nargs="?", metavar="NAME", help="download, processing or analysis")
    deeds = queue.add_mutually_exclusive_group()
    deeds.add_argument("--pause", action="store_true", help="start nothing new; what runs goes on")
    deeds.add_argument("--resume", action="store_true", help="go on")
    deeds.add_argument("--drain", action="store_true", help="pause, and wait until nothing of it runs")
    deeds.add_argument("--limit", type=_count, metavar="N", help="run N at once on each Dask worker")
    deeds.add_argument("--default-limit", action="store_true", help="run as many as the settings say")
    storage = command("storage", _storage, "tell what the data folder holds, and what nobody needs of it")
    storage.add_argument("--clean", action="store_true", help="remove what nobody needs")
    storage.add_argument("--grace-days", type=float, metavar="N", help="left alone for so long (7)")
    sql = command("sql", _sql, "ask the library one SELECT")
    sql.add_argument("query")
    dashboard_command.add_arguments(
        command("dashboard", dashboard_command.run, "serve the live dashboard as a page in the browser")
    )
    command("doctor", _doctor, "look at everything it needs, and say what is wrong and what to do")
    logs = command("logs", _logs, "show what the application and its Dask workers wrote down")
    logs.add_argument(
        "--lines", type=_count, default=100, metavar="N", help="how many of the last ones (100)"
    )
    shown = logs.add_mutually_exclusive_group()
    shown.add_argument("--follow", action="store_true", help="go on with what is added, until interrupted")
    shown.add_argument("--job", metavar="ID", help="what went wrong in each attempt of a job, in full")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _serve(arguments: argparse.Namespace) -> int:
    import asyncio
    import logging

    from soundforge_nb.application.serve import AlreadyServed, serve
    from soundforge_nb.cluster.launch import ALREADY_SERVED_STATUS, log_file
    from soundforge_nb.lifecycle.log_bounds import keep_small, log_also_to

    config = configuration.load(arguments.data_folder)
    log_format = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=log_format)
    # Dask's logger has a handler of its own and hands nothing on.
    loggers = ("", "distributed")
    # Also for the starts that fail, each of which adds its last words.
    keep_small(log_file(config))
    try:
        asyncio.run(serve(config, ready=lambda _: log_also_to(log_file(config), log_format, loggers)))
    except AlreadyServed:
        print(f"soundforge: another process serves {config.data_folder}.", file=sys.stderr)
        return ALREADY_SERVED_STATUS
    return DONE


def _worker(arguments: argparse.Namespace) -> int:
    import asyncio
    import logging

    from soundforge_nb.cluster.dask_worker import application_address, live
    from soundforge_nb.cluster.security import security_of

    config = configuration.load(arguments.data_folder)
    # What is wrong from the beginning is said at once; what goes wrong later is waited for.
    security_of(config.tls_folder)
    address = application_address(config, arguments.address)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    print(f"Offering slots to {address}; Ctrl-C ends it.", file=sys.stderr, flush=True)

    def attached(where: str) -> None:
        print(f"Attached to {where}.", flush=True)

    asyncio.run(live(config, arguments.address, name=arguments.name, ready=attached))
    return DONE


def _attached(arguments: argparse.Namespace, *, start: bool) -> Forge:
    from soundforge_nb.forge.forge import connect

    return connect(data_folder=arguments.data_folder, start=start)


def _status(arguments: argparse.Namespace) -> int:
    with _attached(arguments, start=False) as forge:
        status = forge.status()
    if arguments.json:
        _print_json(status)
        return DONE
    state = "healthy" if status["healthy"] else "not healthy"
    print(f"soundforge_nb {status['version']}: {state}, data folder {forge.config.data_folder}")
    for child in status["children"]:
        reason = f", last: {child['last_reason']}" if child["last_reason"] else ""
        print(f"  {child['name']:<18} {child['state']}, {child['restarts']} restarts{reason}")
    for worker in status["dask_workers"]:
        print(f"  Dask worker {worker['address']} on {worker['host']}, {worker['cores']} cores")
    for queue in status["queues"]:
        told = ", ".join(f"{count} {name}" for name, count in sorted(queue["jobs"].items())) or "no jobs"
        print(f"  {_queue_line(queue)}; {told}")
    return DONE


def _stop(arguments: argparse.Namespace) -> int:
    stopped = _end(arguments)
    if arguments.json:
        _print_json({"stopped": stopped})
    else:
        print("Stopped." if stopped else "Nothing was running.")
    return DONE


def _restart(arguments: argparse.Namespace) -> int:
    _end(arguments)
    with _attached(arguments, start=True) as forge:
        status = forge.status()
    if arguments.json:
        _print_json(status)
    else:
        print(f"Restarted: soundforge_nb {status['version']}.")
    return DONE


def _end(arguments: argparse.Namespace) -> bool:
    """End the application of the data folder and wait until it is gone; False where none ran."""
    from soundforge_nb.cluster.connection import Connection
    from soundforge_nb.cluster.launch import find
    from soundforge_nb.cluster.security import security_of

    config = configuration.load(arguments.data_folder)
    whereabouts = find(config)
    if whereabouts is None:
        return False
    # No handshake: an application of another version must be stoppable too.
    connection = Connection(
        whereabouts.address, security_of(config.tls_folder), timeout_seconds=config.rpc_timeout_seconds
    )
    try:
        connection.call("stop", drain_seconds=arguments.drain_seconds)
    finally:
        connection.close()
    until = time.monotonic() + arguments.drain_seconds + config.start_timeout_seconds
    while whereabouts.is_alive():
        if time.monotonic() > until:
            raise ConnectError(
                f"The application (process {whereabouts.pid}) does not end.", f"See {config.logs_folder}."
            )
        time.sleep(0.05)
    return True


def _add(arguments: argparse.Namespace) -> int:
    with _attached(arguments, start=True) as forge:
        tracks = forge.add(*arguments.paths)
    if arguments.json:
        _print_json(
            {
                "tracks": [vars(track) for track in tracks],
                "rejected": [vars(entry) for entry in tracks.rejected],
            }
        )
    else:
        print(tracks)
    return SOME_FAILED if tracks.rejected else DONE


def _process(arguments: argparse.Namespace) -> int:
    options = {
        name: getattr(arguments, name)
        for name in ("shifts", "two_stems", "format")
        if getattr(arguments, name) is not None
    }
    if arguments.stems:
        options["stems"] = [name.strip() for name in arguments.stems.split(",")]
    if options and not arguments.separate:
        raise UsageError("Options of a separation were given without --separate.", "Add --separate MODEL.")
    separate: Any = {"model": arguments.separate, **options} if arguments.separate else None
    with _attached(arguments, start=True) as forge:
        tracks = forge.add(*arguments.paths)
        batch = forge.process(
            tracks,
            separate=separate,
            analyze=arguments.analyze,
            analyze_stems=arguments.analyze_stems,
            output_folder=arguments.output_folder,
        )
        if arguments.no_wait:
            _print_json(batch.snapshot()) if arguments.json else print(batch.batch_id)
            return DONE
        try:
            batch.wait(progress=not arguments.json)
        except KeyboardInterrupt:
            print(f"The jobs go on; see: soundforge jobs --batch {batch.batch_id}", file=sys.stderr)
            return INTERRUPTED
        return _report(arguments, batch)


def _report(arguments: argparse.Namespace, batch: Batch) -> int:
    snapshot = batch.snapshot()
    if arguments.json:
        results = json.loads(batch.results().to_json(orient="records"))
        _print_json({**snapshot, "results": results})
    else:
        print(batch)
        print(batch.results().drop(columns=["track_id", "stems"]).to_string(index=False))
    return SOME_FAILED if snapshot["failures"] else DONE


def _demo(arguments: argparse.Namespace) -> int:
    from soundforge_nb.forge.demo import MODEL, run_demo

    folder = Path(arguments.output_folder).absolute()
    with _attached(arguments, start=True) as forge:
        batch, stems = run_demo(forge, folder)
        results = batch.results()
        snapshot = batch.snapshot()
    if arguments.json:
        stems_json = json.loads(stems.to_json(orient="records"))
        _print_json(
            {**snapshot, "results": json.loads(results.to_json(orient="records")), "stems": stems_json}
        )
    elif snapshot["failures"]:
        print(batch)
    else:
        row = results.iloc[0]
        print(f"\n{row['title']}: {row['tempo']:.1f} BPM, {row['key']}")
        print(stems.round(2).to_string(index=False))
        print(f"What the stems leave of the mixture: {row['null_residual_db']:.1f} dB")
        print(f'Model: {MODEL}, a small one for trying out; htdemucs is for work (separate="htdemucs").')
        print(f"Stems, analysis, picture and manifest: {folder}")
    return SOME_FAILED if snapshot["failures"] else DONE


def _jobs(arguments: argparse.Namespace) -> int:
    with _attached(arguments, start=False) as forge:
        jobs = forge.jobs(arguments.batch).head(arguments.limit)
    if arguments.json:
        print(jobs.to_json(orient="records", date_format="iso"))
    else:
        print(jobs[["job_id", "kind", "state", "attempt", "progress", "error"]].to_string(index=False))
    return DONE


def _queue(arguments: argparse.Namespace) -> int:
    wanted = arguments.pause or arguments.resume or arguments.drain or arguments.default_limit
    if (wanted or arguments.limit is not None) and not arguments.queue:
        raise UsageError("Which queue?", "Name it: soundforge queue analysis --pause.")
    with _attached(arguments, start=True) as forge:
        if arguments.pause:
            forge.pause(arguments.queue)
        elif arguments.resume:
            forge.resume(arguments.queue)
        elif arguments.drain:
            forge.drain(arguments.queue)
        elif arguments.default_limit or arguments.limit is not None:
            forge.scale(arguments.queue, arguments.limit)
        queues = forge.call("queues")
    if arguments.json:
        _print_json(queues)
        return DONE
    for entry in queues:
        print("  " + _queue_line(entry))
    return DONE


def _queue_line(entry: dict[str, Any]) -> str:
    limit = f"{entry['running']} of {entry['limit']} running"
    everywhere = "" if entry["global_limit"] is None else f", {entry['global_limit']} everywhere"
    return f"queue {entry['queue']:<11} {limit}{everywhere}{', paused' if entry['paused'] else ''}"


def _storage(arguments: argparse.Namespace) -> int:
    with _attached(arguments, start=True) as forge:
        found = forge.storage(clean=arguments.clean, grace_days=arguments.grace_days)
    if arguments.json:
        _print_json(vars(found))
    else:
        print(str(found).replace("forge.storage(clean=True) removes them", "--clean removes them"))
    return DONE


def _sql(arguments: argparse.Namespace) -> int:
    with _attached(arguments, start=True) as forge:
        frame = forge.sql(arguments.query).df()
    if arguments.json:
        print(frame.to_json(orient="records", date_format="iso"))
    else:
        print(frame.to_string(index=False))
    return DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from soundforge_nb.forge.doctor.examination import as_json, examine, worst
    from soundforge_nb.forge.doctor.finding import Level
    from soundforge_nb.forge.doctor.report import lines_of

    findings = examine(arguments.data_folder)
    if arguments.json:
        _print_json(as_json(findings))
    else:
        print("\n".join(lines_of(findings)))
    return SOME_FAILED if worst(findings) is Level.PROBLEM else DONE


def _logs(arguments: argparse.Namespace) -> int:
    from soundforge_nb.cluster.launch import log_file
    from soundforge_nb.forge.logs import follow, last_log_lines, log_files

    if arguments.job:
        return _attempts(arguments)
    config = configuration.load(arguments.data_folder)
    if arguments.json:
        _print_json(log_files(config))
        return DONE
    # First, so that nothing falls between the last lines and those that are added.
    added = follow(log_file(config)) if arguments.follow else iter(())
    lines = last_log_lines(config, arguments.lines)
    if not lines and not arguments.follow:
        print(f"Nothing was written to {log_file(config)} yet.", file=sys.stderr)
    for line in itertools.chain(lines, added):
        print(line, flush=arguments.follow)
    return DONE


def _attempts(arguments: argparse.Namespace) -> int:
    from soundforge_nb.forge.logs import attempts_of

    with _attached(arguments, start=True) as forge:
        attempts = attempts_of(forge, arguments.job)
    if arguments.json:
        _print_json(attempts)
        return DONE
    for attempt in attempts:
        print(f"attempt {attempt['attempt']} on {attempt['host']}: {attempt['outcome'] or 'runs now'}")
        error = attempt["error"] or {}
        for part in (error.get("message"), *(error.get("details") or {}).values()):
            if isinstance(part, str) and part:
                print(textwrap.indent(part, "  "))
    return DONE


def _print_json(value: Any) -> None:
    print(json.dumps(value, default=str, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
