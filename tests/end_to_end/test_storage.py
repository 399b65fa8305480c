"""The janitor of a real application: it tells what there is, and removes what nobody needs on demand."""

from __future__ import annotations

import json

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
