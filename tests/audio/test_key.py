import numpy as np
import pytest
from songs import DRUMS, SAMPLE_RATE_HZ, Song, play

from soundforge_nb.audio.harmony import BLOCK, ChromaBuilder
from soundforge_nb.audio.key import PROFILES, TONICS, find_key, key_correlations


def chroma_of(y: np.ndarray, block: int | None = None) -> tuple[np.ndarray, float]:
    builder = ChromaBuilder()
    for start in range(0, len(y), block or len(y)):
        builder.push(y[start : start + (block or len(y))])
    return builder.finish()


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(0, 12, 2))
def test_the_key_of_a_song_is_found(tonic: int, mode: str) -> None:
    song = Song(tonic=tonic, mode=mode, seconds=16, progression=1, timbre="organ", seed=tonic)
    chroma, _ = chroma_of(play(song))
    key = find_key(chroma.mean(axis=1))
    assert key is not None
    assert key.name == song.key
    assert key.runner_up != key.name
    assert 0.3 < key.confidence <= 1


@pytest.mark.parametrize("cents", [-40, -20, 0, 20, 40])
def test_a_song_out_of_tune_keeps_its_key(cents: float) -> None:
    song = Song(tonic=9, mode="minor", seconds=16, progression=1, timbre="organ", detune_cents=cents)
    chroma, tuning = chroma_of(play(song))
    assert tuning * 100 == pytest.approx(cents, abs=6)
    key = find_key(chroma.mean(axis=1))
    assert key is not None
    assert key.name == "A minor"


def test_blocks_give_the_chroma_of_the_whole() -> None:
    y = play(Song(seconds=2.3 * BLOCK / SAMPLE_RATE_HZ))
    whole, _ = chroma_of(np.tile(y, 1))
    pieces, _ = chroma_of(y, 30_000)
    assert whole.shape == pieces.shape == (12, 1 + len(y) // 2048)
    assert np.allclose(whole, pieces, atol=1e-4)


def test_a_block_border_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    from soundforge_nb.audio import harmony

    y = play(Song(seconds=20))
    whole, _ = chroma_of(y)
    monkeypatch.setattr(harmony, "BLOCK", 40 * harmony.HOP_LENGTH)
    pieces, _ = chroma_of(y)
    error = np.linalg.norm(whole - pieces) / np.linalg.norm(whole)
    assert 20 * np.log10(error) < -40


def test_where_there_is_no_pitch_there_is_no_key() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(5 * SAMPLE_RATE_HZ)
    for y in (np.zeros(SAMPLE_RATE_HZ), noise, play(Song(drums="quarters", chords=False, seconds=8))):
        chroma, _ = chroma_of(y.astype(np.float32))
        assert find_key(chroma.mean(axis=1)) is None


def test_a_profile_is_its_own_key() -> None:
    for name, (major, minor) in PROFILES.items():
        for tonic in range(12):
            for shift, profile in ((0, major), (12, minor)):
                correlations = key_correlations(np.roll(profile, tonic), name)
                assert int(correlations.argmax()) == tonic + shift
    assert len(TONICS) == 12
    assert set(DRUMS)
