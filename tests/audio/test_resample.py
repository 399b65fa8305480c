import numpy as np
import pytest

from soundforge_nb.audio.resample import mono, regrouped, resampled


def blocks(y: np.ndarray, size: int) -> list[np.ndarray]:
    return [y[start : start + size] for start in range(0, len(y), size)]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 22_050), (8_000, 22_050), (192_000, 44_100)])
def test_a_tone_survives_whatever_the_block_size(from_hz: int, to_hz: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz).astype(np.float32)[:, None]
    results = [
        np.concatenate(list(resampled(blocks(tone, size), from_hz, to_hz, 1))) for size in (97, 4096, from_hz)
    ]
    truth = np.sin(2 * np.pi * 440 * np.arange(to_hz) / to_hz)
    for result in results:
        assert len(result) == to_hz
        middle = slice(to_hz // 4, 3 * to_hz // 4)
        error = np.linalg.norm(result[middle, 0] - truth[middle]) / np.linalg.norm(truth[middle])
        assert 20 * np.log10(error) < -90
        assert np.allclose(result, results[0], atol=1e-6)


@pytest.mark.parametrize("samples", [1, 2, 441, 1000])
def test_short_signals_keep_their_length(samples: int) -> None:
    y = np.ones((samples, 2), np.float32)
    result = np.concatenate(list(resampled([y], 44_100, 22_050, 2)))
    assert result.shape == (round(samples / 2 + 0.01), 2)


def test_regrouped_changes_nothing_but_the_sizes() -> None:
    y = np.arange(100, dtype=np.float32)[:, None]
    groups = list(regrouped(blocks(y, 7), 30))
    assert [len(group) for group in groups] == [30, 30, 30, 10]
    assert np.array_equal(np.concatenate(groups), y)


def test_mono_is_the_mean_of_the_channels() -> None:
    y = np.array([[1.0, 0.0, 0.5]], np.float32)
    assert next(mono([y])).tolist() == [[0.5]]
