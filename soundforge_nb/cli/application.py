"""Commands that run the application: start, look, stop, join, and its queues."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from soundforge_nb import config as configuration
from soundforge_nb.cli.common import DONE, Commands, attached, count, print_json
from soundforge_nb.errors import ConnectError, UsageError

#: How long `restart` lets running jobs end.
RESTART_DRAIN_SECONDS = 600.0


def add_commands(command: Commands) -> None:
    """serve, worker, status, stop, restart, queue."""
    command("serve", _serve, "run the application in this shell, until stopped or idle")
    worker = command("worker", _worker, "offer this host's slots to an application, until stopped")
    worker.add_argument("--address", metavar="tls://…", help="instead of what the data folder says")
    worker.add_argument("--name", help="how it is told apart (host and process)")
    command("status", _status, "tell whether the application runs, and how it is")
    stop = command("stop", _stop, "end the application; unfinished jobs go on at its next start")
    stop.add_argument("--drain-seconds", type=float, default=0.0, help="let running jobs end first")
    restart = command("restart", _restart, "let running jobs end, then end and start the application")
    restart.add_argument("--drain-seconds", type=float, default=RESTART_DRAIN_SECONDS)
    queue = command("queue", _queue, "pause, resume, scale or drain a queue; without a name, list them")
    queue.add_argument("queue", nargs="?", metavar="NAME", help="download, processing or analysis")
    deeds = queue.add_mutually_exclusive_group()
    deeds.add_argument("--pause", action="store_true", help="start nothing new; what runs goes on")
    deeds.add_argument("--resume", action="store_true", help="go on")
    deeds.add_argument("--drain", action="store_true", help="pause, and wait until nothing of it runs")
    deeds.add_argument("--limit", type=count, metavar="N", help="run N at once on each Dask worker")
    deeds.add_argument("--default-limit", action="store_true", help="run as many as the settings say")


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


def _status(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=False) as forge:
        status = forge.status()
    if arguments.json:
        print_json(status)
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
        print_json({"stopped": stopped})
    else:
        print("Stopped." if stopped else "Nothing was running.")
    return DONE


def _restart(arguments: argparse.Namespace) -> int:
    _end(arguments)
    with attached(arguments, start=True) as forge:
        status = forge.status()
    if arguments.json:
        print_json(status)
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


def _queue(arguments: argparse.Namespace) -> int:
    wanted = arguments.pause or arguments.resume or arguments.drain or arguments.default_limit
    if (wanted or arguments.limit is not None) and not arguments.queue:
        raise UsageError("Which queue?", "Name it: soundforge queue analysis --pause.")
    with attached(arguments, start=True) as forge:
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
        print_json(queues)
        return DONE
    for entry in queues:
        print("  " + _queue_line(entry))
    return DONE


def _queue_line(entry: dict[str, Any]) -> str:
    limit = f"{entry['running']} of {entry['limit']} running"
    everywhere = "" if entry["global_limit"] is None else f", {entry['global_limit']} everywhere"
    return f"queue {entry['queue']:<11} {limit}{everywhere}{', paused' if entry['paused'] else ''}"
