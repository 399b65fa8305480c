"""A program that speaks the protocol, well or in one of many bad ways.

Run as ``python -m children``; the request's ``behave`` names a function below. It stands alone: what
is tested is what a child does, not what this package helps it to do.
"""

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

FOREVER_SECONDS = 600
SLEEPER = [sys.executable, "-c", f"import time; time.sleep({FOREVER_SECONDS})"]


def say(**message):
    os.write(1, json.dumps(message).encode() + b"\n")


def hello(program="children", protocol=1):
    say(type="hello", program=program, protocol=protocol, version="1")


def progress(percent, message=""):
    say(type="progress", percent=percent, message=message)


def result(**value):
    say(type="result", value=value)


def stay():
    while True:
        time.sleep(FOREVER_SECONDS)


def ignore_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


# Well behaved ------------------------------------------------------------------------------------


def echo(request):
    hello()
    progress(0, "Begun")
    progress(100, "Done")
    result(request=request)


def environment(request):
    hello()
    result(environment=dict(os.environ), argv=sys.argv, path=sys.path)


def descriptors(request):
    hello()
    seen = list(Path("/proc/self/fd").iterdir())
    result(fds=sorted(int(path.name) for path in seen if path.exists()))


def pieces(request):
    for message in (
        {"type": "hello", "program": "children", "protocol": 1, "version": "1"},
        {"type": "progress", "percent": 50, "message": "Hälfte"},
        {"type": "result", "value": {"pieces": True}},
    ):
        for byte in json.dumps(message, ensure_ascii=False).encode() + b"\n":
            os.write(1, bytes([byte]))


def no_last_newline(request):
    hello()
    os.write(1, b'{"type": "result", "value": {"n": 1}}')


def large(request):
    hello()
    result(text="x" * request["size"], received=len(request.get("ballast", "")))


def noisy(request):
    os.write(1, b"Downloading: 10%\r20%\n\xff\xfe\n[1, 2]\n{}\nnull\n" + b"[" * 100_000 + b"\n")
    hello()
    say(type="progress", percent="many")
    say(type="weather", sun=True)
    say(type="result", value=[1])
    result(noisy=True)


def flood(request):
    junk = b"noise noise noise\n" * 4000
    for _ in range(60):
        os.write(1, junk)
        os.write(2, junk)
    hello()
    os.write(2, b"the last word\n")
    result(flooded=True)


# Errors ------------------------------------------------------------------------------------------


def refuse(request):
    hello()
    say(
        type="error",
        kind="not_audio",
        message=f"The file {request['path']} is no audio.",
        remedy="Choose another.",
        retry=request.get("retry", False),
    )
    sys.exit(request.get("status", 1))


def refuse_and_hang(request):
    hello()
    say(type="error", kind="stuck", message="Stuck.")
    stay()


def exit_with(request):
    hello()
    print("ValueError: the last word", file=sys.stderr, flush=True)
    sys.exit(request["status"])


def result_then_exit(request):
    hello()
    result(n=1)
    sys.exit(request["status"])


def result_then_hang(request):
    hello()
    result(n=1)
    if request.get("polite"):
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    stay()


def kill_self(request):
    hello()
    os.kill(os.getpid(), request["signal"])
    stay()


def silent(request):
    pass


def no_hello(request):
    result(n=1)


def early_progress(request):
    progress(5)
    stay()


def old(request):
    hello(protocol=99)
    stay()


def stranger(request):
    hello(program="somebody")
    stay()


def endless_line(request):
    hello()
    while True:
        os.write(1, b"x" * 1_000_000)


def import_fails(request):
    importlib.import_module("a_module_that_is_not_there")


# Long ones ---------------------------------------------------------------------------------------


def hang(request):
    hello()
    progress(1, str(os.getpid()))
    stay()


def hang_stubbornly(request):
    ignore_term()
    hang(request)


def hang_politely(request):
    def tidy(number, frame):
        with Path(request["tidied"]).open("a") as file:
            file.write("tidied\n")
        sys.exit(0)

    signal.signal(signal.SIGTERM, tidy)
    hang(request)


def hang_flooding(request):
    ignore_term()
    hello()
    progress(1, str(os.getpid()))
    while True:
        os.write(1, b"noise\n" * 1000)
        os.write(2, b"noise\n" * 1000)


def family(request):
    """Leaves grandchildren: one in the group, one in a group of its own, both deaf to TERM."""
    ignore_term()
    hello()
    same = subprocess.Popen(SLEEPER)
    own = subprocess.Popen(SLEEPER, process_group=0)
    progress(2, json.dumps([os.getpid(), same.pid, own.pid]))
    if request.get("hang"):
        stay()
    result(pids=[same.pid, own.pid])
    os._exit(0)


# Frame -------------------------------------------------------------------------------------------


def watch_stdin():
    while os.read(0, 1):
        pass
    os._exit(3)


def die_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main():
    # By byte, not by a buffered reader, which two threads can't share.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 65536)
    request = json.loads(line)
    if request.get("watch", "stdin") == "stdin":
        threading.Thread(target=watch_stdin, daemon=True).start()
    else:
        die_with_parent()
    globals()[request["behave"]](request)


if __name__ == "__main__":
    main()
