"""How long a job waits before its next try: exponential, with jitter, bounded."""

from __future__ import annotations

import random

BASE_SECONDS = 2.0
CAP_SECONDS = 600.0
JITTER = 0.25

# Spreads retries and protects nothing, so the ordinary generator will do.
_random = random.Random()  # noqa: S311


def backoff_seconds(
    attempt: int,
    *,
    base_seconds: float = BASE_SECONDS,
    cap_seconds: float = CAP_SECONDS,
    jitter: float = JITTER,
    rng: random.Random = _random,
) -> float:
    """Seconds to wait after the given attempt (1 is the first).

    Doubling from `base_seconds` up to `cap_seconds`, then spread by ± `jitter` so that jobs that
    failed together do not come back together.

    >>> [backoff_seconds(n, jitter=0.0) for n in (1, 2, 3, 20)]
    [2.0, 4.0, 8.0, 600.0]
    """
    wait: float = min(cap_seconds, base_seconds * 2.0 ** min(max(0, attempt - 1), 64))
    return wait * (1 + rng.uniform(-jitter, jitter))
