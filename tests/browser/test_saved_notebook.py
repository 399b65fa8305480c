"""A notebook run without a front end: what it saves stands alone, without a kernel, a script or a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import MakePage, Workplace
from tests.browser.scenes import EVIL
from tests.browser.serve import served

_WIDGETS = "application/vnd.jupyter.widget"


def test_it_stands_alone(
    workplace: Workplace, make_page: MakePage, screenshot: Callable[[Any, str], None]
) -> None:
    name = workplace.notebook("batch.wait()", "batch", songs=1)
    notebook = nbformat.read(workplace.folder / name, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": workplace.folder}}).execute()
    assert "widgets" not in notebook.metadata
    assert _WIDGETS not in json.dumps(notebook)
    printed = "".join(output.get("text", "") for output in notebook.cells[2].outputs)
    assert printed.splitlines()[-1].startswith("Finished: 1 of 2 tracks done, 1 failed")
    assert set(notebook.cells[3].outputs[0].data) == {"text/plain", "text/html"}

    page_folder = workplace.folder / "saved"
    page_folder.mkdir()
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    (page_folder / "saved.html").write_text(html, encoding="utf-8")
    ground = (
        "<!doctype html><meta charset='utf-8'><body style='background:{0};color:{1};font:14px sans-serif'>"
    )
    summary = notebook.cells[3].outputs[0].data["text/html"]
    for scheme, colours in {"light": ("#fff", "#111"), "dark": ("#111", "#eee")}.items():
        (page_folder / f"{scheme}.html").write_text(ground.format(*colours) + summary, encoding="utf-8")

    with served(page_folder) as address:
        page, watched = make_page(java_script_enabled=False)
        for scheme in ("light", "dark"):
            page.goto(f"{address}/{scheme}.html")
            assert "1 of 2 tracks done, 1 failed" in page.inner_text("body")
            assert f"{EVIL}.wav is not audio" in " ".join(page.inner_text("body").split())
            assert page.locator("img").count() == 0
            screenshot(page, f"summary-{scheme}")
        page.goto(f"{address}/saved.html")
        assert page.locator("table").count() == 2
        screenshot(page, "saved-notebook")
    assert watched.dialogs == []
    # The page around it is nbconvert's; what is ours asks for nothing and has no fault.
    assert serious_faults_of(make_page, summary) == []


def serious_faults_of(make_page: MakePage, summary: str) -> list[str]:
    page, watched = make_page()
    page.set_content(f"<html lang='en'><title>A batch</title><main id='ours'>{summary}</main></html>")
    found = serious_faults(page, "#ours")
    watched.assert_clean()
    return found
