"""The parameters that papermill injected into a notebook, held against those that it knows."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Iterable, Sequence

from soundforge_nb.errors import UsageError

#: How papermill begins the cell that it injects.
_MARK = "# Parameters"


def check_parameters(known: Iterable[str]) -> None:
    """Refuse a parameter that the notebook does not know: papermill itself would only mumble.

    Call it in a cell behind the one tagged ``parameters``.

    Parameters
    ----------
    known : iterable of str
        The names that the notebook takes.

    Raises
    ------
    UsageError
        A name was injected that is none of them; the nearest one is suggested.
    """
    refuse_unknown(injected(_history()), list(known))


def injected(cells: Sequence[str]) -> list[str]:
    """The names that the last injected cell among these sources assigns.

    >>> injected(["a = 1", "# Parameters\\na = 2\\nb = 3"])
    ['a', 'b']
    """
    for source in reversed(cells):
        if source.lstrip().startswith(_MARK):
            body = ast.parse(source).body
            targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise for the first name that is not known.

    >>> refuse_unknown(["x"], ["separate"])
    Traceback (most recent call last):
    soundforge_nb.errors.UsageError: This notebook has no parameter x. It knows: separate.
    """
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"This notebook has no parameter {name}.",
                f"{hint}It knows: {', '.join(known)}.",
                kind="parameter",
            )


def _history() -> list[str]:
    """The sources of the cells that this kernel has run; none outside a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return list(shell.user_ns.get("In", ())) if shell is not None else []
