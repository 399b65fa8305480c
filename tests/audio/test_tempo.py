import librosa
import numpy as np
import pytest
from songs import SAMPLE_RATE_HZ, Song, play
from tempo_survey import mel_db_of

from soundforge_nb.audio.beats import track_beats
from soundforge_nb.audio.spectra import FRAMES_PER_SECOND
from soundforge_nb.audio.tempo import find_tempo, onset_strength


@pytest.mark.parametrize(
    ("bpm", "drums"),
    [
        (71, "backbeat"),
        (88, "half time"),
        (104, "sixteenths"),
        (128, "four on the floor"),
        (155, "breakbeat"),
    ],
)
def test_tempo_and_beats_of_a_song(bpm: float, drums: str) -> None:
    tempo = find_tempo(mel_db_of(play(Song(bpm=bpm, drums=drums, seconds=15))))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=0.003)
    assert tempo.confidence > 0.5
    beat = 60 / bpm
    off = (tempo.beats_seconds + beat / 2) % beat - beat / 2
    assert np.abs(off).max() < 0.025
    assert len(tempo.beats_seconds) == pytest.approx(15 / beat, abs=4)


def test_without_drums_too() -> None:
    tempo = find_tempo(mel_db_of(play(Song(bpm=97, drums=None, timbre="organ", seconds=15))))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(97, rel=0.003)


@pytest.mark.parametrize("seconds", [1, 3, 10, 40])
def test_noise_has_no_tempo(seconds: int) -> None:
    noise = 0.1 * np.random.default_rng(seconds).standard_normal(seconds * SAMPLE_RATE_HZ)
    assert find_tempo(mel_db_of(noise.astype(np.float32))) is None


def test_neither_silence_nor_a_held_tone_has_a_tempo() -> None:
    t = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    for y in (np.zeros(len(t)), np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 440 * t) * np.exp(-t)):
        assert find_tempo(mel_db_of(y.astype(np.float32))) is None


@pytest.mark.parametrize("drums", ["backbeat", "breakbeat"])
def test_the_beats_are_those_of_librosa(drums: str) -> None:
    strength = onset_strength(mel_db_of(play(Song(bpm=120, drums=drums, seconds=15))))
    _, expected = librosa.beat.beat_track(onset_envelope=strength, sr=SAMPLE_RATE_HZ, bpm=120)
    found = np.round(track_beats(strength, 0.5 * FRAMES_PER_SECOND))
    common = np.intersect1d(found, np.concatenate([expected - 1, expected, expected + 1]))
    assert len(common) >= 0.95 * len(expected)
