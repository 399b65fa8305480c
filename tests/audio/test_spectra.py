import librosa
import numpy as np
import pytest
from songs import SAMPLE_RATE_HZ, Song, play

from soundforge_nb.audio.framing import FrameBuffer, real_samples
from soundforge_nb.audio.spectra import FRAME_LENGTH, HOP_LENGTH, Spectra, SpectraBuilder


def spectra_of(y: np.ndarray, block: int | None = None) -> Spectra:
    builder = SpectraBuilder()
    for start in range(0, len(y), block or len(y)):
        builder.push(y[start : start + (block or len(y))])
    return builder.finish()


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return play(Song(seconds=6))


@pytest.mark.parametrize("block", [100, 5_000, 50_001])
def test_blocks_of_any_size_give_the_frames_of_the_whole(song: np.ndarray, block: int) -> None:
    whole, pieces = spectra_of(song), spectra_of(song, block)
    for name in ("rms", "crossings", "centroid", "rolloff", "bandwidth", "flatness", "contrast", "mel"):
        assert np.allclose(getattr(pieces, name), getattr(whole, name), rtol=1e-4, atol=1e-6), name


def test_the_frames_are_librosas(song: np.ndarray) -> None:
    found = spectra_of(song, 7_000)
    magnitude = np.abs(librosa.stft(song, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH))
    rate = SAMPLE_RATE_HZ
    expected = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=rate)[0],
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=rate)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=rate)[0],
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=rate),
        "mel": librosa.feature.melspectrogram(S=magnitude**2, sr=rate),
    }
    for name, values in expected.items():
        assert np.allclose(getattr(found, name), values, rtol=1e-3, atol=1e-5), name
    inner = slice(2, -3)
    assert np.allclose(found.rms[inner], librosa.feature.rms(y=song)[0][inner], rtol=1e-3)
    crossings = librosa.feature.zero_crossing_rate(song)[0]
    assert np.allclose(found.crossings[inner], crossings[inner], atol=2 / FRAME_LENGTH)


def test_padding_does_not_dilute_the_level() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE_HZ // 100) / SAMPLE_RATE_HZ)).astype("f4")
    assert spectra_of(tone).rms.mean() == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_frames_and_real_samples_agree_with_the_signal() -> None:
    buffer = FrameBuffer(8, 4)
    ones = np.concatenate([buffer.push(np.ones(10, np.float32)), np.zeros(0)])
    assert len(ones) == 12
    assert len(buffer.finish()) == 8
    assert real_samples(3, 8, 4, 10).tolist() == [4, 8, 6]
