"""The dashboard in every state, without Jupyter: light and dark, narrow and wide, with strangers' titles."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import ROOT, MakePage
from tests.browser.dashboard_scenes import MANY, scenes
from tests.browser.serve import served
from tests.dashboards.answers import EVIL

Screenshot = Callable[[Any, str], None]


#: What reaches farther to the right than the inside of its view, unless it lies in something that scrolls.
_BEYOND = """() => [...document.querySelectorAll(".sf")].flatMap(view => {
    const clipped = ".sf-tree-scroll, .sf-scroller, svg";
    const inside = view.getBoundingClientRect().right - 10;
    return [...view.querySelectorAll("*:not(.sf-aloud)")]
        .filter(one => one.getBoundingClientRect().right > inside && !one.closest(clipped))
        .map(one => `${view.parentElement.id}: ${one.className} ${one.textContent.slice(0, 40)}`);
})"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboard-gallery")
    shutil.copytree(ROOT / "soundforge_nb/dashboards/static", folder, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("dashboard_gallery.html"), folder)
    (folder / "dashboard_scenes.json").write_text(json.dumps(scenes()))
    with served(folder) as address:
        yield f"{address}/dashboard_gallery.html"


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state(
    gallery: str, make_page: MakePage, screenshot: Screenshot, scheme: str, width: int
) -> None:
    page, watched = make_page(color_scheme=scheme, viewport={"width": width, "height": 1000})
    page.goto(gallery)
    page.wait_for_selector("body[data-ready]")
    page.locator("#job .sf-row[data-job]").nth(3).click()
    page.wait_for_selector("#job .sf-detail .sf-timeline")
    page.wait_for_selector("#metrics .sf-curve")
    page.wait_for_selector("#many .sf-row[data-job]")
    for scene in scenes():
        screenshot(page.locator(f"#{scene['name']} .sf"), f"dashboard-{scene['name']}-{scheme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    assert page.evaluate(_BEYOND) == [], "something stands out of its view"
    assert page.locator("img").count() == 0
    assert EVIL in page.locator("#busy").inner_text()
    assert serious_faults(page, "#views") == []
    watched.assert_clean()


_FOCUSED = """() => {
    const it = document.activeElement;
    const name = it.getAttribute("aria-label") ?? it.textContent.trim();
    return name.replace(/ [0-9,]+$/, "");
}"""


def focus_order(page: Any, stops: int) -> list[str]:
    """What Tab comes to, one after another."""
    came = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        came.append(page.evaluate(_FOCUSED))
    return came


def test_everything_is_reached_by_keyboard_from_top_to_bottom(gallery: str, make_page: MakePage) -> None:
    page, watched = make_page()
    page.goto(f"{gallery}?scene=busy")
    page.wait_for_selector(".sf-row[data-job]")
    came = focus_order(page, 33)
    steering = [
        name
        for queue, pause in (("download", "Resume"), ("processing", "Pause"), ("analysis", "Pause"))
        for name in (f"One fewer at once in {queue}", f"One more at once in {queue}", f"{pause} {queue}")
    ]
    assert came[:2] == ["1 discarded", "Jobs"]
    assert came[2:11] == steering
    assert came[11:14] == ["Running jobs", "Late Bloomer", "Cancel Late Bloomer"]
    assert came[16:18] == ["Tracks and their steps", "Available"]
    assert came[24:28] == ["Queue", "Kind", "Tag", "Text in song, error, arguments or id"]
    assert came[28] == "Jobs, the newest first"
    watched.assert_clean()


def test_a_job_is_opened_and_left_by_keyboard(gallery: str, make_page: MakePage) -> None:
    page, watched = make_page()
    page.goto(f"{gallery}?scene=busy")
    page.wait_for_selector(".sf-row[data-job]")
    page.get_by_role("listbox").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".sf-detail .sf-timeline")
    assert page.locator("[aria-selected=true][role=option]").get_attribute("aria-posinset") == "4"
    assert page.evaluate("document.activeElement.closest('.sf-detail') !== null")
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED) == "Close"
    page.keyboard.press("Escape")
    page.wait_for_selector(".sf-detail", state="detached")
    assert page.evaluate(_FOCUSED) == "Jobs, the newest first"
    watched.assert_clean()


def test_tabs_go_by_arrows(gallery: str, make_page: MakePage) -> None:
    page, _ = make_page()
    page.goto(f"{gallery}?scene=busy")
    page.get_by_role("tab", name="Jobs").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".sf-curve")
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Supervision tree").wait_for()
    assert page.evaluate(_FOCUSED) == "System"


def test_cancelling_asks_and_a_no_leads_back(gallery: str, make_page: MakePage) -> None:
    page, watched = make_page()
    page.goto(f"{gallery}?scene=busy")
    page.get_by_role("button", name="Cancel Late Bloomer").focus()
    page.keyboard.press("Enter")
    page.get_by_role("alertdialog").wait_for()
    assert page.evaluate(_FOCUSED) == "Keep going"
    assert serious_faults(page, "#busy") == []
    page.keyboard.press("Escape")
    page.get_by_role("alertdialog").wait_for(state="detached")
    assert page.evaluate(_FOCUSED) == "Cancel Late Bloomer"
    assert page.evaluate("sent.busy.filter(message => message.type === 'act')") == []
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Cancelled: 1 job.").first.wait_for()
    (act,) = page.evaluate("sent.busy.filter(message => message.type === 'act')")
    assert (act["action"], act["targets"]) == ("cancel", ["a"])
    watched.assert_clean()


def test_of_ten_thousand_jobs_only_what_is_seen_exists(gallery: str, make_page: MakePage) -> None:
    page, watched = make_page()
    page.goto(f"{gallery}?scene=many")
    page.wait_for_selector(".sf-row[data-job]")
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    page.get_by_role("option", name=f"Take {MANY - 1}.flac").wait_for()
    assert page.locator(".sf-row[role=option]").count() < 60
    asked = page.evaluate("sent.many.filter(message => message.type === 'ask_jobs').length")
    assert asked <= 4, "pages between were asked for"
    page.keyboard.press("Home")
    page.get_by_role("option", name="Take 0.flac").wait_for()
    watched.assert_clean()


def test_two_dashboards_on_a_page_do_not_share_names(gallery: str, make_page: MakePage) -> None:
    page, _ = make_page()
    page.goto(gallery)
    page.wait_for_selector("body[data-ready]")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids)) > 20


def test_what_did_not_change_is_not_drawn_again(gallery: str, make_page: MakePage) -> None:
    """Ten changes a second are drawn without moving what a person reads."""
    page, watched = make_page()
    page.goto(f"{gallery}?scene=busy")
    page.wait_for_selector(".sf-row[data-job]")
    page.evaluate("""() => {
        window.shifts = 0;
        new PerformanceObserver(list => {
            for (const entry of list.getEntries()) window.shifts += entry.value;
        }).observe({ type: "layout-shift", buffered: false });
    }""")
    for number in range(2, 12):
        page.evaluate(
            """([number, row]) => tell.busy({ type: "change", number, at: row.started_at + 60, parts: {},
                rows: { running: { order: ["a", "b"], changed: [row] } } })""",
            [number, scenes()[1]["messages"][0]["state"]["running"][0] | {"progress": 60 + number}],
        )
        page.get_by_text(f"{60 + number} %").first.wait_for()
    assert page.evaluate("shifts") < 0.001
    watched.assert_clean()
