"""A page of a JupyterLab, driven by its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.conftest import Watched

#: The view in the notebook in front; others lie behind it.
VIEW = ".jp-NotebookPanel:not(.lm-mod-hidden) .sf"
_KERNEL_IS_IDLE = """name => {
    const shown = window.jupyterapp?.shell.currentWidget;
    return shown?.context?.path === name && shown.sessionContext.session?.kernel?.status === "idle";
}"""
_RUN_COMMAND = """async ([name, given]) => {
    await window.jupyterapp.restored;
    void window.jupyterapp.commands.execute(name, given);
}"""


class Lab:
    """One page of a JupyterLab, in which notebooks are opened one after another."""

    def __init__(self, page: Any, watched: Watched, address: str) -> None:
        self.page, self.watched, self.address = page, watched, address
        page.goto(f"{address}/lab?reset")
        page.wait_for_function("() => window.jupyterapp?.shell")
        self.command("application:toggle-left-area")

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of Lab, without waiting for its end."""
        self.page.evaluate(_RUN_COMMAND, [name, arguments])

    def run(self, name: str) -> None:
        """Open a notebook and run its cells."""
        self.command("docmanager:open", path=name)
        self.page.wait_for_function(_KERNEL_IS_IDLE, arg=name)
        self.command("notebook:run-all-cells")

    def use_theme(self, name: str, light: str) -> None:
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def told(self) -> str:
        return " ".join(self.page.locator(VIEW).inner_text().split())
