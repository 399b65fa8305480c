import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conversations import ask, converse, hear, start

BEGIN = """
import os, sys, time
from soundforge_nb.programs.child import run
from soundforge_nb.errors import InputError
"""
END = '\nrun("test", handle)\n'


def child(body: str) -> tuple[str, str]:
    """A program whose handler has this body."""
    indented = "\n".join("    " + line for line in body.strip().splitlines())
    return "-c", f"{BEGIN}def handle(request, report):\n{indented}{END}"


def test_hello_progress_result_and_exit_status() -> None:
    said = converse(*child("report(10, 'Half')\nreturn {'got': request['a']}"), request={"a": 1})
    assert [line["type"] for line in said.lines] == ["hello", "progress", "result"]
    assert said.lines[0]["program"] == "test"
    assert said.result == {"got": 1}
    assert said.returncode == 0


def test_what_libraries_print_does_not_reach_the_protocol() -> None:
    body = """
print("a library talks")
os.write(1, b"so does C code\\n")
os.system("echo and its children")
sys.stdout.flush()
return {}
"""
    said = converse(*child(body), request={})
    assert [line["type"] for line in said.lines] == ["hello", "result"]
    for words in ("a library talks", "so does C code", "and its children"):
        assert words in said.log


@pytest.mark.parametrize(
    ("body", "kind", "retry"),
    [
        ("raise InputError('It is empty.', 'Copy it.', kind='empty')", "empty", False),
        ("raise MemoryError", "out_of_memory", True),
        (
            "raise RuntimeError('[enforce fail] DefaultCPUAllocator: can\\'t allocate memory')",
            "out_of_memory",
            True,
        ),
        ("raise OSError(28, 'No space left on device')", "disk_full", True),
        ("raise ZeroDivisionError", "internal", True),
        ("raise SystemExit(3)", "internal", True),
        ("return {'value': float('nan')}", "internal", True),
        ("return {'value': object()}", "internal", True),
    ],
)
def test_every_failure_is_an_error_line_and_status_1(body: str, kind: str, retry: bool) -> None:
    said = converse(*child(body), request={})
    assert said.last["type"] == "error"
    assert (said.last["kind"], said.last["retry"], said.returncode) == (kind, retry, 1)
    assert said.last["message"].endswith(".")
    assert ("Traceback" in said.log) == (kind != "empty")


def test_progress_never_goes_back_and_is_not_a_flood() -> None:
    body = """
began = time.monotonic()
for percent in [*range(0, 101), 50, -3, 100, 250]:
    report(percent, "Working")
    time.sleep(0.004)
return {"seconds": time.monotonic() - began}
"""
    said = converse(*child(body), request={})
    assert said.percents == sorted(set(said.percents))
    assert said.percents[0] == 0
    assert said.percents[-1] == 100
    assert len(said.percents) <= said.result["seconds"] * 10 + 3


@pytest.mark.parametrize("line", [b"this is no JSON\n", b"[1, 2]\n", b"\xff\xfe\n"])
def test_a_request_that_is_none_is_a_usage_error(line: bytes) -> None:
    process = start(*child("return {}"))
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()
    said = hear(process)
    assert (said.last["kind"], said.returncode) == ("usage", 1)


def test_the_end_of_stdin_is_the_end_of_the_child() -> None:
    process = start(*child("report(1, 'Working')\ntime.sleep(60)\nreturn {}"))
    ask(process, {})
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.readline(), process.stdout.readline()
    began = time.monotonic()
    process.stdin.close()
    process.wait(10)
    assert time.monotonic() - began < 2
    process.stdout.close(), process.stderr.close()


def test_its_own_children_end_with_it() -> None:
    body = """
import subprocess
sleeper = subprocess.Popen(["sleep", "60"])
report(sleeper.pid % 100 or 1, str(sleeper.pid))
time.sleep(60)
"""
    process = start(*child(body))
    ask(process, {})
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.readline()
    pid = int(__import__("json").loads(process.stdout.readline())["message"])
    process.stdin.close()
    process.wait(10)
    assert _is_gone(pid)
    process.stdout.close(), process.stderr.close()


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_parents_death_is_the_end_of_the_child(tmp_path: Path) -> None:
    # The grandchild's stdin stays open here, in the test: only PDEATHSIG can end it.
    code = child("open(request['pid'], 'w').write(str(os.getpid()))\ntime.sleep(60)")
    parent_code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, *{code!r}]); time.sleep(60)"
    )
    parent = start("-c", parent_code)
    pid_file = tmp_path / "pid"
    ask(parent, {"pid": str(pid_file)})
    deadline = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        pass
    parent.kill()
    parent.wait()
    assert _is_gone(int(pid_file.read_text()))
    for stream in (parent.stdin, parent.stdout, parent.stderr):
        assert stream is not None
        stream.close()


def test_sigterm_ends_it_quietly() -> None:
    process = start(*child("report(1, 'Working')\ntime.sleep(60)\nreturn {}"))
    ask(process, {})
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    process.terminate()
    said = hear(process)
    assert said.returncode == -signal.SIGTERM
    assert said.log == ""


def test_a_detached_child_needs_no_open_stdin() -> None:
    command = [sys.executable, *child("time.sleep(0.1)\nreturn {'done': True}")]
    done = subprocess.run(command, input=b'{"detached": true}\n', capture_output=True, check=True, timeout=30)
    assert b'"done": true' in done.stdout
    gone = subprocess.run(command, input=b"", capture_output=True, timeout=30)
    assert gone.returncode != 0


def test_a_reader_who_went_away_is_the_end_of_the_child() -> None:
    process = start(
        *child("for percent in range(99):\n    time.sleep(0.02)\n    report(percent, '')\nreturn {}")
    )
    assert process.stdout is not None
    ask(process, {})
    process.stdout.readline()
    process.stdout.close()
    process.wait(20)
    assert process.returncode != 0
    for stream in (process.stdin, process.stderr):
        assert stream is not None
        stream.close()
