"""The dashboard in a browser: from an event in a Dask worker to the changed page, and what a flood costs.

The page is a real Voilà's in a real Chromium. Its yardstick is a bare event of Dask's, from a Dask worker to
the handler of a client: no ledger, no kernel, no page. Where there is none, it is what was wanted.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.benchmarks import scripts
from tests.benchmarks.table import Measurement
from tests.browser.serve import Server, free_tcp_port, own_settings

RUNNING = 8
TICKS, PAUSE_SECONDS = 60, 2.0
MANY = 10_000
FLOOD_A_SECOND, FLOOD_SECONDS = 2000, 20
_PATIENCE_MS = 120_000
_WANTED = "wanted, at most"
_KINDS = "tests.benchmarks.ticking:Ticker, tests.benchmarks.noop:Noop"
_TOOK = "SELECT epoch(max(completed_at) - min(attempted_at)) AS seconds FROM jobs WHERE job_id IN ({jobs})"
_WATCH = """() => {
    window.latencies = [];
    const seen = new Map();
    const look = () => {
        const now = Date.now();
        for (const row of document.querySelectorAll(".sf-run")) {
            const told = row.querySelector(".sf-run-more").textContent;
            if (told !== "" && told !== seen.get(row.dataset.job)) latencies.push(now - Number(told));
            seen.set(row.dataset.job, told);
        }
    };
    window.watching = new MutationObserver(look);
    watching.observe(document.querySelector(".sf-dash"),
        { subtree: true, childList: true, characterData: true });
}"""
#: Scrolls the list of all jobs, and counts how often the page was drawn meanwhile.
_SCROLL = """milliseconds => new Promise(resolve => {
    const list = document.querySelector(".sf-scroller"), began = performance.now();
    let frames = 0;
    const step = () => {
        frames += 1;
        list.scrollTop += 37;
        const took = performance.now() - began;
        if (took < milliseconds) requestAnimationFrame(step);
        else resolve(1000 * frames / took);
    };
    requestAnimationFrame(step);
})"""


def measure(folder: Path) -> list[Measurement]:
    if shutil.which("chromium") is None:
        print("dashboard: left out, for chromium is not installed", file=sys.stderr)
        return []
    import soundforge_nb as sf

    dask = _dask_events()
    with sf.connect(data_folder=folder / "data", kinds=_KINDS, analysis_limit=RUNNING) as forge:
        with _page(folder) as page:
            latencies = _latencies(forge, page)
            flood = _flood(forge, page)
        forge.call("stop")
    bare = "Dask: an event to its client"
    return [
        Measurement(
            "Dask worker's event to changed page, p50", _at(latencies, 50), "ms", bare, _at(dask, 50)
        ),
        Measurement(
            "Dask worker's event to changed page, p99", _at(latencies, 99), "ms", bare, _at(dask, 99)
        ),
        *flood,
    ]


def _at(milliseconds: list[float], percent: int) -> float:
    return quantiles(milliseconds, n=100)[percent - 1]


def _latencies(forge: Any, page: Any) -> list[float]:
    page.evaluate(_WATCH)
    jobs = forge.insert("ticker", [{"ticks": TICKS, "pause_seconds": PAUSE_SECONDS}] * RUNNING)
    assert forge.wait(jobs, 10 * TICKS * PAUSE_SECONDS)
    latencies: list[float] = page.evaluate("watching.disconnect() ?? latencies")
    assert len(latencies) > RUNNING * TICKS / 2, "most events never reached the page"
    return latencies


def _flood(forge: Any, page: Any) -> list[Measurement]:
    """What a flood of progress costs beside a long history, and whether the page is right in the end."""
    forge.insert("noop", [{}] * MANY, scheduled_in_seconds=1e6)
    page.locator(".sf-history .sf-title", has_text=f"{MANY + RUNNING:,}").wait_for()
    ticks = FLOOD_A_SECOND // RUNNING * FLOOD_SECONDS
    jobs = forge.insert("ticker", [{"ticks": ticks, "pause_seconds": RUNNING / FLOOD_A_SECOND}] * RUNNING)
    page.locator(".sf-run").nth(RUNNING - 1).wait_for()
    metrics = page.context.new_cdp_session(page)
    # Its own CPU time: what others do on this machine is no work of the page.
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    began, busy_before = time.monotonic(), _busy_seconds(metrics)
    messages_before = page.messages[0]
    page.wait_for_timeout(1000 * FLOOD_SECONDS / 2)
    seconds = time.monotonic() - began
    busy = (_busy_seconds(metrics) - busy_before) / seconds
    messages = (page.messages[0] - messages_before) / seconds
    frames = page.evaluate(_SCROLL, 3000)
    assert forge.wait(jobs, 20 * FLOOD_SECONDS)
    ended = time.monotonic()
    (row,) = forge.sql(_TOOK.format(jobs=", ".join(f"'{job}'" for job in jobs))).dicts()
    page.locator(".sf-chip[data-state=completed]", has_text=f"{2 * RUNNING}").wait_for()
    page.locator(".sf-run").first.wait_for(state="detached")
    settled = 1000 * (time.monotonic() - ended)
    return [
        Measurement("events of progress", RUNNING * ticks / row["seconds"], "1/s", "wanted", FLOOD_A_SECOND),
        Measurement(f"messages under {FLOOD_A_SECOND} events a second", messages, "1/s", _WANTED, 10),
        Measurement("CPU of the page's thread meanwhile", 100 * busy, "%", _WANTED, 20),
        Measurement("scrolling 10,000 jobs meanwhile", frames, "frames/s", "a screen's rate", 60),
        Measurement("from the end of the flood to the right page", settled, "ms", _WANTED, 1000),
    ]


def _busy_seconds(metrics: Any) -> float:
    found = metrics.send("Performance.getMetrics")["metrics"]
    return float(next(entry["value"] for entry in found if entry["name"] == "TaskDuration"))


@contextmanager
def _page(folder: Path) -> Iterator[Any]:
    """The dashboard as a page of Voilà; `messages[0]` counts what the kernel sent to it."""
    from playwright.sync_api import sync_playwright

    for name in ("dashboard.ipynb", "voila.json"):
        shutil.copy(scripts.ROOT / "notebooks" / name, folder)
    port = free_tcp_port()
    environment = scripts.environment() | own_settings(folder)
    environment |= {
        "SOUNDFORGE_DATA_FOLDER": str(folder / "data"),
        "JUPYTER_PATH": str(scripts.ROOT / "soundforge_nb" / "dashboards" / "page"),
    }
    command = [sys.executable, "-m", "voila", "dashboard.ipynb", f"--port={port}", "--no-browser", "--token="]
    server = Server(command, f"http://127.0.0.1:{port}", folder, environment)
    try:
        server.wait("/voila/static/voila.js", 60)
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(_PATIENCE_MS)
            page.messages = [0]
            page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: _count(page, frame)))
            page.goto(server.address)
            page.wait_for_selector(".sf-dash[data-state=live]")
            yield page
            browser.close()
    finally:
        server.end()


def _count(page: Any, frame: Any) -> None:
    content = frame if isinstance(frame, bytes) else str(frame).encode()
    if b'"comm_msg"' in content and (b'"change"' in content or b'"snapshot"' in content):
        page.messages[0] += 1


def _dask_events() -> list[float]:
    """How long a bare event takes from a Dask worker to its client, in ms."""
    import distributed

    taken: list[float] = []
    with scripts.start("raw_cluster", RUNNING) as process:
        assert process.stdout is not None and process.stdin is not None
        with distributed.Client(json.loads(process.stdout.readline())) as client:
            client.subscribe_topic("tick", lambda event: taken.append(1e3 * (time.time() - event[1])))
            for _ in range(200):
                client.submit(_tick, pure=False).result()
            until = time.monotonic() + 10
            while len(taken) < 200 and time.monotonic() < until:
                time.sleep(0.05)
        process.stdin.close()
    return taken


def _tick() -> None:
    import distributed

    distributed.get_worker().log_event("tick", time.time())
