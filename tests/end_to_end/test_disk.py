"""A disk that is full, read-only or scratched: one sentence, nothing overwritten, and work goes on after."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import secrets
import subprocess
from pathlib import Path

import psutil
import pytest

import soundforge_nb as sf
from soundforge_nb import cli
from soundforge_nb.errors import StartFailed, StoreError
from soundforge_nb.store.store import Store

SIZE_BYTES = 96 * 1024**2


class Disk:
    """A small disk of memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._filler = folder / "filler"

    @property
    def free_bytes(self) -> int:
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def fill(self, leave_bytes: int = 0) -> None:
        with self._filler.open("ab", buffering=0) as filler:
            os.posix_fallocate(filler.fileno(), filler.tell(), self.free_bytes - leave_bytes)

    def make_room(self) -> None:
        self._filler.unlink()

    def stop(self, everyone: list[psutil.Process]) -> None:
        """Stop the application; until the last of its processes is gone their log keeps the disk busy."""
        assert cli.main(["stop", "--data-folder", str(self.data)]) == 0
        _, left = psutil.wait_procs(everyone, timeout=30)
        assert not left

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    """A file system of its own; whatever serves its data folder at the end is stopped."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs"]
    try:
        subprocess.run(["mount", *options, str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(
            "no file system can be mounted here; that a lack of room is seen beforehand is tested with the "
            "separation, and a full disk under the library with the store"
        )
    try:
        yield Disk(folder)
    finally:
        cli.main(["stop", "--data-folder", str(folder / "data")])
        # Lazily: a Dask worker that is still on its way out keeps its log open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.timeout(250)
def test_no_room_for_stems_is_said_beforehand_and_a_retry_goes_on_when_there_is(disk, song, tmp_path):
    first, second = (song(tmp_path / f"song {n}.wav", seconds=4 + n, seed=n) for n in (1, 2))
    with sf.connect(data_folder=disk.data) as forge:
        before = forge.process(first, separate="demo")
        assert before.wait(120, progress=False)
        assert before.ok
        stems = _fingerprints(disk.data / "stems")
        assert len(stems) == 4
        disk.fill(leave_bytes=5_000_000)

        batch = forge.process(second, separate="demo", analyze="energy")

        assert batch.wait(120, progress=False)
        assert batch.snapshot()["inputs"] == {"total": 1, "done": 0, "failed": 1, "under_way": 0}
        (failure,) = batch.snapshot()["failures"]
        assert failure["step"] == "separate"
        # 6 seconds of 4 stems are 8 MB, and 17 MB are kept free for the library and the neighbours.
        assert re.search(
            r"song 2\.wav do not fit on the disk at .*disk: 25 MB are needed, 5 MB are free\.",
            failure["error"],
        )
        assert "Make room, then batch.retry()" in failure["error"]
        assert len(failure["error"].splitlines()) == 1
        # Told at once, not after a second try; and what needs no room was done.
        assert forge.sql("SELECT outcome FROM attempts WHERE outcome <> 'completed'").dicts() == [
            {"outcome": "discarded"}
        ]
        assert set(batch.account()["status"]) == {"failed", "done"}
        assert _fingerprints(disk.data / "stems") == stems

        disk.make_room()
        assert batch.retry() == 1
        assert batch.wait(120, progress=False)
        assert batch.ok, batch
        after = _fingerprints(disk.data / "stems")
        assert len(after) == 8
        assert stems.items() <= after.items()
    assert not list((disk.data / "staging").iterdir())


@pytest.mark.timeout(250)
def test_a_disk_that_becomes_full_under_way_loses_nothing(
    disk, song, tmp_path, watcher, is_separating, application
):
    file = song(tmp_path / "song.wav", seconds=8)
    many = [song(tmp_path / f"{'long name ' * 15}{n}.wav", seconds=0.1, seed=n) for n in range(40)]
    # A lease that was not renewed is soon taken up again.
    with sf.connect(data_folder=disk.data, lease_seconds=5) as forge:
        tracks = forge.add(many)
        served_by = application(disk.data).process.pid
        watching = watcher(forge)
        batch = forge.process(file, separate="demo")
        watching.wait_for(is_separating)
        watching.close()
        disk.fill()

        # The library can't take what is asked now, and says so; what it holds it still tells.
        with pytest.raises(StoreError) as caught:
            forge.process(tracks, separate="demo", analyze="all")
        assert caught.value.kind == "disk_full"
        assert "the disk is full. Make room; what was acknowledged is safe" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
        assert forge.sql("SELECT count(*) AS n FROM tracks").dicts() == [{"n": 41}]
        assert forge.status()["healthy"]

        disk.make_room()
        assert batch.wait(150, progress=False)
        if not batch.ok:
            (failure,) = batch.snapshot()["failures"]
            assert "became full" in failure["error"] or "do not fit" in failure["error"]
            assert batch.retry() == 1
            assert batch.wait(150, progress=False)
        assert batch.ok, batch
        assert len(forge.sql("SELECT * FROM stems")) == 4
        # What was refused left nothing behind, and can be asked again.
        assert len(forge.sql("SELECT * FROM batches")) == 1
        again = forge.process(tracks[:1], analyze="energy")
        assert again.wait(60, progress=False)
        assert again.ok
        assert application(disk.data).process.pid == served_by


@pytest.mark.parametrize("leave_bytes", [200_000, 18_000_000])
def test_the_store_goes_on_when_there_is_room_again(disk, leave_bytes):
    """With little room a commit fails; with more, a checkpoint, after which DuckDB gives itself up."""
    store = Store(disk.folder / "soundforge.duckdb")
    store.open()
    held = []

    def put(number):
        value = json.dumps(secrets.token_hex(50_000))

        def work(session):
            session.execute("INSERT INTO settings VALUES (?, ?)", [f"{number:06d}", value])

        store.submit("put", work).result(30)
        held.append(f"{number:06d}")

    def names():
        rows = asyncio.run(store.read("names", lambda session: session.rows("SELECT name FROM settings")))
        return sorted(name for (name,) in rows)

    for number in range(50):
        put(number)
    disk.fill(leave_bytes)
    with pytest.raises(StoreError, match="the disk is full") as caught:
        for number in range(50, 5000):
            put(number)
    assert caught.value.kind == "disk_full"
    assert 50 <= len(held) < 4000
    for number in range(5000, 5003):
        with pytest.raises(StoreError, match="the disk is full"):
            put(number)
    assert names() == held

    disk.make_room()
    for number in range(6000, 6020):
        put(number)
    assert names() == held
    store.close()
    store.open()
    assert names() == held
    store.close()


@pytest.mark.timeout(120)
def test_a_disk_that_is_full_or_read_only_at_the_start(disk, song, tmp_path, application):
    disk.fill()
    with pytest.raises(StartFailed) as caught:
        sf.connect(data_folder=disk.data)
    assert len(str(caught.value).splitlines()) == 1
    assert "is full" in str(caught.value)
    disk.make_room()
    with sf.connect(data_folder=disk.data) as forge:
        forge.add(song(tmp_path / "song.wav", seconds=0.5))
        everyone = application(disk.data).everyone()
    disk.stop(everyone)
    library = _fingerprints(disk.data)["soundforge.duckdb"]

    disk.remount("ro")
    with pytest.raises(StartFailed, match=r"The data folder .* can't be written: Read-only file system\."):
        sf.connect(data_folder=disk.data)

    disk.remount("rw")
    assert _fingerprints(disk.data)["soundforge.duckdb"] == library
    with sf.connect(data_folder=disk.data) as forge:
        assert len(forge.tracks()) == 1


@pytest.mark.timeout(120)
def test_a_scratched_library_is_refused_untouched_and_its_copy_taken(own_folder, song, tmp_path):
    with sf.connect(data_folder=own_folder) as forge:
        forge.add(song(tmp_path / "song.wav", seconds=0.5))
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    library = own_folder / "soundforge.duckdb"
    whole = library.read_bytes()
    scratched = whole[:12_288] + b"\x5a" * (len(whole) - 12_288)
    library.write_bytes(scratched)

    with pytest.raises(StartFailed) as caught:
        sf.connect(data_folder=own_folder)

    assert f"The library {library} can't be opened" in str(caught.value)
    assert "Nothing was changed." in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert library.read_bytes() == scratched

    library.write_bytes(whole)
    with sf.connect(data_folder=own_folder) as forge:
        assert list(forge.tracks()["title"]) == ["song"]
