"""Commands that look into things: the dashboard, the doctor, the logs."""

from __future__ import annotations

import argparse
import itertools
import sys
import textwrap

from soundforge_nb import config as configuration
from soundforge_nb.cli.common import DONE, SOME_FAILED, Commands, attached, count, print_json
from soundforge_nb.forge import dashboard_command


def add_commands(command: Commands) -> None:
    """dashboard, doctor, logs."""
    dashboard_command.add_arguments(
        command("dashboard", dashboard_command.run, "serve the live dashboard as a page in the browser")
    )
    command("doctor", _doctor, "look at everything it needs, and say what is wrong and what to do")
    logs = command("logs", _logs, "show what the application and its Dask workers wrote down")
    logs.add_argument("--lines", type=count, default=100, metavar="N", help="how many of the last ones (100)")
    shown = logs.add_mutually_exclusive_group()
    shown.add_argument("--follow", action="store_true", help="go on with what is added, until interrupted")
    shown.add_argument("--job", metavar="ID", help="what went wrong in each attempt of a job, in full")


def _doctor(arguments: argparse.Namespace) -> int:
    from soundforge_nb.forge.doctor.examination import as_json, examine, worst
    from soundforge_nb.forge.doctor.finding import Level
    from soundforge_nb.forge.doctor.report import lines_of

    findings = examine(arguments.data_folder)
    if arguments.json:
        print_json(as_json(findings))
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
        print_json(log_files(config))
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

    with attached(arguments, start=True) as forge:
        attempts = attempts_of(forge, arguments.job)
    if arguments.json:
        print_json(attempts)
        return DONE
    for attempt in attempts:
        print(f"attempt {attempt['attempt']} on {attempt['host']}: {attempt['outcome'] or 'runs now'}")
        error = attempt["error"] or {}
        for part in (error.get("message"), *(error.get("details") or {}).values()):
            if isinstance(part, str) and part:
                print(textwrap.indent(part, "  "))
    return DONE
