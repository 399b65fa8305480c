"""Every example in a docstring says what the code does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import soundforge_nb


def module_names() -> Iterator[str]:
    yield soundforge_nb.__name__
    for module in pkgutil.walk_packages(soundforge_nb.__path__, f"{soundforge_nb.__name__}."):
        # Importing a program's `__main__` would run it.
        if not module.name.endswith(".__main__"):
            yield module.name


@pytest.mark.parametrize("name", sorted(module_names()))
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
