"""The shell's way to the same calls: what is printed, and the exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import psutil
import pytest

from soundforge_nb import cli


@pytest.fixture
def run(forge, capsys):
    """Run a command on the shared data folder; gives its status, output and errors."""
    folder = str(forge.config.data_folder)

    def run(command, *arguments):
        status = cli.main([command, "--data-folder", folder, *map(str, arguments)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_status(run):
    status, out, _ = run("status")

    assert status == 0
    assert "healthy" in out
    assert "queue processing" in out

    status, out, _ = run("status", "--json")
    assert json.loads(out)["healthy"] is True


@pytest.mark.timeout(120)
def test_process_some_good_some_bad(run, song, tmp_path):
    good = song(tmp_path / "good.wav", seconds=2, seed=30)
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")

    status, out, err = run(
        "process", "--json", "--analyze", "energy", "--output-folder", tmp_path / "out", "--", good, bad
    )

    assert status == 1
    assert err == ""
    answer = json.loads(out)
    assert answer["inputs"] == {"total": 2, "done": 1, "failed": 1, "under_way": 0}
    assert answer["results"][0]["energy"] > 0
    assert "bad.wav is not audio" in answer["failures"][0]["error"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["account"] == answer["inputs"]


@pytest.mark.timeout(120)
def test_plain_output_is_for_people(run, song, tmp_path):
    file = song(tmp_path / "plain.wav", seconds=2, seed=31)

    status, out, err = run("process", "--analyze", "energy", file)

    assert status == 0
    assert err == ""
    assert "Finished: 1 of 1 track done" in out
    status, out, _ = run("jobs", "--limit", 1)
    assert status == 0
    assert "analyze_track completed" in " ".join(out.split())


def test_add_tells_what_it_did_not_take(run, song, tmp_path):
    file = song(tmp_path / "--odd name.wav", seconds=1, seed=32)

    status, out, _ = run("add", "--json", "--", file, tmp_path / "missing.mp3")

    assert status == 1
    answer = json.loads(out)
    assert [track["title"] for track in answer["tracks"]] == ["--odd name"]
    assert "is not there" in answer["rejected"][0]["reason"]


@pytest.mark.timeout(120)
def test_what_is_secret_is_read_from_standard_input(run, forge, song, tmp_path, monkeypatch):
    """So that nobody who lists this machine's processes sees it; on the command line a hint says so."""
    file = song(tmp_path / "one line.wav", seconds=1, seed=34)
    secret = "https://host.invalid/a.mp3?key=Pl4ntedKey"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{file}\n\n{secret}\r\n"))
    status, out, err = run("add", "--json", "-")
    assert (status, err) == (0, "")
    tracks = json.loads(out)["tracks"]
    assert [track["title"] for track in tracks] == ["one line", "a"]
    assert "Pl4nted" not in out

    status, out, err = run("add", secret)
    assert status == 0
    assert err.splitlines() == [
        "soundforge: a link with a key is better read by soundforge add -; others can list this one."
    ]
    assert "Pl4nted" not in out
    status, _, err = run("add", "https://open.spotify.com/track/short?si=1", "https://host.invalid/a.mp3")
    assert len(err.splitlines()) == 0

    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    status, _, err = run("add", "-")
    assert status == 2
    assert "Nothing was named" in err


@pytest.mark.timeout(60)
def test_the_shell_s_own_process_does_not_show_it(forge):
    """As it waits for its lines, and as it adds them."""
    command = [sys.executable, "-m", "soundforge_nb.cli", "add", "-"]
    folder = ["--data-folder", str(forge.config.data_folder)]
    with subprocess.Popen(
        [*command, *folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as adding:
        process = psutil.Process(adding.pid)
        adding.stdin.write("https://host.invalid/b.mp3?key=Pl4ntedKey\n")
        adding.stdin.flush()
        told = " ".join(process.cmdline()) + str(process.environ())
        out, _ = adding.communicate(timeout=50)
    assert adding.returncode == 0
    assert "Pl4nted" not in told + out
    assert "1 track" in out


def test_sql(run):
    status, out, _ = run("sql", "--json", "SELECT 6 * 7 AS answer")
    assert (status, json.loads(out)) == (0, [{"answer": 42}])

    status, _, err = run("sql", "DROP TABLE tracks")
    assert status == 1
    assert "Only one SELECT" in err
    assert len(err.splitlines()) == 1


def test_wrong_usage(run, tmp_path):
    status, _, err = run("process", "--shifts", "2", "--analyze", "all", tmp_path)
    assert status == 2
    assert "--separate" in err
    with pytest.raises(SystemExit) as ended:
        cli.main(["process", "--no-such-option"])
    assert ended.value.code == 2


def test_no_application(tmp_path, capsys):
    assert cli.main(["status", "--data-folder", str(tmp_path)]) == 3
    assert "Nobody serves" in capsys.readouterr().err
    assert cli.main(["stop", "--data-folder", str(tmp_path)]) == 0


@pytest.mark.timeout(120)
def test_restart(own_folder, capsys):
    from soundforge_nb.cluster.discovery import read_whereabouts

    assert cli.main(["sql", "--data-folder", str(own_folder), "SELECT 1"]) == 0
    before = read_whereabouts(own_folder / "scheduler.json")

    assert cli.main(["restart", "--data-folder", str(own_folder), "--drain-seconds", "1"]) == 0

    after = read_whereabouts(own_folder / "scheduler.json")
    assert after.pid != before.pid
    assert after.is_alive()


def test_help_needs_no_heavy_import():
    code = (
        "import sys\n"
        "from soundforge_nb import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'librosa', 'numba', 'distributed', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert finished.returncode == 0, finished.stderr
    assert "serve" in finished.stdout
