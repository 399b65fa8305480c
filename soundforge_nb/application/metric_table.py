"""Every metric, defined once: where it comes from, how it is summed up, its unit, tags and group."""

from __future__ import annotations

from soundforge_nb.lifecycle.history import Metric, MetricKind

_JOB = ("queue", "kind")
_MS = 1e3
_MB = 1e-6
_TIMES: tuple[MetricKind, str] = ("summary", "ms")

#: In the order in which they are shown. RPC and topics stand where the original had endpoint and channel.
METRICS: tuple[Metric, ...] = (
    Metric("rpc.stop.duration", "rpc.stop", "duration_seconds", *_TIMES, "Calls", ("method",), _MS),
    Metric("endpoint.stop.duration", "endpoint.stop", "duration_seconds", *_TIMES, "Calls", ("route",), _MS),
    Metric("topic.publish.count", "topic.publish", "count", "counter", "", "Topics", ("topic",)),
    Metric("topic.subscribe.count", "topic.subscribe", "count", "counter", "", "Topics", ("topic",)),
    Metric("dashboard.connect.count", "dashboard.connect", "count", "counter", "", "Topics"),
    Metric("dashboard.close.count", "dashboard.close", "count", "counter", "", "Topics"),
    Metric("dashboard.message.count", "dashboard.message", "count", "counter", "", "Topics", ("what",)),
    *(
        Metric(
            f"store.query.{time}_time", "store.query", f"{time}_seconds", "summary", "ms", "Store", (), _MS
        )
        for time in ("total", "query", "queue", "decode", "idle")
    ),
    Metric("job.insert.count", "job.insert", "count", "counter", "", "Jobs", _JOB),
    Metric("job.start.count", "job.start", "count", "counter", "", "Jobs", _JOB),
    Metric("job.stop.duration", "job.stop", "duration_seconds", "summary", "s", "Jobs", _JOB),
    Metric("job.exception.count", "job.exception", "duration_seconds", "counter", "", "Jobs", _JOB),
    Metric("port.start.count", "port.start", "count", "counter", "", "Ports", ("program",)),
    Metric("port.stop.duration", "port.stop", "duration_seconds", "summary", "s", "Ports", ("program",)),
    Metric(
        "port.exception.count", "port.exception", "duration_seconds", "counter", "", "Ports", ("program",)
    ),
    Metric("vm.memory.total", "vm.memory", "total_bytes", "last_value", "MB", "VM", (), _MB),
    Metric("vm.run_queue.total", "vm.run_queue", "total", "last_value", "", "VM"),
    Metric("vm.run_queue.cpu", "vm.run_queue", "cpu", "last_value", "", "VM"),
    Metric("vm.run_queue.io", "vm.run_queue", "io", "last_value", "", "VM"),
    Metric("vm.loop_lag", "vm.loop_lag", "seconds", "last_value", "ms", "VM", (), _MS),
    Metric("storage.clean.count", "storage.clean", "count", "counter", "", "Store"),
    Metric("supervisor.restart.count", "supervisor.restart", "count", "counter", "", "VM", ("child",)),
)
