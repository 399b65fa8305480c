"""Talks to real children, as a port does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}


@dataclass
class Conversation:
    lines: list[dict[str, Any]]
    returncode: int
    log: str

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]

    @property
    def result(self) -> dict[str, Any]:
        assert self.last["type"] == "result", f"{self.last}\n{self.log}"
        value: dict[str, Any] = self.last["value"]
        return value

    @property
    def percents(self) -> list[int]:
        return [line["percent"] for line in self.lines if line["type"] == "progress"]


def start(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )


def ask(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    """Send the request and keep stdin open."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[bytes]) -> Conversation:
    """All that the child says until its end; stdin stays open meanwhile."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin, process.stdout, process.stderr:
        lines = [json.loads(line) for line in process.stdout]
        log = process.stderr.read().decode()
        return Conversation(lines, process.wait(60), log)


def converse(*command: str, request: dict[str, Any]) -> Conversation:
    process = start(*command)
    ask(process, request)
    return hear(process)


def program(name: str, **request: Any) -> Conversation:
    """Run one of the package's programs."""
    return converse("-m", f"soundforge_nb.programs.{name}", request=request)
