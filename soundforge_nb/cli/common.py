"""What every command of the shell shares: exit statuses, the way in, and JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from soundforge_nb.forge.forge import Forge

DONE, SOME_FAILED, WRONG_USAGE, NO_APPLICATION, INTERRUPTED = 0, 1, 2, 3, 130

Run = Callable[[argparse.Namespace], int]


class Commands(Protocol):
    """Makes a command of a name, of what it runs, and of what it does in words."""

    def __call__(self, name: str, run: Run, text: str) -> argparse.ArgumentParser: ...


def attached(arguments: argparse.Namespace, *, start: bool) -> Forge:
    """A Forge on the data folder that was named."""
    from soundforge_nb.forge.forge import connect

    return connect(data_folder=arguments.data_folder, start=start)


def count(text: str) -> int:
    """A whole number from 0 on, as an argument."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def print_json(value: Any) -> None:
    print(json.dumps(value, default=str, ensure_ascii=False))
