"""Files that are damaged within, or no files at all: each its sentence, and no job hangs or crashes."""

from __future__ import annotations

import os
import socket
import stat
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

import soundforge_nb as sf

RATE = 44_100


def _noise(seconds: float = 2.0) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((int(seconds * RATE), 2))).astype(np.float32)


def _aac(file: Path) -> Path:
    y = _noise()
    with av.open(str(file), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(y.T), format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def _flipped(content: bytes) -> bytes:
    """A bit in every kilobyte is wrong, but for the header."""
    scratched = bytearray(content)
    for place in range(len(content) // 4, len(content), 1000):
        scratched[place] ^= 0x10
    return bytes(scratched)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, whole = tmp_path_factory.mktemp("damaged"), tmp_path_factory.mktemp("whole")
    for extension in ("flac", "mp3", "m4a"):
        file = whole / f"a.{extension}"
        if extension == "m4a":
            _aac(file)
        else:
            soundfile.write(file, _noise(), RATE)
        content = file.read_bytes()
        (folder / f"cut.{extension}").write_bytes(content[: len(content) * 2 // 3])
        (folder / f"flipped.{extension}").write_bytes(_flipped(content))
    for name, value in (("nan", np.nan), ("inf", np.inf), ("loud", 1e30)):
        y = _noise(0.5)
        y[RATE // 4, 1] = value
        soundfile.write(folder / f"{name}.wav", y, RATE, subtype="FLOAT")
    soundfile.write(folder / "slow.wav", _noise(0.1), 2)
    soundfile.write(folder / "good.wav", _noise(0.5), RATE)
    return folder


@pytest.fixture(scope="module")
def batch(shared_folder, folder):
    with sf.connect(data_folder=shared_folder) as forge:
        batch = forge.process(folder, analyze="energy")
        assert batch.wait(200, progress=False)
        yield batch


def _row(batch, name):
    rows = batch.account()
    (row,) = rows[rows["name"].map(lambda entry: Path(entry).name) == name].to_dict("records")
    return row


@pytest.mark.timeout(250)
def test_the_account_adds_up(batch, folder):
    inputs = batch.snapshot()["inputs"]
    assert inputs["total"] == len(list(folder.iterdir()))
    assert inputs["done"] + inputs["failed"] == inputs["total"]
    assert inputs["under_way"] == 0


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("cut.flac", "is damaged"),
        ("cut.mp3", "is damaged"),
        ("cut.m4a", ""),
        ("flipped.flac", "is damaged"),
        ("nan.wav", "not numbers (NaN or infinite), first at 0.250 seconds"),
        ("inf.wav", "not numbers (NaN or infinite), first at 0.250 seconds"),
        ("loud.wav", "far beyond full scale, which are no sound, first at 0.250 seconds"),
        ("slow.wav", "2 samples a second, which no recording has"),
    ],
)
def test_damage_is_told_in_one_sentence(batch, name, fault):
    row = _row(batch, name)
    assert row["status"] == "failed"
    assert name in row["sentence"]
    assert fault in row["sentence"]
    assert len(row["sentence"].splitlines()) == 1
    # Its second try would end as the first did.
    assert row["attempt"] <= 1


@pytest.mark.parametrize("name", ["flipped.mp3", "flipped.m4a"])
def test_what_decoders_make_up_for_is_a_right_result_or_a_sentence(batch, name):
    row = _row(batch, name)
    assert (row["status"] == "done") != (name in str(row["sentence"]))


def test_the_good_one_among_them_is_done(batch):
    assert _row(batch, "good.wav")["status"] == "done"


@pytest.mark.timeout(60)
def test_what_is_no_file_is_refused_at_once(forge, tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(tmp_path / "socket.wav"))
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    (tmp_path / "circle.wav").symlink_to(tmp_path / "circle.wav")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "gone.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    soundfile.write(tmp_path / "folder.wav" / "good.wav", _noise(0.1), RATE)

    tracks = forge.add(tmp_path)

    assert [track.title for track in tracks] == ["good"]
    sentences = {Path(entry.name).name: str(entry) for entry in tracks.rejected}
    assert set(sentences) == {"pipe.wav", "socket.wav", "device.wav", "circle.wav", "dangling.wav"}
    for name in ("pipe.wav", "socket.wav", "device.wav"):
        assert "is not a file" in sentences[name]
    assert "leads in a circle" in sentences["circle.wav"]
    assert "leads nowhere" in sentences["dangling.wav"]


@pytest.mark.timeout(60)
def test_a_file_that_may_not_be_read_says_so(forge, tmp_path):
    closed = tmp_path / "closed.wav"
    if os.geteuid() != 0:
        soundfile.write(closed, _noise(0.1), RATE)
        closed.chmod(0)
    else:
        # Root reads what it likes, but for what the kernel itself has closed to readers.
        target = next((file for file in Path("/sys/bus").glob("*/drivers_probe") if _is_closed(file)), None)
        if target is None:
            pytest.skip("root may read every file here, those of the kernel included")
        closed.symlink_to(target)

    (rejected,) = forge.add(closed).rejected

    assert "closed.wav can't be read: Permission denied." in str(rejected)


def _is_closed(file: Path) -> bool:
    if stat.S_IMODE(file.stat().st_mode) & 0o444:
        return False
    try:
        file.open("rb").close()
    except PermissionError:
        return True
    return False


@pytest.mark.timeout(150)
def test_what_became_of_a_file_since_it_was_added_is_noticed_and_retried_alone(forge, tmp_path):
    names = ("changed", "replaced by a pipe", "vanished", "untouched")
    files = {name: tmp_path / f"{name}.wav" for name in names}
    for position, file in enumerate(files.values()):
        soundfile.write(file, _noise(0.2) * (1 + position / 10), RATE)
    before = {name: (file.read_bytes(), file.stat().st_mtime_ns) for name, file in files.items()}
    tracks = forge.add(list(files.values()))
    soundfile.write(files["changed"], _noise(0.1), RATE)
    files["replaced by a pipe"].unlink()
    os.mkfifo(files["replaced by a pipe"])
    files["vanished"].unlink()

    batch = forge.process(tracks, analyze="energy")

    assert batch.wait(100, progress=False)
    assert batch.snapshot()["inputs"] == {"total": 4, "done": 1, "failed": 3, "under_way": 0}
    errors = {Path(row["name"]).stem: row["error"] for row in batch.errors().to_dict("records")}
    assert "has changed" in errors["changed"]
    assert "is no file but a pipe" in errors["replaced by a pipe"]
    assert "There is no file" in errors["vanished"]

    # Two come back as they were.
    for name in ("vanished", "replaced by a pipe"):
        content, modified = before[name]
        files[name].unlink(missing_ok=True)
        files[name].write_bytes(content)
        os.utime(files[name], ns=(modified, modified))
    assert batch.retry() == 3
    assert batch.wait(100, progress=False)

    assert batch.snapshot()["inputs"] == {"total": 4, "done": 3, "failed": 1, "under_way": 0}
    attempts = forge.sql(
        "SELECT name, count(*) AS n FROM attempts JOIN batch_inputs USING (job_id) "
        f"WHERE batch_inputs.batch_id = '{batch.batch_id}' GROUP BY ALL"
    )
    runs = {Path(row["name"]).stem: row["n"] for row in attempts.dicts()}
    assert runs == {"changed": 2, "replaced by a pipe": 2, "vanished": 2, "untouched": 1}
