"""No child outlives the process that uses it, and none dies because a thread of it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from soundforge_nb.ports.child import Child
from soundforge_nb.ports.environment import clean
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.spawner import spawner

PARENT = Path(__file__).with_name("parent.py")
#: Asks to die with its parent, says so, and answers when it is spoken to.
DIES_WITH_PARENT = """
import ctypes, os
ctypes.CDLL(None).prctl(1, 9)
os.write(1, b"ready")
os.read(0, 1)
os.write(1, b"alive")
"""
FORKS = """
import os, sys, warnings
from soundforge_nb.ports.spawner import spawner
warnings.simplefilter("ignore")

def run():
    with spawner().spawn([sys.executable, "-c", ""], os.environ).result() as process:
        return process.wait(60)

assert run() == 0
pid = os.fork()
if pid == 0:
    os._exit(run())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="PDEATHSIG is Linux' own")


@pytest.mark.parametrize("watch", ["stdin", pytest.param("parent", marks=linux)])
def test_a_killed_parent_takes_its_child_along(gone, watch):
    request = json.dumps({"behave": "hang_stubbornly", "watch": watch})
    with subprocess.Popen([sys.executable, str(PARENT), request], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    gone(pid)


@linux
def test_a_child_outlives_the_thread_that_asked_for_it():
    started: Future[subprocess.Popen[bytes]] = Future()

    def ask():
        started.set_result(spawner().spawn([sys.executable, "-c", DIES_WITH_PARENT], os.environ).result())

    thread = threading.Thread(target=ask)
    thread.start()
    with started.result() as process:
        assert process.stdout.read(5) == b"ready"
        thread.join()
        process.stdin.write(b"?")
        assert process.stdout.read(5) == b"alive"
    assert process.returncode == 0


def test_an_interrupt_while_a_child_is_being_started_ends_it(monkeypatch, gone):
    class Interrupted:
        def __init__(self, future):
            self.future = future
            self.interrupts = [KeyboardInterrupt()]

        def result(self):
            if self.interrupts:
                raise self.interrupts.pop()
            return self.future.result()

    class Interrupting:
        def spawn(self, argv, environment):
            return Interrupted(spawner().spawn(argv, environment))

    monkeypatch.setattr("soundforge_nb.ports.child.spawner", Interrupting)
    child = Child(Program("x", "http.server"), clean(), "")
    with pytest.raises(KeyboardInterrupt):
        child.start()
    child.close()
    assert child.pid is not None
    gone(child.pid)


def test_a_second_process_of_a_fork_gets_a_spawner_of_its_own():
    assert subprocess.run([sys.executable, "-c", FORKS], timeout=60).returncode == 0
