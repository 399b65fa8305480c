import numpy as np
import pytest

from soundforge_nb.audio.curves import MOST_POINTS, Envelope, curve, thinned


@pytest.mark.parametrize("count", [1, 7, 999, 1000, 1001, 123_457])
def test_a_curve_has_at_most_a_thousand_points_and_loses_no_value(count: int) -> None:
    values = np.arange(count, dtype=np.float64)
    times, points = thinned(values, 0.5)
    assert len(times) == len(points) == min(count, MOST_POINTS)
    assert points.mean() == pytest.approx(values.mean(), rel=0.01)
    assert np.all(np.diff(times) > 0)
    assert times[-1] <= count * 0.5


def test_peaks_survive_where_they_are_asked_for() -> None:
    values = np.zeros(50_000)
    values[31_415] = 9.0
    assert max(curve(values, 1.0, np.max)["values"]) == 9.0


def test_a_curve_of_rows() -> None:
    result = curve(np.ones((12, 5000)), 0.1)
    assert len(result["values"]) == 12
    assert len(result["values"][0]) == len(result["times_seconds"]) == MOST_POINTS


@pytest.mark.parametrize("count", [1, 63, 64, 65, 64_000, 1_000_003])
@pytest.mark.parametrize("block", [50, 10_007])
def test_the_envelope_knows_the_extremes(count: int, block: int) -> None:
    if count > 100_000 and block < 100:
        block = 30_011
    y = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    envelope = Envelope()
    for start in range(0, count, block):
        envelope.push(y[start : start + block])
    result = envelope.as_json(1000)
    low, high = result["values"]
    assert len(low) == len(high) == len(result["times_seconds"]) <= MOST_POINTS
    assert min(low) == pytest.approx(float(y.min()), rel=1e-4)
    assert max(high) == pytest.approx(float(y.max()), rel=1e-4)
    assert result["times_seconds"][-1] == pytest.approx(count / 1000, rel=0.02, abs=0.1)
