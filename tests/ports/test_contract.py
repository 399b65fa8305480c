"""What every kind of port must do, on children that behave in every way there is."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time

import psutil
import pytest

from soundforge_nb.errors import (
    PortCancelled,
    PortCrashed,
    PortProtocolError,
    PortTimeout,
    ProgramError,
    ProgramMissing,
    UsageError,
    from_json,
)
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.supervisor import PortSupervisor

LONG = 30.0
SHORT = 0.4


# Results -----------------------------------------------------------------------------------------


def test_a_result_with_exit_status_0_is_the_answer(port_factory):
    heard = []
    answer = port_factory().call(
        {"behave": "echo", "path": "/a b/ü<.wav"},
        timeout_seconds=LONG,
        on_progress=lambda *args: heard.append(args),
    )
    assert answer == {"request": {"behave": "echo", "path": "/a b/ü<.wav"}}
    assert heard == [(0, "Begun"), (100, "Done")]


@pytest.mark.parametrize("behave", ["pieces", "no_last_newline", "noisy"])
def test_lines_arrive_in_any_pieces_and_strange_ones_are_survived(port_factory, behave):
    heard = []
    answer = port_factory().call(
        {"behave": behave}, timeout_seconds=LONG, on_progress=lambda *args: heard.append(args)
    )
    assert answer in ({"pieces": True}, {"n": 1}, {"noisy": True})
    assert heard == ([(50, "Hälfte")] if behave == "pieces" else [])


def test_requests_and_results_larger_than_a_pipe_pass(port_factory):
    ballast = "b" * 3_000_000
    answer = port_factory().call(
        {"behave": "large", "size": 3_000_000, "ballast": ballast}, timeout_seconds=LONG
    )
    assert (len(answer["text"]), answer["received"]) == (3_000_000, 3_000_000)


def test_a_flood_neither_blocks_nor_grows_nor_fills_the_log(port_factory, caplog):
    before = psutil.Process().memory_info().rss
    with caplog.at_level(logging.INFO):
        assert port_factory().call({"behave": "flood"}, timeout_seconds=LONG) == {"flooded": True}
    assert psutil.Process().memory_info().rss - before < 30_000_000
    assert len(caplog.records) < 30
    assert "240000 lines" in caplog.records[-1].getMessage()


def test_a_progress_handler_that_raises_is_detached_and_the_work_kept(port_factory, caplog):
    heard = []

    def raises(percent, message):
        heard.append(percent)
        raise ConnectionError

    assert port_factory().call({"behave": "echo"}, timeout_seconds=LONG, on_progress=raises)
    assert heard == [0]
    assert "detached" in caplog.text


def test_after_its_result_a_child_may_be_asked_to_end_if_it_then_ends_well(port_factory):
    port = port_factory(terminate_grace_seconds=5.0)
    request = {"behave": "result_then_hang", "polite": True}
    assert port.call(request, timeout_seconds=LONG) == {"n": 1}


# Errors ------------------------------------------------------------------------------------------


def fails(port, error, request, **options):
    with pytest.raises(error) as caught:
        port.call(request, **({"timeout_seconds": LONG} | options))
    # Whatever happened, the port is ready for its next call.
    assert port.call({"behave": "echo"}, timeout_seconds=LONG)
    return caught.value


def test_an_error_of_the_program_keeps_its_kind_words_and_retry(port_factory):
    request = {"behave": "refuse", "path": "/x.wav", "retry": True}
    error = fails(port_factory(), ProgramError, request)
    assert (error.kind, error.retryable) == ("not_audio", True)
    assert str(error) == "The file /x.wav is no audio. Choose another."
    again = from_json(json.loads(json.dumps(error.as_json())))
    assert (type(again), again.kind, again.retryable) == (ProgramError, "not_audio", True)


@pytest.mark.parametrize("status", [0, 7])
def test_an_error_of_the_program_counts_whatever_its_exit_status(port_factory, status):
    request = {"behave": "refuse", "path": "/x.wav", "status": status}
    assert not fails(port_factory(), ProgramError, request).retryable


def test_a_program_that_hangs_after_its_error_is_ended(port_factory):
    assert fails(port_factory(), ProgramError, {"behave": "refuse_and_hang"}).kind == "stuck"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            {"behave": "exit_with", "status": 3},
            "ended with exit status 3 on /x.wav, without a result: ValueError",
        ),
        ({"behave": "exit_with", "status": 0}, "ended with exit status 0 on /x.wav, without a result"),
        ({"behave": "result_then_exit", "status": 4}, "exit status 4 on /x.wav, although it gave a result"),
        ({"behave": "silent"}, "ended with exit status 0"),
        ({"behave": "kill_self", "signal": signal.SIGKILL}, "was killed (SIGKILL), perhaps because memory"),
        ({"behave": "kill_self", "signal": signal.SIGSEGV}, "crashed (SIGSEGV)"),
        ({"behave": "kill_self", "signal": signal.SIGUSR1}, "was ended by a signal (SIGUSR1)"),
        ({"behave": "result_then_hang"}, "although it gave a result and did not end by itself"),
    ],
)
def test_every_other_end_is_a_crash_in_words(port_factory, request_, words):
    error = fails(port_factory(), PortCrashed, request_ | {"path": "/x.wav"})
    assert words in error.message
    assert error.retryable


def test_the_tail_of_the_log_travels_with_the_error(port_factory):
    error = fails(port_factory(), PortCrashed, {"behave": "exit_with", "status": 3})
    assert error.stderr_tail == "ValueError: the last word"
    assert from_json(error.as_json()).stderr_tail == error.stderr_tail
    assert error.details["exit_status"] == 3


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        ("no_hello", "sent a result before its hello"),
        ("early_progress", "sent a progress before its hello"),
        ("old", "speaks protocol 99"),
        ("stranger", "calls itself somebody"),
        ("endless_line", "wrote a line of more than"),
    ],
)
def test_a_breach_of_the_protocol_ends_the_child(port_factory, behave, words):
    assert words in fails(port_factory(), PortProtocolError, {"behave": behave}).message


def test_a_missing_module_of_the_program_is_named_with_the_remedy(port_factory):
    error = fails(port_factory(), ProgramMissing, {"behave": "import_fails"})
    assert "a_module_that_is_not_there is missing" in error.message
    assert "Install" in error.remedy


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (Program("x", "not_there"), "not_there is missing"),
        (Program("x", "not.there"), "not is missing"),
        (Program("x", "children", "/no/python"), "/no/python can't be started"),
        (Program("x", "children", "/etc"), "/etc can't be started"),
        (Program("x", "children", "/etc/hostname"), "/etc/hostname can't be started"),
    ],
)
def test_a_missing_program_or_interpreter_says_so(port_factory, program, words):
    with pytest.raises(ProgramMissing) as caught:
        port_factory(program=program).call({}, timeout_seconds=LONG)
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_request_that_is_not_json_is_refused(port_factory):
    for request in ({"n": float("nan")}, {"n": object()}):
        with pytest.raises(UsageError):
            port_factory().call(request, timeout_seconds=LONG)


# Ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behave", ["hang", "hang_stubbornly", "hang_flooding"])
def test_a_child_out_of_time_is_ended(port_factory, behave):
    began = time.monotonic()
    error = fails(port_factory(), PortTimeout, {"behave": behave, "path": "/x.wav"}, timeout_seconds=SHORT)
    assert "ran out of time on /x.wav" in error.message
    assert time.monotonic() - began < 10


def test_a_child_that_is_told_to_end_may_tidy_up_once(port_factory, tmp_path):
    tidied = tmp_path / "tidied"
    port = port_factory(terminate_grace_seconds=LONG)
    fails(port, PortTimeout, {"behave": "hang_politely", "tidied": str(tidied)}, timeout_seconds=1.0)
    assert tidied.read_text() == "tidied\n"


@pytest.mark.parametrize("behave", ["hang", "hang_stubbornly", "hang_flooding"])
def test_a_cancel_from_another_thread_ends_the_child_within_2_seconds(port_factory, background, gone, behave):
    port = port_factory(cancel_grace_seconds=1.0)
    call = background(port, {"behave": behave}).running()
    began = time.monotonic()
    assert port.cancel("the person said so")
    error = call.over()
    assert time.monotonic() - began < 2.0
    assert isinstance(error, PortCancelled)
    assert "the person said so" in error.message
    gone(int(call.message))
    assert port.call({"behave": "echo"}, timeout_seconds=LONG)


def test_a_cancel_shortens_the_long_grace_of_a_timeout(port_factory, background):
    port = port_factory(terminate_grace_seconds=LONG, cancel_grace_seconds=0.1)
    call = background(port, {"behave": "hang_stubbornly"}, timeout_seconds=1.0).running()
    began = time.monotonic()
    threading.Timer(1.2, port.cancel, ["enough"]).start()
    assert isinstance(call.over(), PortCancelled)
    assert time.monotonic() - began < LONG / 2


def test_a_cancel_without_a_call_says_so(port_factory):
    assert port_factory().cancel("nobody is here") is False


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_of_the_caller_ends_the_child_too(port_factory, gone, error):
    pids = []

    def interrupt(percent, message):
        pids.append(int(message))
        raise error

    with pytest.raises(error):
        port_factory().call({"behave": "hang_stubbornly"}, timeout_seconds=LONG, on_progress=interrupt)
    gone(*pids)


@pytest.fixture
def interruptible():
    """As in a terminal: what a shell starts in the background is deaf to interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_real_interrupt_signal_ends_the_child(port_factory, gone):
    pids = []

    def interrupt(percent, message):
        pids.append(int(message))
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        port_factory().call({"behave": "hang"}, timeout_seconds=LONG, on_progress=interrupt)
    gone(*pids)


@pytest.mark.parametrize("hang", [False, True])
def test_grandchildren_end_with_the_child(port_factory, gone, hang):
    pids = []
    port = port_factory()
    options = {"on_progress": lambda percent, message: pids.extend(json.loads(message))}
    if hang:
        fails(port, PortTimeout, {"behave": "family", "hang": True}, timeout_seconds=1.5, **options)
    else:
        answer = port.call({"behave": "family"}, timeout_seconds=LONG, **options)
        assert answer["pids"] == pids[1:]
    assert len(pids) == 3
    gone(*pids)


def test_one_call_at_a_time(port_factory, background):
    port = port_factory()
    call = background(port, {"behave": "hang"}).running()
    with pytest.raises(UsageError, match="busy"):
        port.call({"behave": "echo"}, timeout_seconds=LONG)
    port.cancel("done")
    call.over()


# Surroundings ------------------------------------------------------------------------------------


def test_children_do_not_inherit_each_others_pipes(port_factory, background):
    hanging = port_factory()
    call = background(hanging, {"behave": "hang"}).running()
    if sys.platform == "linux":
        assert port_factory().call({"behave": "descriptors"}, timeout_seconds=LONG)["fds"] == [0, 1, 2]
    hanging.cancel("done")
    call.over()


def test_a_child_sees_no_secret_and_no_text_of_a_person_in_its_arguments(port_factory, monkeypatch):
    monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", "x")
    request = {"behave": "environment", "path": "/a; rm -rf $HOME.wav"}
    answer = port_factory().call(request, timeout_seconds=LONG)
    assert "SPOTIPY_CLIENT_SECRET" not in answer["environment"]
    assert len(answer["argv"]) == 1
    assert "" not in answer["path"]


@pytest.mark.parametrize(
    ("request_", "last", "kind"),
    [
        ({"behave": "echo"}, "port.stop", None),
        ({"behave": "silent"}, "port.exception", "crashed"),
    ],
)
def test_each_call_emits_its_start_and_exactly_one_end(port_factory, request_, last, kind):
    events = []
    port = port_factory(on_event=lambda *event: events.append(event))
    try:
        port.call(request_, timeout_seconds=LONG, owner="job/lease")
    except PortCrashed:
        assert kind == "crashed"
    (start, _, begun), (name, measurements, metadata) = events
    assert (start, name) == ("port.start", last)
    assert begun == {"program": "children", "owner": "job/lease"}
    assert metadata.get("kind") == kind
    assert metadata["pid"] > 0
    assert 0 < measurements["duration_seconds"] < LONG
    if kind is None:
        assert 0 < measurements["start_seconds"] < measurements["duration_seconds"]


def test_an_event_handler_that_raises_is_detached(port_factory, caplog):
    def raises(*event):
        raise ValueError

    assert port_factory(on_event=raises).call({"behave": "echo"}, timeout_seconds=LONG)
    assert caplog.text.count("is detached") == 1


def test_a_supervisor_ends_a_port_by_its_owner(port_factory, background, supervisor):
    call = background(port_factory(supervisor=supervisor), {"behave": "hang"}, owner="a/1").running()
    (live,) = supervisor.ports()
    assert (live.pid, live.program, live.owner) == (int(call.message), "children", "a/1")
    assert live.memory_bytes > 1_000_000
    assert 0 < live.age_seconds < LONG
    assert supervisor.cancel("b/1", "another") is False
    assert supervisor.cancel("a/1", "the lease is lost") is True
    assert "the lease is lost" in call.over().message
    assert supervisor.ports() == []


def test_a_cancel_that_overtakes_the_start_is_remembered(port_factory, supervisor):
    events = []
    port = port_factory(supervisor=supervisor, on_event=lambda *event: events.append(event))
    assert supervisor.cancel("a/1", "too early") is False
    with pytest.raises(PortCancelled, match="too early"):
        port.call({"behave": "hang"}, timeout_seconds=LONG, owner="a/1")
    assert [name for name, _, _ in events] == ["port.start", "port.exception"]
    assert port.call({"behave": "echo"}, timeout_seconds=LONG, owner="a/2")


def test_a_supervisor_that_closes_ends_all_and_refuses_new_ones(port_factory, background, gone):
    supervisor = PortSupervisor(grace_seconds=0.5)
    calls = [
        background(
            port_factory(supervisor=supervisor, cancel_grace_seconds=LONG), {"behave": behave}
        ).running()
        for behave in ("hang", "hang_stubbornly")
    ]
    supervisor.close()
    gone(*(int(call.message) for call in calls))
    assert all("closing" in call.over().message for call in calls)
    with pytest.raises(PortCancelled, match="closing"):
        port_factory(supervisor=supervisor).call({"behave": "echo"}, timeout_seconds=LONG)


def test_a_cancel_at_any_moment_of_a_start_is_never_lost(port_factory, background, supervisor):
    port = port_factory(supervisor=supervisor)
    for moment in range(8):
        owner = f"a/{moment}"
        call = background(port, {"behave": "hang"}, owner=owner)
        time.sleep(moment * 0.004)  # the race itself is the thing under test
        supervisor.cancel(owner, "now")
        assert isinstance(call.over(), PortCancelled)
