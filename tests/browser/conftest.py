"""Headless Chromium, and pages that are watched: what they log, what they ask the network for.

Without chromium these tests are skipped and say so; with ``CI=true`` they fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.notebooks import write_notebook, write_songs
from tests.browser.serve import Server, free_tcp_port, own_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
_TEMPLATES = ROOT / "soundforge_nb" / "dashboards" / "page"
SCREENSHOTS = ROOT / "build" / "screenshots"
#: Longer than anything here takes on a busy machine; nothing waits for it unless it is broken.
PATIENCE_SECONDS = 60.0
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _left_out(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed, and CI leaves nothing out.")
    pytest.skip(f"{what} is not installed.")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        _left_out("Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _left_out("playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield browser
        browser.close()


class Watched:
    """What a page did that it should not have done."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.away: list[str] = []
        self.dialogs: list[str] = []

    def assert_clean(self) -> None:
        assert (self.errors, self.away, self.dialogs) == ([], [], [])


MakePage = Callable[..., "tuple[Page, Watched]"]


@pytest.fixture(scope="module")
def make_page(browser: Browser) -> Iterator[MakePage]:
    """Makes a page whose requests stay on this machine; options are those of a browser context."""
    contexts = []

    def make(**options: Any) -> tuple[Page, Watched]:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page, watched = context.new_page(), Watched()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)

        def route(route: Any) -> None:
            address = route.request.url
            if address.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
                route.continue_()
            else:
                watched.away.append(address)
                route.abort()

        context.route("**/*", route)
        page.on("console", lambda said: watched.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
        return page, watched

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def screenshot() -> Callable[[Any, str], None]:
    """Keeps a picture of a page or of a part of it, to be looked at."""

    def take(shown: Any, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        shown.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    return take


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """An application on a data folder of its own, and a folder for notebooks."""
    import soundforge_nb as sf

    folder = tmp_path_factory.mktemp("workplace")
    (folder / "data").mkdir()
    # Not as arguments: whoever starts the application again must start the same one.
    (folder / "data" / "soundforge.toml").write_text('kinds = "performing:Perform"\nlinger_seconds = 60\n')
    shutil.copy(Path(__file__).with_name("performing.py"), folder)
    for name in ("dashboard.ipynb", "voila.json"):
        shutil.copy(ROOT / "notebooks" / name, folder)
    # As beside a notebook: the kind's module is importable from where the person works.
    with contextlib.chdir(folder):
        forge = sf.connect(data_folder=folder / "data")
    with forge:
        yield Workplace(folder, forge)
        forge.call("stop")


class Workplace:
    """Where notebooks lie and songs are made; each notebook gets songs that nobody has analyzed yet."""

    def __init__(self, folder: Path, forge: Any) -> None:
        self.folder = folder
        self.forge = forge
        self._made = 0

    def environment(self) -> dict[str, str]:
        """For programs of Jupyter's: none of the person's own settings, and our data folder and template."""
        ours = {"SOUNDFORGE_DATA_FOLDER": str(self.folder / "data"), "JUPYTER_PATH": str(_TEMPLATES)}
        return os.environ | own_settings(self.folder) | ours

    def dashboard_notebook(self) -> str:
        """A copy of the dashboard's notebook, for a kernel of its own; returns its name."""
        self._made += 1
        name = f"dashboard_{self._made}.ipynb"
        shutil.copy(self.folder / "dashboard.ipynb", self.folder / name)
        return name

    def performance(self, title: str) -> Performance:
        """A job that runs until it is told to end."""
        return Performance(self, title)

    def notebook(self, *more: str, songs: int = 2, show: str = "batch") -> str:
        """Write a notebook that makes a batch and shows it; returns its name."""
        self._made += 1
        name = f"batch_{self._made}.ipynb"
        folder = self.folder / f"songs {self._made}"
        write_songs(folder, seed=self._made, count=songs)
        write_notebook(self.folder / name, self.folder / "data", folder, show, *more)
        return name

    def batch(self, name: str) -> Any:
        """The batch that the notebook made, as this process sees it."""
        position = int(name.removeprefix("batch_").removesuffix(".ipynb"))
        rows = self.forge.sql(
            f"select distinct batch_id::varchar as id from batch_inputs where name like '%songs {position}/%'"
        ).df()
        return self.forge.batch(rows["id"][0])


class Performance:
    """A job of the kind `performing.Perform`, and the pipe that its child reads."""

    def __init__(self, workplace: Workplace, title: str) -> None:
        score = workplace.folder / f"{title}.score"
        os.mkfifo(score)
        # Also for reading: opening waits for nobody then, and the pipe outlives its reader.
        self._pipe = os.open(score, os.O_RDWR)
        self._forge = workplace.forge
        (self.job_id,) = self._forge.insert("perform", [{"score": str(score), "title": title}])

    def says(self, percent: int, message: str) -> None:
        os.write(self._pipe, f"{percent} {message}\n".encode())

    def ends(self) -> None:
        self.says(100, "end")
        os.close(self._pipe)

    @property
    def running(self) -> dict[str, Any] | None:
        """What the application says of it while it runs."""
        rows = self._forge.call("dashboard")["running"]
        return next((row for row in rows if row["job_id"] == self.job_id), None)


@pytest.fixture(scope="session")
def lab_server(workplace: Workplace, browser: Browser) -> Iterator[str]:
    """A JupyterLab on the workplace's folder; gives its address."""
    settings = workplace.folder / "jupyter" / "jupyterlab_settings_dir" / "@jupyterlab"
    for place, chosen in _LAB_SETTINGS.items():
        file = settings / f"{place}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(chosen))
    port = free_tcp_port()
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={workplace.folder}", "--allow-root", "--no-browser"]
    command = [sys.executable, "-m", "jupyterlab", "--expose-app-in-browser", *options]
    server = Server(command, f"http://127.0.0.1:{port}", workplace.folder, workplace.environment())
    try:
        server.wait("/api/status", PATIENCE_SECONDS)
        yield server.address
    finally:
        server.end()


#: A notebook is drawn whole, and nothing asks for the news of the day.
_LAB_SETTINGS: dict[str, dict[str, Any]] = {
    "notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="session")
def voila_server(workplace: Workplace, browser: Browser) -> Iterator[str]:
    """A Voilà server on the workplace's folder; gives its address."""
    port = free_tcp_port()
    options = [f"--port={port}", "--Voila.ip=127.0.0.1", "--no-browser", "--token=", "--theme=dark"]
    command = [sys.executable, "-m", "voila", str(workplace.folder), *options]
    server = Server(command, f"http://127.0.0.1:{port}", workplace.folder, workplace.environment())
    try:
        server.wait("/voila/tree", PATIENCE_SECONDS)
        yield server.address
    finally:
        server.end()
