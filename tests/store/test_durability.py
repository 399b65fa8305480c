"""What was acknowledged survives the death of the process, and one process at a time has the file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from soundforge_nb.errors import StoreError, StoreLocked
from soundforge_nb.store import migrations
from soundforge_nb.store.store import Store

#: Writes settings one after another and names each on stdout once its commit is acknowledged.
WRITER = """
import sys
from pathlib import Path
from soundforge_nb.store import migrations
from soundforge_nb.store.store import Store

store = Store(Path(sys.argv[1]))
store.open()
number = 0
while True:
    def work(session, name=f"{number:06d}"):
        session.execute("INSERT INTO settings VALUES (?, '1')", [name])
        return name
    print(store.submit("put", work).result(), flush=True)
    number += 1
"""


@contextmanager
def writer(database: Path) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


@pytest.mark.parametrize("acknowledged", [1, 40, 333])
def test_a_killed_process_loses_no_acknowledged_row(database: Path, names: Any, acknowledged: int) -> None:
    with writer(database) as (process, stdout):
        told = [stdout.readline().strip() for _ in range(acknowledged)]
        process.kill()
        told += stdout.read().split()
    store = Store(database)
    store.open()
    # One more may have been committed than could still be told.
    assert names(store)[: len(told)] == told
    assert len(names(store)) - len(told) in (0, 1)
    store.close()


def test_a_second_process_is_told_who_has_the_library(database: Path) -> None:
    with writer(database) as (_, stdout):
        stdout.readline()
        with pytest.raises(StoreLocked) as caught:
            Store(database).open()
    assert str(caught.value) == (
        f"The library {database} is open in another process. "
        "Let soundforge_nb open it: connect() attaches to the application that has it."
    )


@pytest.mark.parametrize("content", [b"", b"no database", b"\x00" * 20_000, "scratched"])
def test_a_damaged_file_is_refused_untouched(database: Path, put: Any, content: bytes | str) -> None:
    if isinstance(content, str):
        store = Store(database)
        store.open()
        store.submit("put", put("a")).result(30)
        store.close()
        # The header is whole, the blocks behind it are not.
        content = database.read_bytes()[:12288] + b"\x5a" * (database.stat().st_size - 12288)
    database.write_bytes(content)
    with pytest.raises(StoreError, match=r"can't be opened: .*move it away to begin a new library"):
        Store(database).open()
    assert database.read_bytes() == content
    assert list(database.parent.iterdir()) == [database]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be opened"):
        Store(tmp_path / "nowhere" / "soundforge.duckdb").open()


def test_a_library_appears_whole_or_not_at_all(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(migrations, "apply", killed)
        Store(database).open()
    assert not database.exists()
    # What a killed process left of the next one may be anything.
    database.with_name(f"{database.name}.new").write_bytes(b"half")
    store = Store(database)
    store.open()
    store.close()
    assert list(database.parent.iterdir()) == [database]
