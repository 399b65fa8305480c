"""The dashboard in a real JupyterLab and a real Voilà, with a real application that is killed, too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from soundforge_nb.cluster.discovery import read_whereabouts
from tests.browser.accessibility import serious_faults
from tests.browser.conftest import PATIENCE_SECONDS, MakePage, Workplace
from tests.browser.lab import VIEW, Lab

Screenshot = Callable[[Any, str], None]
LIVE = "[data-state=live]"


@pytest.fixture(scope="module")
def lab_page(lab_server: str, make_page: MakePage) -> Lab:
    return Lab(*make_page(), lab_server)


@pytest.fixture
def lab(lab_page: Lab) -> Iterator[Lab]:
    yield lab_page
    lab_page.watched.assert_clean()


def row_of(job_id: str) -> str:
    return f".sf-run[data-job='{job_id}']"


def wait_told(page: Any, selector: str, words: str) -> None:
    page.locator(selector, has_text=words).first.wait_for()


def until(found: Callable[[], Any]) -> Any:
    """What the application says, as soon as it says it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
    return value


def test_a_job_from_its_start_to_its_end(lab: Lab, workplace: Workplace, screenshot: Screenshot) -> None:
    page = lab.page
    lab.run(workplace.dashboard_notebook())
    page.wait_for_selector(f"{VIEW}{LIVE}")
    job = workplace.performance("Overture")
    page.wait_for_selector(f"{VIEW} {row_of(job.job_id)}")
    job.says(37, "Tuning")
    wait_told(page, f"{VIEW} {row_of(job.job_id)}", "37 %")
    wait_told(page, f"{VIEW} {row_of(job.job_id)}", "Tuning")
    wait_told(page, f"{VIEW} {row_of(job.job_id)} .sf-run-where", "pid")
    assert serious_faults(page, VIEW) == []
    screenshot(page, "lab-dashboard-running")
    # The kernel lives on: a page that is loaded anew shows what runs.
    lab.command("docmanager:save")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    wait_told(page, f"{VIEW}{LIVE} {row_of(job.job_id)}", "37 %")
    job.ends()
    page.wait_for_selector(f"{VIEW} {row_of(job.job_id)}", state="detached")
    wait_told(page, f"{VIEW} .sf-row[data-job='{job.job_id}']", "Completed")


def test_a_kernel_that_was_restarted_is_told_and_a_run_brings_it_back(
    lab: Lab, workplace: Workplace, screenshot: Screenshot
) -> None:
    page, name = lab.page, workplace.dashboard_notebook()
    lab.run(name)
    page.wait_for_selector(f"{VIEW}{LIVE}")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    wait_told(page, f"{VIEW} .sf-trouble", "The kernel does not answer. If it was restarted")
    screenshot(page.locator(VIEW), "lab-dashboard-restarted")
    lab.run(name)
    page.wait_for_selector(f"{VIEW}{LIVE}")


def test_an_application_that_is_killed_comes_back_with_the_truth(
    lab: Lab, workplace: Workplace, screenshot: Screenshot
) -> None:
    page = lab.page
    lab.run(workplace.dashboard_notebook())
    page.wait_for_selector(f"{VIEW}{LIVE}")
    job = workplace.performance("Storm")
    job.says(20, "Thunder")
    wait_told(page, f"{VIEW} {row_of(job.job_id)}", "20 %")
    whereabouts = read_whereabouts(workplace.folder / "data" / "scheduler.json")
    assert whereabouts is not None
    everyone = [
        psutil.Process(whereabouts.pid),
        *psutil.Process(whereabouts.pid).children(recursive=True),
    ]
    os.kill(whereabouts.pid, signal.SIGKILL)
    wait_told(page, f"{VIEW} .sf-returned", "connected again")
    page.wait_for_selector(f"{VIEW}{LIVE}")
    screenshot(page, "lab-dashboard-killed")
    _, left = psutil.wait_procs(everyone, timeout=20)
    assert not left, "somebody outlived the application"
    # The same job, a second attempt, another child.
    wait_told(page, f"{VIEW} {row_of(job.job_id)}", "Attempt 2")
    job.says(60, "Calm")
    wait_told(page, f"{VIEW} {row_of(job.job_id)}", "60 %")
    job.ends()
    wait_told(page, f"{VIEW} .sf-row[data-job='{job.job_id}']", "Completed")


def test_two_notebooks_and_a_page_agree(
    lab: Lab,
    lab_server: str,
    voila_server: str,
    workplace: Workplace,
    make_page: MakePage,
    screenshot: Screenshot,
) -> None:
    lab.run(workplace.dashboard_notebook())
    other = Lab(*make_page(), lab_server)
    other.run(workplace.dashboard_notebook())
    page, watched = make_page()
    page.goto(f"{voila_server}/voila/render/{workplace.dashboard_notebook()}")
    pages = {lab.page: VIEW, other.page: VIEW, page: ".sf"}
    for shown, view in pages.items():
        shown.wait_for_selector(f"{view}{LIVE}")
    job = workplace.performance("Finale")
    spreads = []
    for percent in (11, 22, 33, 44, 55):
        job.says(percent, "Allegro")
        began = time.monotonic()
        for shown, view in pages.items():
            wait_told(shown, f"{view} {row_of(job.job_id)}", f"{percent} %")
        spreads.append(time.monotonic() - began)
    # A busy machine may be late once; a dashboard that asks every few seconds would be late each time.
    assert sorted(spreads)[1] < 1.0, spreads
    # Ports are asked for beside the answer: the first one may not have it yet.
    child = psutil.Process(until(lambda: (job.running or {}).get("pid")))
    assert serious_faults(page, ".sf") == []
    screenshot(page, "voila-dashboard-dark")
    page.get_by_role("button", name="Cancel Finale").click()
    page.get_by_role("button", name="Cancel it").click()
    for shown, view in pages.items():
        shown.wait_for_selector(f"{view} {row_of(job.job_id)}", state="detached")
        wait_told(shown, f"{view} .sf-row[data-job='{job.job_id}']", "Cancelled")
    _, left = psutil.wait_procs([child], timeout=5)
    assert not left, "the child outlived its cancelled job"
    watched.assert_clean()
    other.watched.assert_clean()
