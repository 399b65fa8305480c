"""`soundforge dashboard` as a visitor meets it: a page of its own, behind a token, that asks nobody else."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import PATIENCE_SECONDS, MakePage, Workplace

VIEW = ".sf-dash[data-state=live]"


@pytest.fixture(scope="module")
def address(workplace: Workplace) -> Iterator[str]:
    """Where the command says that the page is."""
    command = [
        sys.executable,
        "-m",
        "soundforge_nb.cli",
        "dashboard",
        "--json",
        "--no-browser",
        "--read-only",
    ]
    command += ["--data-folder", str(workplace.folder / "data"), "--theme", "dark", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=workplace.environment()
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield json.loads(line)["address"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0


def test_a_visitor(address: str, make_page: MakePage, screenshot: Any) -> None:
    page, watched = make_page()
    page.goto(address)
    page.wait_for_selector(VIEW)
    assert page.title() == "soundforge"
    assert page.locator("body").get_attribute("data-jp-theme-light") == "false"
    assert page.get_by_text("read-only", exact=True).is_visible()
    assert not page.get_by_text("by papermill").is_visible(), "a note for notebooks is on the page"
    assert serious_faults(page, VIEW) == []
    screenshot(page, "page-dark")
    watched.assert_clean()


def test_who_has_no_token_sees_nothing(address: str) -> None:
    place = address.split("?")[0]
    with urllib.request.urlopen(place, timeout=20) as answered:
        assert "/login" in answered.url
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{place}api/kernels/{uuid.uuid4()}/channels", timeout=20)
    assert refused.value.code == 403
    refused.value.close()
