"""The janitor of a real application: it tells what there is, and removes what nobody needs on demand."""

from __future__ import annotations

import json
import threading
import time

import pytest

import soundforge_nb as sf
from soundforge_nb import cli


@pytest.mark.timeout(180)
def test_storage_is_told_and_tidied(own_folder, song, tmp_path, capsys):
    with sf.connect(data_folder=own_folder) as forge:
        batch = forge.process(song(tmp_path / "song.wav", seconds=2), separate="demo")
        assert batch.wait(120, progress=False)
        stems = list((own_folder / "stems").rglob("*.wav"))
        assert len(stems) == 4
        lost = stems[0].parent.parent / "0123456789ab" / "vocals.wav"
        lost.parent.mkdir()
        lost.write_bytes(b"lost")

        # Too young to be judged.
        assert forge.storage().orphans == []
        found = forge.storage(grace_days=0)
        assert [orphan["path"] for orphan in found.orphans] == [str(lost)]
        assert found.owned == 4
        assert "1 file that nobody needs" in repr(found)
        assert lost.exists()
        assert "stems (5 files)" in repr(found)

    arguments = ["storage", "--clean", "--grace-days", "0", "--data-folder", str(own_folder), "--json"]
    assert cli.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == [str(lost)]
    assert not lost.exists()
    assert all(stem.exists() for stem in stems)


@pytest.mark.timeout(180)
def test_a_kill_in_its_middle_loses_nothing(own_folder, song, tmp_path, application):
    with sf.connect(data_folder=own_folder) as forge:
        batch = forge.process(song(tmp_path / "song.wav", seconds=2), separate="demo")
        assert batch.wait(120, progress=False)
        stems = set((own_folder / "stems").rglob("*.wav"))
        lost = own_folder / "stems" / "nobody"
        for number in range(3000):
            folder = lost / f"{number:04d}"
            folder.mkdir(parents=True)
            (folder / "vocals.wav").write_bytes(b"lost")

        cleaning = threading.Thread(target=lambda: forge.storage(clean=True, grace_days=0))
        victim = application(own_folder).process
        cleaning.start()
        end = time.monotonic() + 30
        while (lost / "0000").exists() and (lost / "2999").exists() and time.monotonic() < end:
            time.sleep(0.001)
        victim.kill()
        cleaning.join(90)

        # The call that met the kill was made again, by the application that came after it.
        assert not lost.exists()
        assert set((own_folder / "stems").rglob("*.wav")) == stems
        assert batch.snapshot()["state"] == "finished"
        assert forge.storage(grace_days=0).orphans == []
