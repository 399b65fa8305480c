"""Feeds the views of one source: a snapshot first, then what changed, as long as somebody looks.

One thread looks at the source when it says that it changed, at most ten times a second and never so
often that looking takes more than a quarter of the time; so a flood of progress costs the same as a
trickle, and the last state always arrives. Messages are numbered: a view that missed one says so with
its next heartbeat, and gets a snapshot.

While a cell runs the kernel may be deaf: no heartbeat arrives. Then who was there counts as still
there, and as a view that has just appeared can't ask for a snapshot, one is sent every second.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from soundforge_nb.dashboards.changes import State, changes
from soundforge_nb.dashboards.source import Followed
from soundforge_nb.dashboards.viewers import LEASE_SECONDS, Viewers
from soundforge_nb.errors import SoundforgeError

log = logging.getLogger(__name__)

Message = dict[str, Any]
#: Stands for a view that was put into a notebook and was not heard yet.
_EXPECTED = "expected"
#: What a view shows of a snapshot, and which of its parts are rows by which id.
StateOf = Callable[[dict[str, Any]], State]


@dataclass(frozen=True)
class Pace:
    """How often a feed looks and speaks, in seconds."""

    fastest: float = 0.1
    #: Without a sign of change it looks this often, so that a lost connection is noticed.
    look: float = 2.0
    #: An answer that takes longer is told of, again and again so often.
    unanswered: float = 1.0
    busy_share: float = 0.25
    first_backoff: float = 0.5
    longest_backoff: float = 10.0
    lease: float = LEASE_SECONDS
    #: While a cell runs: heard nothing for so long is deaf, and then a snapshot goes out so often.
    deaf_after: float = 7.0
    deaf_look: float = 1.0


class Feed:
    """Sends the state of `source` to its views; every method may be called from any thread.

    Parameters
    ----------
    source : Followed
    send : callable
        Hands one message to every view.
    state_of : callable
        From a snapshot to the state that views show; its part ``state`` is ``"finished"`` at rest.
    rows : mapping
        See `changes`.
    cell_runs : callable, optional
        Whether a cell runs, so that messages of views may have to wait.
    """

    def __init__(
        self,
        source: Followed,
        send: Callable[[Message], None],
        state_of: StateOf,
        rows: Mapping[str, str],
        *,
        cell_runs: Callable[[], bool] = lambda: False,
        pace: Pace | None = None,
    ) -> None:
        self._source = source
        self._send = send
        self._state_of = state_of
        self._rows = rows
        self._cell_runs = cell_runs
        self._pace = pace or Pace()
        self._viewers = Viewers(self._pace.lease)
        # Held while a message is made and sent, so that numbers arrive in order.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._state: State = {}
        self._number = 0
        self._snapshot_wanted = False
        self._snapshot_at = float("-inf")
        self._looking_since: float | None = None
        self._heard_at = float("-inf")
        self._shown_at = float("-inf")

    # -- from the views ---------------------------------------------------------------------------

    def expect(self) -> None:
        """A view was put into a notebook, and will be heard as soon as the kernel listens."""
        with self._lock:
            self._shown_at = time.monotonic()
            self._viewers.heard(_EXPECTED, self._shown_at)
            self._start_or_wake()

    def heard(self, view: str, seen: int) -> None:
        """A view is there, and has seen the message of number `seen` (0: none yet)."""
        now = time.monotonic()
        with self._lock:
            self._heard_at = now
            self._viewers.left(_EXPECTED)
            self._viewers.heard(view, now)
            self._say_pulse()
            if self._thread is None or seen != self._number:
                self._snapshot_wanted = True
                self._start_or_wake()

    def left(self, view: str) -> None:
        """A view was closed."""
        with self._lock:
            self._viewers.left(view)
        self._wake.set()

    def look(self) -> None:
        """Look now: the caller knows of a change."""
        self._wake.set()

    @property
    def running(self) -> bool:
        """Whether somebody is fed."""
        return self._thread is not None

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,), name="soundforge-view-watch", daemon=True)
        watch.start()
        try:
            self._look_again_and_again()
        finally:
            over.set()

    def _watch(self, over: threading.Event) -> None:
        """Tell the views while the source does not answer: heartbeats alone would tell too late."""
        while not over.wait(self._pace.unanswered):
            with self._lock:
                if self._unanswered() >= self._pace.unanswered:
                    self._say_pulse()

    def _look_again_and_again(self) -> None:
        backoff = self._pace.first_backoff
        unfollow: Callable[[], None] | None = None
        while self._somebody_looks():
            self._wake.clear()
            try:
                if unfollow is None:
                    unfollow = self._source.follow(self._wake.set)
                took = self._look()
            except Exception as error:
                self._tell_lost(error, backoff)
                _end(unfollow)
                unfollow = None
                self._wake.wait(backoff)
                backoff = min(2 * backoff, self._pace.longest_backoff)
                continue
            backoff = self._pace.first_backoff
            time.sleep(max(self._pace.fastest - took, took / self._pace.busy_share - took, 0.0))
            self._wake.wait(self._until_next_look())
        _end(unfollow)

    def _start_or_wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="soundforge-view", daemon=True)
            self._thread.start()
        self._wake.set()

    def _somebody_looks(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._deaf(now) and not self._resting:
                self._viewers.renew(now)
            if self._viewers.anyone(now, resting=self._resting):
                return True
            self._thread = None
            return False

    def _until_next_look(self) -> float | None:
        now = time.monotonic()
        if self._repeats(now):
            return self._pace.deaf_look
        return None if self._resting else self._pace.look

    def _deaf(self, now: float) -> bool:
        return self._cell_runs() and now - self._heard_at > self._pace.deaf_after

    def _repeats(self, now: float) -> bool:
        """Whether snapshots go out unasked. At rest only for the view that is about to appear."""
        return self._deaf(now) and (not self._resting or now - self._shown_at < self._pace.lease)

    def _look(self) -> float:
        """Look once and tell what is new; returns how many seconds looking took."""
        started = self._looking_since = time.monotonic()
        try:
            state = self._state_of(self._source.snapshot())
        finally:
            self._looking_since = None
        took = time.monotonic() - started
        with self._lock:
            self._tell(state)
        return took

    def _tell(self, state: State) -> None:
        was_resting = self._resting
        changed = changes(self._state, state, self._rows)
        self._state = state
        if was_resting and not self._resting:
            self._viewers.renew(time.monotonic())
        if changed:
            self._number += 1
        now = time.monotonic()
        repeated = self._repeats(now) and now - self._snapshot_at >= self._pace.deaf_look
        if self._snapshot_wanted or repeated:
            self._snapshot_wanted = False
            self._snapshot_at = now
            self._say({"type": "snapshot", "state": state})
        elif changed:
            self._say({"type": "change"} | changed)

    def _unanswered(self) -> float:
        since = self._looking_since
        return 0.0 if since is None else round(time.monotonic() - since, 1)

    def _say_pulse(self) -> None:
        self._say({"type": "pulse", "unanswered_seconds": self._unanswered()})

    def _tell_lost(self, error: Exception, backoff: float) -> None:
        with self._lock:
            # What comes after a loss starts from the whole.
            self._snapshot_wanted = True
            self._say({"type": "lost", "sentence": sentence(error), "again_seconds": backoff})

    def _say(self, message: Message) -> None:
        try:
            self._send(message | {"number": self._number, "at": time.time()})
        except Exception:
            # A page that can't be reached any more must not end the feed of the others.
            log.debug("a message to the views was not sent", exc_info=True)

    @property
    def _resting(self) -> bool:
        return bool(self._state.get("state") == "finished")


def sentence(error: Exception) -> str:
    """An error as a person reads it.

    >>> sentence(ValueError("no"))
    'Something went wrong (ValueError: no).'
    """
    if isinstance(error, SoundforgeError):
        return str(error)
    return f"Something went wrong ({type(error).__name__}: {error})."


def _end(unfollow: Callable[[], None] | None) -> None:
    if unfollow is not None:
        with contextlib.suppress(Exception):
            unfollow()
