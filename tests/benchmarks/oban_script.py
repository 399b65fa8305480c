"""What runs in oban-py's own Python: one process that runs jobs, one that inserts them. No package of ours.

As its command `oban start` does it: uvloop, orjson, a pool of its defaults. Both end with their stdin.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Awaitable
from queue import SimpleQueue
from typing import Any

import orjson
import uvloop
from oban import Oban, telemetry, worker
from oban.schema import install
from psycopg.types.json import set_json_dumps, set_json_loads

_ENDED = (
    "SELECT extract(epoch FROM max(completed_at) AT TIME ZONE 'UTC')::float8, count(*) FROM oban_jobs"
    " WHERE state = 'completed' AND inserted_at >= to_timestamp(%s) AT TIME ZONE 'UTC'"
)
_SETTINGS = (
    "SELECT current_setting('server_version'),"
    " current_setting('fsync') = 'on' AND current_setting('synchronous_commit') = 'on'"
)
_orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
_began = [0.0]


@worker()
class Noop:
    async def process(self, job: Any) -> None:
        _began[0] = time.time()


async def serve(dsn: str, limit: int) -> None:
    """Run jobs; say of each committed group how many it was, and when the last of them began."""

    def acknowledged(_: str, event: dict[str, Any]) -> None:
        if event["count"]:
            _say({"acknowledged": event["count"], "began": _began[0]})

    pool = await Oban.create_pool(dsn)
    await install(pool)
    telemetry.attach("benchmark", ["oban.producer.ack.stop"], acknowledged)
    await Oban(pool=pool, queues={"default": limit}).start()
    async with pool.connection() as connection:
        version, durable = await (await connection.execute(_SETTINGS)).fetchone()
    assert durable, "PostgreSQL's commits don't reach the disk"
    _say({"postgresql": version.split()[0]})
    await asyncio.Event().wait()


async def insert(dsn: str) -> None:
    """Do what each line asks for."""
    pool = await Oban.create_pool(dsn)
    oban = Oban(pool=pool)
    _say({})
    while True:
        order = await asyncio.to_thread(_orders.get)
        if since := order.get("ended_since"):
            async with pool.connection() as connection:
                ended, jobs = await (await connection.execute(_ENDED, [since])).fetchone()
            _say({"ended": ended, "jobs": jobs})
            continue
        options = {"scheduled_in": 86_400} if order.get("later") else {}
        begun = time.time()
        await oban.enqueue_many(Noop.new({}, **options) for _ in range(order["jobs"]))
        _say({"begun": begun, "seconds": time.time() - begun})


def _listen() -> None:
    """Take orders; end at once with stdin: the database is thrown away, and without one no pool closes."""
    for line in sys.stdin:
        _orders.put(json.loads(line))
    os._exit(0)


async def _or_end(work: Awaitable[None]) -> None:
    try:
        await work
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_listen, daemon=True).start()
    set_json_dumps(orjson.dumps)
    set_json_loads(orjson.loads)
    role, dsn, *rest = sys.argv[1:]
    uvloop.run(_or_end(serve(dsn, int(rest[0])) if role == "serve" else insert(dsn)))
