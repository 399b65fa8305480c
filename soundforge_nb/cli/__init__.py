"""`soundforge`: the same calls from a shell.

Exit status: 0 done, 1 some inputs failed (doctor: it found a problem), 2 wrong usage,
3 no application reachable, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys

import soundforge_nb
from soundforge_nb.cli import application, library, looking
from soundforge_nb.cli.common import DONE, INTERRUPTED, NO_APPLICATION, SOME_FAILED, WRONG_USAGE, Run
from soundforge_nb.errors import ConnectError, SoundforgeError, UsageError

__all__ = ["DONE", "INTERRUPTED", "NO_APPLICATION", "SOME_FAILED", "WRONG_USAGE", "main"]


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = _parser().parse_args(argv)
    command: Run = arguments.run
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

    def command(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=text, description=text)
        made.set_defaults(run=run)
        return made

    for room in (application, library, looking):
        room.add_commands(command)
    return parser
