"""How long `connect()` takes in a fresh interpreter, import included: where none runs, and where one does."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

from tests.benchmarks import scripts
from tests.benchmarks.table import Measurement

COLD, ATTACHED = 3, 7


def measure(folder: Path) -> list[Measurement]:
    # Unmeasured: files come into the system's cache.
    scripts.run("connect", "forge", folder / "first", "stop")
    cold = [scripts.run("connect", "forge", folder / f"cold{number}", "stop") for number in range(COLD)]
    dask_cold = [scripts.run("connect", "cluster") for _ in range(COLD)]
    scripts.run("connect", "forge", folder / "kept", "keep")
    attached = [scripts.run("connect", "forge", folder / "kept", "keep") for _ in range(ATTACHED)]
    scripts.run("connect", "forge", folder / "kept", "stop")
    with scripts.start("raw_cluster", 1) as cluster:
        assert cluster.stdout is not None and cluster.stdin is not None
        address = json.loads(cluster.stdout.readline())
        dask_attached = [scripts.run("connect", "client", address) for _ in range(ATTACHED)]
        cluster.stdin.close()
    return [
        Measurement(
            "connect(), starting the application",
            median(cold),
            "s",
            "Dask: LocalCluster of one process, and Client",
            median(dask_cold),
        ),
        Measurement(
            "connect(), attaching", median(attached), "s", "Dask: Client(address)", median(dask_attached)
        ),
    ]


def _forge(folder: str, then: str) -> float:
    begun = time.perf_counter()
    import soundforge_nb as sf

    forge = sf.connect(data_folder=folder)
    seconds = time.perf_counter() - begun
    if then == "stop":
        forge.call("stop")
    forge.close()
    return seconds


def _cluster() -> float:
    begun = time.perf_counter()
    import distributed

    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=32, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        return time.perf_counter() - begun


def _client(address: str) -> float:
    begun = time.perf_counter()
    import distributed

    with distributed.Client(address):
        return time.perf_counter() - begun


if __name__ == "__main__":
    print(json.dumps({"forge": _forge, "cluster": _cluster, "client": _client}[sys.argv[1]](*sys.argv[2:])))
