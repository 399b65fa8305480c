"""Curves for plotting: at most a thousand points, however long the song."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 1000

Values = NDArray[np.floating[Any]]


def thinned(
    values: Values, seconds_per_value: float, reduce: Callable[..., Any] = np.mean
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A curve of at most `MOST_POINTS`: each point stands for a group of neighbours.

    Parameters
    ----------
    values : ndarray, shape=(..., n)
    seconds_per_value : float
        Distance of two values.
    reduce : callable
        What becomes of a group: mean, or max where peaks matter.

    Returns
    -------
    times_seconds : ndarray, shape=(points,)
        Middle of each group.
    values : ndarray, shape=(..., points)
    """
    count = values.shape[-1]
    edges = np.unique(np.linspace(0, count, min(count, MOST_POINTS) + 1).astype(int))
    groups = list(pairwise(edges))
    times = np.array([(start + end - 1) / 2 * seconds_per_value for start, end in groups])
    points = np.stack([reduce(values[..., start:end], axis=-1) for start, end in groups], axis=-1)
    return times, points.astype(np.float64)


def curve(values: Values, seconds_per_value: float, reduce: Callable[..., Any] = np.mean) -> dict[str, Any]:
    """The curve as JSON: ``times_seconds``, and ``values`` (rows of values for two dimensions)."""
    times, points = thinned(values, seconds_per_value, reduce)
    return {"times_seconds": rounded(times), "values": rounded(points)}


def rounded(values: Values) -> list[Any]:
    """Numbers with five significant digits: a plot shows no more, and the line stays short."""
    if values.ndim > 1:
        return [rounded(row) for row in values]
    return [float(f"{value:.5g}") for value in values]


class Envelope:
    """Lowest and highest value of a signal that arrives in blocks.

    The length is not known beforehand: groups start small, and are joined in pairs when there are too many.
    """

    def __init__(self, group_samples: int = 64) -> None:
        self._group = group_samples
        self._low: NDArray[np.float32] = np.zeros(0, np.float32)
        self._high: NDArray[np.float32] = np.zeros(0, np.float32)
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)

    def push(self, y: NDArray[np.float32]) -> None:
        held = np.concatenate([self._rest, y])
        whole = len(held) // self._group * self._group
        self._rest = held[whole:]
        grouped = held[:whole].reshape(-1, self._group)
        self._low = np.concatenate([self._low, grouped.min(axis=1, initial=np.inf)])
        self._high = np.concatenate([self._high, grouped.max(axis=1, initial=-np.inf)])
        while len(self._low) > MOST_POINTS:
            self._halve()

    def _halve(self) -> None:
        if len(self._low) % 2:
            # A group without its pair goes back to the samples that wait; two values say all about it.
            pair = np.resize([self._low[-1], self._high[-1]], self._group).astype(np.float32)
            self._rest = np.concatenate([pair, self._rest])
            self._low, self._high = self._low[:-1], self._high[:-1]
        self._low = self._low.reshape(-1, 2).min(axis=1)
        self._high = self._high.reshape(-1, 2).max(axis=1)
        self._group *= 2

    def as_json(self, sample_rate_hz: int) -> dict[str, Any]:
        """``times_seconds``, and ``values`` with a row of lowest and a row of highest values."""
        low, high = self._low, self._high
        if len(self._rest) and len(low) < MOST_POINTS:
            low, high = np.append(low, self._rest.min()), np.append(high, self._rest.max())
        times = (np.arange(len(low)) + 0.5) * self._group / sample_rate_hz
        return {"times_seconds": rounded(times), "values": rounded(np.stack([low, high]))}
