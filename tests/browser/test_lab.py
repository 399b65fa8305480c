"""A batch in a real JupyterLab: it runs, finishes, can be stopped and tried again, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import MakePage, Workplace
from tests.browser.lab import VIEW, Lab
from tests.browser.scenes import EVIL

Screenshot = Callable[[Any, str], None]

RUNNING, FINISHED = f"{VIEW}[data-state=running] .sf-job", f"{VIEW}[data-state=finished]"


@pytest.fixture(scope="module")
def lab_page(lab_server: str, make_page: MakePage) -> Lab:
    return Lab(*make_page(), lab_server)


@pytest.fixture
def lab(lab_page: Lab) -> Iterator[Lab]:
    yield lab_page
    lab_page.watched.assert_clean()


def test_a_batch_from_its_start_to_its_end(lab: Lab, workplace: Workplace, screenshot: Screenshot) -> None:
    page = lab.page
    lab.run(workplace.notebook(songs=2))
    page.wait_for_selector(RUNNING)
    screenshot(page, "lab-running-light")
    page.wait_for_selector(FINISHED)
    assert "2 of 3 tracks done" in lab.told()
    assert f"{EVIL}.wav is not audio" in lab.told()
    assert (
        page.locator(VIEW).get_by_role("progressbar", name="Whole batch").get_attribute("aria-valuenow")
        == "100"
    )
    assert page.locator(f"{VIEW} img").count() == 0
    assert serious_faults(page, VIEW) == []
    screenshot(page, "lab-finished-light")
    lab.use_theme("JupyterLab Dark", "false")
    assert serious_faults(page, VIEW) == []
    screenshot(page, "lab-finished-dark")
    page.set_viewport_size({"width": 560, "height": 900})
    page.wait_for_function(
        "view => document.querySelector(view).getBoundingClientRect().width < 560", arg=VIEW
    )
    screenshot(page, "lab-finished-narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
    lab.use_theme("JupyterLab Light", "true")
    # The kernel lives on: a page that is loaded anew shows the batch as it stands.
    lab.command("docmanager:save")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_selector(FINISHED)


def test_stopped_by_keyboard_and_tried_again(lab: Lab, workplace: Workplace, screenshot: Screenshot) -> None:
    page, name = lab.page, workplace.notebook(songs=3)
    lab.run(name)
    page.wait_for_selector(RUNNING)
    view = page.locator(VIEW)
    view.get_by_role("button", name="Cancel", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.textContent === 'Keep going'")
    screenshot(view, "lab-question")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_selector(FINISHED)
    batch = workplace.batch(name)
    assert (batch.finished, batch.ok) == (True, False)
    screenshot(view, "lab-cancelled")
    view.get_by_role("button", name="Retry failed").click()
    page.wait_for_selector(RUNNING)
    page.wait_for_selector(FINISHED)
    assert "3 of 4 tracks done" in lab.told()


def test_a_cell_that_waits_does_not_blind_it_and_a_lost_connection_shows(
    lab: Lab, workplace: Workplace, screenshot: Screenshot
) -> None:
    page = lab.page
    lab.run(workplace.notebook("batch.wait()", "forge.close()\nbatch._view.feed.look()", songs=1))
    page.wait_for_selector(RUNNING)
    page.wait_for_selector(f"{VIEW} .sf-trouble")
    assert "Connection lost. This connection was closed." in lab.told()
    assert "1 of 2 tracks done" in lab.told()
    screenshot(page.locator(VIEW), "lab-disconnected")
