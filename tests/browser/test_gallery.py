"""The view in every state, without Jupyter: in light and dark, narrow and wide, with strangers' titles."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import ROOT, MakePage
from tests.browser.scenes import EVIL, scenes
from tests.browser.serve import served


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copytree(ROOT / "soundforge_nb/dashboards/static", folder, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("gallery.html"), folder)
    (folder / "scenes.json").write_text(json.dumps(scenes()))
    with served(folder) as address:
        yield f"{address}/gallery.html"


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state(
    gallery: str, make_page: MakePage, screenshot: Callable[[Any, str], None], scheme: str, width: int
) -> None:
    page, watched = make_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(gallery)
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector("#finished .sf[data-state=finished]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    assert page.locator("img").count() == 0
    assert EVIL in page.locator("#busy").inner_text()
    assert serious_faults(page, "#views") == []
    page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
    screenshot(page, f"states-{scheme}-{width}")
    watched.assert_clean()


def test_cancelling_by_keyboard(
    gallery: str, make_page: MakePage, screenshot: Callable[[Any, str], None]
) -> None:
    page, watched = make_page()
    page.goto(gallery)
    cancel = page.locator("#busy").get_by_role("button", name="Cancel", exact=True)
    cancel.focus()
    page.keyboard.press("Enter")
    question = page.locator("#busy").get_by_role("alertdialog")
    question.wait_for()
    focused = "text => document.activeElement.textContent === text"
    page.wait_for_function(focused, arg="Keep going")
    assert serious_faults(page, "#busy") == []
    screenshot(page.locator("#busy"), "question-light")
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    page.wait_for_function(focused, arg="Cancel")
    watched.assert_clean()


def test_nothing_moves_where_a_person_wants_no_motion(gallery: str, make_page: MakePage) -> None:
    page, _ = make_page(reduced_motion="reduce")
    page.goto(gallery)
    page.wait_for_selector("body[data-ready] #busy .sf-dot")
    moving = "getComputedStyle(document.querySelector('#busy .sf-dot')).animationName"
    assert page.evaluate(moving) == "none"
