"""The whole way in small: render, train three steps, export, load as demucs does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from demucs.hf import load_safetensors_model

from training import export, sdr, sources, train
from training.compose import compose
from training.material import Material
from training.mixing import STEMS
from training.recipe import Recipe, build, build_for_training, model_arguments
from training.render import render_song

SMALL = Recipe(channels=8, t_layers=1, segment_seconds=0.5, batch=1, split="plain")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one rendered song of five seconds."""
    folder = tmp_path_factory.mktemp("training")
    render_song(folder, "plain", 1, 5.0)
    return folder


def test_a_seed_gives_the_same_song() -> None:
    assert compose(7, 10.0) == compose(7, 10.0)
    assert compose(7, 10.0) != compose(8, 10.0)


def test_a_rendered_song_is_kept_and_sounds(work: Path) -> None:
    path = render_song(work, "plain", 1, 5.0)
    stems = np.load(path)
    assert stems.dtype == np.int16
    assert stems.shape == (4, 2, 5 * 44100)
    assert (np.abs(stems).max((1, 2)) > 300).sum() >= 3


def test_examples_are_made_anew_and_bounded(work: Path) -> None:
    batch = Material(work / "plain", seed=3).batch(2, 0.5)
    assert batch.shape == (2, 4, 2, 22050)
    assert batch.dtype == np.float32
    assert np.isfinite(batch).all()
    assert not np.array_equal(batch[0], batch[1])


def test_train_export_load(work: Path) -> None:
    run = work / "runs" / "small"
    run.mkdir(parents=True)
    train.work(0, 1, work, run, SMALL, minutes=5.0, max_steps=2)
    train.work(0, 1, work, run, SMALL, minutes=5.0, max_steps=3)  # goes on from the checkpoint
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 3
    path = work / "demo.safetensors"
    export.export(saved["average"], model_arguments(SMALL), path)

    loaded = load_safetensors_model(path).eval()
    direct = build(SMALL).eval()
    direct.load_state_dict({name: value.half().float() for name, value in saved["average"].items()})
    mixture = torch.randn(1, 2, 11025, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(loaded(mixture), direct(mixture))
    assert tuple(loaded.sources) == STEMS


def test_the_low_band_network_is_demucs_own_when_it_sees_all() -> None:
    plain, low = build(SMALL).eval(), build_for_training(SMALL).eval()
    low.load_state_dict(plain.state_dict())
    mixture = torch.randn(1, 2, 22050, generator=torch.Generator().manual_seed(1)) * 0.1
    with torch.no_grad():
        assert torch.allclose(plain(mixture), low(mixture), atol=1e-5)


def test_sdr_of_known_errors() -> None:
    truth = np.ones((2, 1000), np.float32)
    assert sdr.sdr(truth, truth * 0.9) == pytest.approx(20.0, abs=1e-3)
    assert sdr.sdr(truth * 0, truth) is None
    assert sdr.residual_db(np.stack([truth * 0.45] * 2), truth) == pytest.approx(-20.0, abs=1e-3)


def test_what_ships_is_what_the_card_says() -> None:
    card = json.loads(export.CARD.read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(export.MODEL.read_bytes()).hexdigest()
    assert card["size_bytes"] == export.MODEL.stat().st_size <= export.LARGEST_BYTES
    model = load_safetensors_model(export.MODEL)
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert card["sources"] == list(model.sources)
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_the_licence_table_is_up_to_date() -> None:
    assert sources.TABLE.read_text(encoding="utf-8") == sources.table()
    copyleft = [s for s in sources.SOURCES if "SA" in s.licence or s.licence.startswith("GPL")]
    assert copyleft
    assert all(s.role == "test" for s in copyleft)


def test_the_demo_song_has_its_true_stems() -> None:
    import soundfile as sf

    folder = Path(export.MODELS).parent / "demo_song"
    known = json.loads((folder / "song.json").read_text(encoding="utf-8"))
    stems = [sf.read(folder / known["stems"][name]["file"], dtype="float32")[0] for name in STEMS]
    assert {stem.shape for stem in stems} == {(int(known["seconds"] * 44100), 2)}
    assert np.abs(sum(stems)).max() < 1.0
