"""Where this kernel runs: in JupyterLab, as a Voilà page, in a papermill batch, or no notebook at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Literal

Place = Literal["lab", "voila", "batch", "terminal"]


def place(environment: Mapping[str, str] | None = None) -> Place:
    """Which of the four this process is in.

    A kernel started by a Jupyter server has ``JPY_SESSION_NAME``, one of Voilà ``VOILA_KERNEL_ID``;
    one that papermill or nbconvert runs has neither.

    >>> place({"VOILA_KERNEL_ID": "1"})
    'voila'
    """
    environment = os.environ if environment is None else environment
    if "VOILA_KERNEL_ID" in environment:
        return "voila"
    if "JPY_SESSION_NAME" in environment:
        return "lab"
    return "batch" if _in_kernel() else "terminal"


def prints_progress() -> bool:
    """Whether progress is told in lines: where no live view can show it."""
    return place() in ("batch", "terminal")


def _in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
