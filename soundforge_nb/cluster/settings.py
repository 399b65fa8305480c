"""Dask's settings, as this product needs them."""

from __future__ import annotations

from typing import Any

#: Dask's own retries, stealing and liveness rules are off: attempts and leases are kept in the store.
DASK_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.http.routes": ["soundforge_nb.application.endpoint"],
    "distributed.worker.http.routes": [],
    "distributed.worker.daemon": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.diagnostics.nvml": False,
    # Dask remembers its last transitions and messages for its developers: some kilobytes a job.
    "distributed.admin.low-level-log-length": 200,
    "distributed.admin.log-length": 1000,
    "distributed.admin.system-monitor.gil.enabled": False,
}

#: After how long a thread that computes in Python lets another of its process go on. Python's own 5 ms are
#: paid at each step of a job's way that crosses a thread, beside a job that computes in the Dask task itself.
SWITCH_SECONDS = 0.0005

#: What the application tells the clients that follow.
OUTBOUND_TOPIC = "soundforge-outbound"
