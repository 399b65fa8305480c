"""Beat tracking by dynamic programming.

The method is that of Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36 (2007),
with the constants of `librosa.beat.beat_track`. Importing librosa.beat compiles for 2 s in each new process
(12 s with an empty cache), which is more than the whole analysis of a song; in numpy it is these few lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: How strictly the beats keep to the tempo.
TIGHTNESS = 100.0


def track_beats(strength: NDArray[np.float32], period_frames: float) -> NDArray[np.float64]:
    """Positions of the beats, in frames with a fraction.

    Parameters
    ----------
    strength : ndarray, shape=(frames,)
        Onset strength.
    period_frames : float
        The expected distance of two beats.
    """
    spread = float(strength.std(ddof=1)) if len(strength) > 1 else 0.0
    if spread == 0.0:
        return np.zeros(0)
    local = _local_score(strength / spread, period_frames)
    links, total = _best_paths(local, period_frames)
    beats = _backtrack(links, _last_beat(total))
    beats = _trimmed(local, beats)
    return _between_frames(local, beats)


def _local_score(strength: NDArray[np.float32], period_frames: float) -> NDArray[np.float64]:
    reach = round(period_frames)
    offsets = np.arange(-reach, reach + 1)
    window = np.exp(-0.5 * (offsets * 32.0 / period_frames) ** 2)
    # Not mode="same": that has the window's length where the song is the shorter of the two.
    return np.convolve(strength.astype(np.float64), window)[reach : reach + len(strength)]


def _best_paths(
    local: NDArray[np.float64], period_frames: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each frame the beat before it, -1 for none, and the score of the best chain that ends there."""
    gaps = np.arange(round(2 * period_frames), max(round(period_frames / 2), 1) - 1, -1)
    penalty = -TIGHTNESS * np.log(gaps / period_frames) ** 2
    longest = int(gaps[0])
    # Frames before the first: never chosen.
    total = np.full(longest + len(local), -np.inf)
    links = np.full(len(local), -1, np.int64)
    threshold = 0.01 * local.max()
    started = False
    for frame, score in enumerate(local):
        candidates = total[frame : frame + len(gaps)] + penalty
        best = int(candidates.argmax())
        reached = candidates[best] > -np.inf
        total[longest + frame] = score + (candidates[best] if reached else 0.0)
        started = started or score >= threshold
        if reached and started:
            links[frame] = frame - gaps[best]
    return links, total[longest:]


def _last_beat(total: NDArray[np.float64]) -> int:
    padded = np.concatenate([[-np.inf], total, [-np.inf]])
    peaks = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
    if len(peaks) == 0:
        return len(total) - 1
    good = peaks[total[peaks] >= 0.5 * np.median(total[peaks])]
    return int(good[-1])


def _backtrack(links: NDArray[np.int64], last: int) -> NDArray[np.int64]:
    beats = []
    frame = last
    while frame >= 0:
        beats.append(frame)
        frame = int(links[frame])
    return np.array(beats[::-1], np.int64)


def _trimmed(local: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without the weak beats before the first and after the last real one."""
    smooth = np.convolve(local[beats], np.hanning(5), mode="full")[2 : 2 + len(beats)]
    strong = np.flatnonzero(local[beats] > 0.5 * np.sqrt(np.mean(smooth**2)))
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]


def _between_frames(local: NDArray[np.float64], beats: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shift each beat by up to half a frame to the top of the parabola through its neighbours."""
    inner = beats[(beats > 0) & (beats < len(local) - 1)]
    before, here, after = local[inner - 1], local[inner], local[inner + 1]
    bend = before - 2 * here + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    shifted: NDArray[np.float64] = inner + np.clip(shift, -0.5, 0.5)
    return shifted
