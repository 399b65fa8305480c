"""`soundforge doctor` and `soundforge logs`: on what is well, on what is broken, on nothing at all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import soundforge_nb as sf
from soundforge_nb import cli
from soundforge_nb.cluster.discovery import read_whereabouts
from soundforge_nb.forge.doctor import application as application_check
from soundforge_nb.forge.doctor import sound
from soundforge_nb.lifecycle.log_bounds import move_aside

CODECS = {"codec.WAV", "codec.FLAC", "codec.MP3", "codec.OGG", "codec.Opus", "codec.M4A/AAC"}


@pytest.fixture
def doctor(capsys):
    """Run the doctor on a folder; gives its status and its findings by check."""

    def run(folder: Path):
        status = cli.main(["doctor", "--json", "--data-folder", str(folder)])
        printed = capsys.readouterr()
        assert printed.err == ""
        answer = json.loads(printed.out)
        assert status == (1 if answer["level"] == "problem" else 0)
        for finding in answer["findings"]:
            assert bool(finding["remedy"]) == (finding["level"] != "ok"), finding
        return status, {finding["check"]: finding for finding in answer["findings"]}

    return run


@pytest.fixture
def no_children(monkeypatch):
    """The checks in children take seconds and are no part of some tests."""
    monkeypatch.setattr(sound, "_asked", lambda config, request: ANSWERS[request["part"]])


ANSWERS = {
    "sound": {"codecs": [], "versions": {}, "features": []},
    "models": {
        "models": [{"name": "demo", "licence": "MIT"}],
        "demo": {"sha256": "a", "expected_sha256": "a", "parameters": 1, "scores": {}},
        "devices": ["cpu"],
    },
}


@pytest.mark.timeout(150)
def test_nothing_there_yet(doctor, tmp_path):
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    status, findings = doctor(tmp_path / "none")

    assert status == 0
    assert findings.keys() >= CODECS
    assert {finding["level"] for check, finding in findings.items() if check in CODECS} == {"ok"}
    assert "as its card says" in findings["model.demo"]["message"]
    assert "MIT" in findings["model.demo"]["message"]
    assert findings["packages"]["details"]["versions"]["duckdb"]
    assert "None runs" in findings["application"]["message"]
    assert not (tmp_path / "none").exists()
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


@pytest.mark.timeout(120)
def test_an_application_that_is_well(doctor, forge, no_children):
    status, findings = doctor(forge.config.data_folder)

    assert status == 0
    assert findings["application"]["level"] == "ok"
    assert findings["application"]["details"]["version"] == sf.__version__
    assert "1 Dask worker" in findings["dask_workers"]["message"]
    assert findings["store"]["details"]["rows"]["jobs"] >= 0
    assert findings["keys"]["level"] == "ok"


@pytest.mark.timeout(120)
def test_an_application_that_does_not_answer(doctor, own_folder, no_children, monkeypatch):
    monkeypatch.setattr(application_check, "ANSWER_SECONDS", 1.0)
    with sf.connect(data_folder=own_folder):
        process = psutil.Process(read_whereabouts(own_folder / "scheduler.json").pid)
        process.suspend()
        try:
            status, findings = doctor(own_folder)
        finally:
            process.resume()

    assert status == 1
    assert findings["application"]["level"] == "problem"
    assert f"process {process.pid}" in findings["application"]["message"]
    assert "soundforge restart" in findings["application"]["remedy"]


@pytest.mark.timeout(120)
def test_what_a_kill_left(doctor, own_folder, no_children):
    with sf.connect(data_folder=own_folder):
        pid = read_whereabouts(own_folder / "scheduler.json").pid
        everyone = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(everyone, timeout=20)

    status, findings = doctor(own_folder)

    assert status == 0
    assert findings["scheduler_file"]["level"] == "warning"
    assert f"process {pid}" in findings["scheduler_file"]["message"]
    assert findings["store"]["level"] == "ok"
    assert findings["schema"]["level"] == "ok"


def test_everything_is_broken(doctor, tmp_path, no_children):
    folder = tmp_path / "data"
    (folder / "tls").mkdir(parents=True, mode=0o755)
    (folder / "logs").mkdir()
    (folder / "tls" / "key.pem").write_text("no key")
    (folder / "soundforge.duckdb").write_bytes(b"no database" * 1000)
    (folder / "soundforge.toml").write_text("colour = 'red'")
    (folder / "scheduler.json").write_text("{")
    (folder / "logs" / "application.log").write_text("2026 INFO\nsoundforge: The library burns. Run.\n")
    folder.chmod(0o755)

    status, findings = doctor(folder)

    assert status == 1
    levels = {check: finding["level"] for check, finding in findings.items()}
    assert levels["settings"] == levels["keys"] == levels["store"] == "problem"
    assert levels["data_folder"] == levels["scheduler_file"] == levels["last_start"] == "warning"
    assert "colour" in findings["settings"]["message"]
    assert "The library burns." in findings["last_start"]["message"]
    assert (folder / "soundforge.duckdb").read_bytes() == b"no database" * 1000


def test_served_elsewhere(doctor, tmp_path, no_children):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    whereabouts = {
        "address": "tls://far:1", "http": "", "pid": 1, "process_started": 0.0, "host": "far.example",
        "boot_id": "another", "version": sf.__version__, "protocol": 1,
    }  # fmt: skip
    (folder / "scheduler.json").write_text(json.dumps(whereabouts))

    status, findings = doctor(folder)

    assert status == 1
    assert "far.example" in findings["application"]["message"]
    assert socket.gethostname() not in findings["application"]["message"]


@pytest.mark.timeout(120)
def test_a_library_for_sound_that_does_not_load(doctor, tmp_path, monkeypatch):
    broken = tmp_path / "path" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libtorch.so: undefined symbol')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))

    status, findings = doctor(tmp_path / "none")

    assert status == 1
    assert findings["separation"]["level"] == "problem"
    assert "undefined symbol" in findings["separation"]["message"]
    assert "pip install" in findings["separation"]["remedy"]
    assert findings["analysis"]["level"] == "ok"


def test_a_person_reads_sentences(tmp_path, capsys, no_children):
    assert cli.main(["doctor", "--data-folder", str(tmp_path / "none")]) == 0

    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("0 problems")
    assert "demo loads" in out


@pytest.mark.timeout(120)
def test_logs(forge, capsys):
    folder = str(forge.config.data_folder)

    assert cli.main(["logs", "--lines", "5", "--data-folder", folder]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5

    assert cli.main(["logs", "--json", "--data-folder", folder]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert Path(entry["path"]).name == "application.log"
    assert entry["bytes"] > 0
    # Dask workers write there too: they inherit it.
    assert "distributed.worker" in Path(entry["path"]).read_text()


def test_logs_of_nobody(tmp_path, capsys):
    assert cli.main(["logs", "--data-folder", str(tmp_path)]) == 0
    assert "Nothing was written" in capsys.readouterr().err


@pytest.mark.timeout(60)
def test_logs_are_followed_while_they_move_aside(tmp_path):
    log = tmp_path / "logs" / "application.log"
    log.parent.mkdir()
    log.write_text("before\n")
    command = [sys.executable, "-m", "soundforge_nb.cli", "logs", "--follow", "--data-folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shown:
        assert shown.stdout is not None
        assert shown.stdout.readline() == "before\n"
        with log.open("ab", buffering=0) as writer:
            writer.write(b"first\n")
            assert shown.stdout.readline() == "first\n"
            assert move_aside(log, 1)
            writer.write(b"new\n")
            assert shown.stdout.readline() == "new\n"
        shown.send_signal(signal.SIGINT)
        assert shown.wait(20) == 130
        assert shown.stderr.read() == ""


@pytest.mark.timeout(120)
def test_the_log_of_a_job_says_what_its_child_said(forge, song, tmp_path, capsys):
    file = song(tmp_path / "cut.wav", seconds=2, seed=77)
    file.write_bytes(file.read_bytes()[:100_000])
    batch = forge.process(file, analyze="energy")
    assert batch.wait(100, progress=False)
    (job_id,) = batch.snapshot()["job_ids"]
    folder = str(forge.config.data_folder)

    assert cli.main(["logs", "--job", job_id, "--data-folder", folder]) == 0
    out = capsys.readouterr().out
    assert out.startswith("attempt 1 on ")
    assert "cut.wav" in out

    assert cli.main(["logs", "--json", "--job", job_id, "--data-folder", folder]) == 0
    (attempt,) = json.loads(capsys.readouterr().out)
    assert "cut.wav" in attempt["error"]["message"]

    assert cli.main(["logs", "--job", "nonsense", "--data-folder", folder]) == 1
    assert "There is no job nonsense" in capsys.readouterr().err


@pytest.mark.timeout(120)
def test_served_in_a_shell_the_log_is_in_the_file_too(own_folder, capsys):
    command = [sys.executable, "-m", "soundforge_nb.cli", "serve", "--data-folder", str(own_folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as served:
        until = time.monotonic() + 60
        while read_whereabouts(own_folder / "scheduler.json") is None:
            assert time.monotonic() < until, "it did not come up"
            time.sleep(0.05)
        sf.connect(data_folder=own_folder).close()
        assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
        served.communicate(timeout=30)
    capsys.readouterr()

    assert cli.main(["logs", "--data-folder", str(own_folder)]) == 0
    assert "distributed" in capsys.readouterr().out
