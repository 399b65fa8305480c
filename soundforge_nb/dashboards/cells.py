"""Whether a cell runs in this kernel: while one does, messages of the front end wait for its end.

Jupyter hands a widget's messages to the thread that runs cells (a subshell has them only in some
versions), so a view's heartbeat is not heard while ``batch.wait()`` waits.
"""

from __future__ import annotations

import sys
from typing import Any


class Cells:
    """Follows the cells of an IPython shell.

    Parameters
    ----------
    shell : optional
        An IPython shell; by default the one of this process. Without one no cell ever runs.
    """

    def __init__(self, shell: Any = None) -> None:
        self._shell = _shell_of_this_process() if shell is None else shell
        #: What is made in a cell is made while one runs.
        self.running = self._shell is not None
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._began)
            self._shell.events.register("post_run_cell", self._ended)

    def _began(self, *_: Any) -> None:
        self.running = True

    def _ended(self, *_: Any) -> None:
        self.running = False


_ours: Cells | None = None


def cells_of_this_kernel() -> Cells:
    """The one that all views of this process share."""
    global _ours
    if _ours is None:
        _ours = Cells()
    return _ours


def _shell_of_this_process() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
