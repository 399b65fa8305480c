"""A batch as a page of a real Voilà."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import MakePage, Workplace


def test_a_page(
    voila_server: str, workplace: Workplace, make_page: MakePage, screenshot: Callable[[Any, str], None]
) -> None:
    page, watched = make_page()
    page.goto(f"{voila_server}/voila/render/{workplace.notebook(songs=1)}")
    page.wait_for_selector(".sf[data-state=finished]")
    assert "1 of 2 tracks done" in " ".join(page.locator(".sf").inner_text().split())
    assert page.locator(".sf img").count() == 0
    assert serious_faults(page, ".sf") == []
    screenshot(page, "voila-finished-dark")
    watched.assert_clean()
