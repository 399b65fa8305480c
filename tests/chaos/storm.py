"""A storm: jobs flow, and somebody kills processes at random moments of each phase of their lives."""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil

import soundforge_nb as sf
from soundforge_nb.cluster.discovery import read_whereabouts
from soundforge_nb.errors import SoundforgeError

#: What a kill waits for, and how long after that it may come.
PHASES = {
    "inserting": 0.05,
    "claimed": 0.05,
    "started": 0.05,
    "writing stems": 0.3,
    "acknowledging": 0.03,
    "stopping": 0.15,
}
_PATIENCE_SECONDS = 60.0
#: Progress at which a separation begins to write (its last tenth).
_WRITING_PERCENT = 90


class Flow:
    """Inserts jobs without a pause, a call at a time; knows the ids of all that were promised."""

    def __init__(self, forge: sf.Forge, size: int) -> None:
        self._forge = forge
        self._size = size
        self.promised: list[str] = []
        self.inserting = threading.Event()
        self.go_on = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live, name="flow", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self.go_on.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._ending.is_set():
            self.go_on.wait()
            self.go_on.clear()
            if self._ending.is_set():
                return
            self.inserting.set()
            for kind in ("trace", "brief"):
                self.promised += patiently(partial(self._forge.insert, kind, [{}] * (self._size // 2)))
            self.inserting.clear()


def patiently(call: Callable[[], Any]) -> Any:
    """A call that is made again while the application is away."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return call()
        except SoundforgeError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class Storm:
    """Kills, a phase after the other, in an order that the seed decides."""

    def __init__(self, forge: sf.Forge, data_folder: Path, seed: int, songs: list[Path]) -> None:
        self.forge = forge
        self.folder = data_folder
        self.random = random.Random(seed)
        self.kills: Counter[tuple[str, str]] = Counter()
        self.missed: Counter[str] = Counter()
        self.batches: list[sf.Batch] = []
        self.flow = Flow(forge, 60)
        self._songs = songs
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def blow(self, kills: int, say: Callable[[str], None]) -> None:
        """Kill so often; then the weather clears."""
        unfollow = self.forge.follow(lambda message: self._messages.put(message["body"]))
        self.flow.start()
        plan = [phase for phase in PHASES for _ in range(-(-kills // len(PHASES)))][:kills]
        self.random.shuffle(plan)
        try:
            for number, phase in enumerate(plan, 1):
                victim = self._strike(phase)
                say(f"kill {number} of {kills}: {victim}, {phase}")
        finally:
            self.flow.end()
            unfollow()

    # -- one kill ---------------------------------------------------------------------------------

    def _strike(self, phase: str) -> str:
        """Wait for a phase, then a random moment, then kill; returns who was killed."""
        while True:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._messages.get_nowait()
            self.flow.go_on.set()
            # Asked for beforehand: what stops takes its whereabouts away.
            application = self._application()
            if phase == "stopping":
                threading.Thread(target=self._ask_to_stop, daemon=True).start()
            elif not self._wait_for(phase):
                self.missed[phase] += 1
                continue
            time.sleep(self.random.uniform(0, PHASES[phase]))
            victim = self._kill(application, phase)
            # Whoever calls next finds it again, or starts it.
            patiently(lambda: self.forge.call("queues"))
            if victim is not None:
                self.kills[phase, victim] += 1
                return victim
            self.missed[phase] += 1

    def _application(self) -> psutil.Process:
        while True:
            whereabouts = read_whereabouts(self.folder / "scheduler.json")
            with contextlib.suppress(psutil.Error):
                if whereabouts is not None:
                    return psutil.Process(whereabouts.pid)
            patiently(lambda: self.forge.call("queues"))

    def _wait_for(self, phase: str) -> bool:
        if phase == "inserting":
            return self.flow.inserting.wait(10)
        if phase == "writing stems":
            patiently(self._separate_more)
        fits = {
            "claimed": lambda body: body.get("state") == "available",
            "started": lambda body: body.get("state") == "executing",
            "writing stems": lambda body: (
                body.get("kind") == "separate_stems" and body.get("progress", 0) >= _WRITING_PERCENT
            ),
            "acknowledging": lambda body: body.get("state") == "completed" and body.get("kind") == "trace",
        }[phase]
        until = time.monotonic() + (40 if phase == "writing stems" else 10)
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                if fits(self._messages.get(timeout=0.2)):
                    return True
        return False

    def _separate_more(self) -> None:
        """Real separations: each asks for other parameters, so that none is there already."""
        separating = self.forge.sql(
            "SELECT 1 FROM jobs WHERE kind = 'separate_stems' AND state IN ('available', 'executing')"
        )
        if len(separating) < 2:
            song = self._songs[len(self.batches) % len(self._songs)]
            options = {"model": "demo", "overlap": round(0.1 + 0.001 * len(self.batches), 3)}
            self.batches.append(self.forge.process(song, separate=options, analyze="energy"))

    def _ask_to_stop(self) -> None:
        with contextlib.suppress(SoundforgeError):
            self.forge.call("stop", drain_seconds=self.random.choice([0.0, 0.2]))

    def _kill(self, application: psutil.Process, phase: str) -> str | None:
        """Kill one that is there: the child in its work, the Dask worker, or the application."""
        try:
            commands = [(process, _command(process)) for process in application.children(recursive=True)]
            victims = {
                "application": [application],
                "Dask worker": [p for p, c in commands if "spawn_main" in c and "programs." not in c],
                "child": [p for p, c in commands if "programs." in c],
            }
            weights = {"application": 2, "Dask worker": 2, "child": 3 if phase == "writing stems" else 0}
            choices = [name for name, there in victims.items() if there for _ in range(weights[name])]
            name = "application" if phase == "stopping" else self.random.choice(choices)
            self.random.choice(victims[name]).kill()
        except psutil.NoSuchProcess:
            return None
        return name


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _ended(batch: sf.Batch, until: float) -> bool:
    return bool(patiently(lambda: batch.wait(max(1.0, until - time.monotonic()), progress=False)))


def wait_for_calm(forge: sf.Forge, storm: Storm, seconds: float) -> None:
    """After the storm: what was discarded for its many deaths gets another try, and all of it ends."""
    until = time.monotonic() + seconds
    for batch in storm.batches:
        while not patiently(
            lambda batch=batch: batch.wait(max(1.0, until - time.monotonic()), progress=False)
        ):
            assert time.monotonic() < until, f"a batch did not end: {batch}"
        if patiently(batch.errors).shape[0]:
            patiently(batch.retry)
            assert _ended(batch, until), f"a batch did not end: {batch}"
    waited = storm.flow.promised
    assert patiently(lambda: forge.wait(waited, max(1.0, until - time.monotonic()))), "jobs did not end"
