"""A plain Dask cluster in a process of its own: prints its address, and ends with its stdin."""

from __future__ import annotations

import json
import sys


def main(threads: int) -> None:
    import distributed

    with distributed.LocalCluster(n_workers=1, threads_per_worker=threads, dashboard_address=None) as cluster:
        print(json.dumps(cluster.scheduler_address), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
