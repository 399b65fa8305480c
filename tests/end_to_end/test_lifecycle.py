"""Starting, finding, leaving and ending the application."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import distributed
import psutil
import pytest

import soundforge_nb as sf
from soundforge_nb.cluster.discovery import read_whereabouts
from soundforge_nb.cluster.security import ensure_keys, security_of

RACERS = 8
CONNECT = """
import sys
import soundforge_nb as sf
with sf.connect(data_folder=sys.argv[1], linger_seconds=60) as forge:
    print(forge.status()["version"], flush=True)
"""


def _connecting(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONNECT, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(120)
def test_a_start_race_ends_as_one(own_folder):
    processes = [_connecting(own_folder) for _ in range(RACERS)]

    outputs = [process.communicate(timeout=100) for process in processes]

    assert [output for output, _ in outputs] == [f"{sf.__version__}\n"] * RACERS, outputs
    assert [noise for _, noise in outputs] == [""] * RACERS
    serving = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "soundforge_nb.cli" in (process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("SOUNDFORGE_DATA_FOLDER") == str(own_folder)
    ]
    assert len(serving) == 1
    log = (own_folder / "logs" / "application.log").read_text()
    assert "another process serves" not in log, "more than one was started"


@pytest.mark.timeout(200)
def test_the_end_of_a_kernel_ends_no_job(own_folder, song, tmp_path, watcher, is_separating):
    file = song(tmp_path / "long.wav", seconds=8)
    script = (
        "import sys, soundforge_nb as sf\n"
        "forge = sf.connect(data_folder=sys.argv[1])\n"
        "batch = forge.process(sys.argv[2], separate='demo')\n"
        "print(batch.batch_id, flush=True)\n"
        "batch.wait(progress=False)\n"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", script, str(own_folder), str(file)], stdout=subprocess.PIPE, text=True
    )
    assert kernel.stdout is not None
    with kernel:
        batch_id = kernel.stdout.readline().strip()
        with sf.connect(data_folder=own_folder) as second:
            watching = watcher(second)
            batch = second.batch(batch_id)
            kernel.send_signal(signal.SIGKILL)
            kernel.wait()

            assert batch.wait(150, progress=False)

            assert batch.ok
            assert list(second.jobs()["attempt"]) == [1]
            watching.close()


@pytest.mark.timeout(120)
def test_ctrl_c_while_waiting_loses_nothing(own_folder, song, tmp_path):
    file = song(tmp_path / "interrupted.wav", seconds=6)
    command = [sys.executable, "-m", "soundforge_nb.cli", "process", "--data-folder", str(own_folder)]
    shell = subprocess.Popen(
        [*command, "--separate", "demo", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert shell.stdout is not None
    with shell:
        shell.stdout.readline()
        shell.send_signal(signal.SIGINT)
        _, told = shell.communicate(timeout=60)
    assert shell.returncode == 130
    assert "The jobs go on" in told
    assert "Traceback" not in told
    with sf.connect(data_folder=own_folder) as forge:
        (batch_id,) = forge.sql("SELECT DISTINCT batch_id::VARCHAR FROM batches").df().iloc[:, 0]
        batch = forge.batch(batch_id)
        assert batch.wait(100, progress=False)
        assert batch.ok


@pytest.mark.timeout(60)
def test_it_ends_by_itself_when_nobody_needs_it(own_folder, application):
    with sf.connect(data_folder=own_folder, linger_seconds=1):
        everyone = application(own_folder).everyone()
        assert len(everyone) >= 2

    _, left = psutil.wait_procs(everyone, timeout=30)

    assert not left
    assert not (own_folder / "scheduler.json").exists()


@pytest.mark.timeout(90)
def test_everything_is_in_the_data_folder_and_the_keys_are_private(own_folder, application):
    with sf.connect(data_folder=own_folder):
        assert own_folder.stat().st_mode & 0o777 == 0o700
        assert (own_folder / "tls").stat().st_mode & 0o777 == 0o700
        for name in ("key.pem", "certificate.pem"):
            assert (own_folder / "tls" / name).stat().st_mode & 0o777 == 0o600
        assert (own_folder / "scheduler.json").stat().st_mode & 0o777 == 0o600
        for process in application(own_folder).everyone():
            for connection in process.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    assert connection.laddr.ip == "127.0.0.1", "listens beyond loopback"
    assert {entry.name for entry in own_folder.iterdir()} <= {
        "cache", "lock", "logs", "scheduler.json", "soundforge.duckdb", "soundforge.duckdb.journal",
        "soundforge.duckdb.wal", "staging", "start.lock", "stems", "tls",
    }  # fmt: skip


@pytest.mark.timeout(60)
def test_a_client_without_the_key_is_refused(forge, tmp_path):
    other = tmp_path / "stranger" / "tls"
    ensure_keys(other)
    address = read_whereabouts(forge.config.scheduler_file).address

    with pytest.raises(sf.SoundforgeError, match="did not accept the keys"):
        sf.connect(address, data_folder=tmp_path / "stranger", rpc_timeout_seconds=5)


def test_without_keys_there_is_a_sentence(tmp_path):
    with pytest.raises(sf.SoundforgeError, match=r"keys in .* can't be read"):
        sf.connect("tls://127.0.0.1:1", data_folder=tmp_path)


def test_an_address_that_leads_nowhere_is_one_sentence(tmp_path):
    ensure_keys(tmp_path / "tls")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"tls://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(sf.SoundforgeError, match="Nothing answers at"):
            sf.connect(nobody, data_folder=tmp_path)
    for address in ("nonsense", "tcp://127.0.0.1:1", "https://there", "tls://host", "tls://host:port"):
        with pytest.raises(sf.SoundforgeError, match="is no address of an application"):
            sf.connect(address, data_folder=tmp_path)


@pytest.mark.timeout(60)
def test_a_dask_scheduler_without_an_application_is_one_sentence(tmp_path):
    ensure_keys(tmp_path / "tls")
    with (
        distributed.LocalCluster(
            n_workers=0,
            security=security_of(tmp_path / "tls"),
            protocol="tls",
            dashboard_address=None,
            host="127.0.0.1",
        ) as cluster,
        pytest.raises(sf.SoundforgeError, match="hosts no soundforge application"),
    ):
        sf.connect(cluster.scheduler_address, data_folder=tmp_path)


def test_a_plain_tls_client_gets_nowhere(forge):
    address = read_whereabouts(forge.config.scheduler_file).address
    host, tcp_port = address.removeprefix("tls://").split(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, int(tcp_port)), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain) as stream,
    ):
        stream.sendall(b"hello")
        if not stream.recv(1):
            raise ConnectionError("closed")


def test_health_and_metrics_are_told_over_http_and_nothing_else(forge, song, tmp_path):
    http = forge.status()["http"]
    assert http == read_whereabouts(forge.config.scheduler_file).http

    with urllib.request.urlopen(f"{http}/soundforge/health", timeout=10) as answer:
        body = json.load(answer)

    assert answer.status == 200
    names = [child["name"] for child in body["children"]]
    assert names == [
        "telemetry", "store", "pubsub", "token refresher", "queue:download", "queue:processing",
        "queue:analysis", "link keeper", "lifeline", "pruner", "janitor", "endpoint",
    ]  # fmt: skip
    assert forge.process(song(tmp_path / "told.wav", seconds=1), analyze="energy").wait(60, progress=False)
    with urllib.request.urlopen(f"{http}/soundforge/metrics", timeout=10) as answer:
        told = answer.read().decode()
    assert answer.headers["Content-Type"].startswith("text/plain")
    # The child ran on a Dask worker, in another process.
    assert 'soundforge_port_stop_duration_seconds_count{program="analyze"}' in told
    assert 'soundforge_endpoint_stop_duration_seconds_count{route="/soundforge/health"}' in told
    for path in ("/status", "/info/main/workers.html", "/json/counts.json", "/metrics"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{http}{path}", timeout=10)


@pytest.mark.timeout(90)
def test_in_process(tmp_path, song):
    with sf.connect(data_folder=tmp_path / "data", in_process=True) as forge:
        batch = forge.process(song(tmp_path / "here.wav", seconds=1), analyze="energy")
        assert batch.wait(60, progress=False)
        assert batch.ok
        with pytest.raises(sf.SoundforgeError, match="Another process serves"):
            _ = sf.connect(data_folder=tmp_path / "data", in_process=True)
    assert not (tmp_path / "data" / "scheduler.json").exists()


@pytest.mark.timeout(90)
def test_a_start_that_fails_says_why(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "soundforge.duckdb").write_bytes(b"this is no database" * 100)
    before = (folder / "soundforge.duckdb").read_bytes()

    with pytest.raises(sf.SoundforgeError, match="can't be opened"):
        sf.connect(data_folder=folder)

    assert (folder / "soundforge.duckdb").read_bytes() == before


def test_nobody_to_attach_to(tmp_path):
    with pytest.raises(sf.SoundforgeError, match="Nobody serves"):
        sf.connect(data_folder=tmp_path, start=False)


@pytest.mark.timeout(60)
def test_a_stale_scheduler_file_is_passed_over(own_folder):
    with sf.connect(data_folder=own_folder, linger_seconds=60):
        whereabouts = read_whereabouts(own_folder / "scheduler.json")
    os.kill(whereabouts.pid, signal.SIGKILL)
    psutil.wait_procs(
        [psutil.Process(whereabouts.pid)] if psutil.pid_exists(whereabouts.pid) else [], timeout=10
    )

    with sf.connect(data_folder=own_folder) as forge:
        assert forge.status()["healthy"]
        assert read_whereabouts(own_folder / "scheduler.json").pid != whereabouts.pid
