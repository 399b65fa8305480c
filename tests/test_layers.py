"""Imports go downward only: every import of every module, those inside functions and for types included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "soundforge_nb"
NAME = PACKAGE.name

#: Each room with the rooms it may import, besides itself. Whoever adds a room names its layer here.
BASE = {"errors", "config"}
TO_JOBS = BASE | {"lifecycle", "store", "ports"}
TO_PIPELINE = TO_JOBS | {"jobs", "library", "spotify"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "config": {"errors"},
    "lifecycle": BASE,
    # These three never import each other.
    "store": BASE | {"lifecycle"},
    "ports": BASE | {"lifecycle"},
    "audio": BASE | {"lifecycle"},
    # A child knows the protocol it speaks and the audio it works on; nobody imports a child.
    "programs": {"errors", "ports.protocol", "audio"},
    "jobs": TO_JOBS,
    "library": TO_JOBS | {"jobs"},
    "spotify": TO_JOBS | {"jobs"},
    "pipeline": TO_PIPELINE,
    "cluster": TO_PIPELINE | {"pipeline"},
    "application": TO_PIPELINE | {"pipeline", "cluster"},
    "dashboards": BASE | {"lifecycle"},
    "forge": TO_PIPELINE | {"pipeline", "cluster", "dashboards"},
    # The shell's calls are made of everything, but audio is the programs' alone.
    "cli": TO_PIPELINE | {"pipeline", "cluster", "dashboards", "forge", "application"},
    "__main__": {"cli"},
    # The public names, imported lazily.
    "__init__": BASE | {"jobs", "pipeline", "forge"},
}
#: Everything in one process, for tests and debugging; and the one program that knows of jobs.
EXCEPTIONS = {
    ("forge.in_process", "application"),
    # The program that runs kinds of a person's own.
    ("programs.kind", "pipeline"),
}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name within it."""
    return {
        ".".join(file.relative_to(PACKAGE).with_suffix("").parts): file
        for file in sorted(PACKAGE.rglob("*.py"))
    }


def imports_of(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What a module imports of this package: line, and dotted name within the package ("" is the root)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parts = [NAME, *module.split(".")]
                origin = ".".join([*parts[: len(parts) - node.level], *([origin] if origin else [])])
            # What is taken from the root, or from a room, may itself be a module.
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name == NAME or name.startswith(f"{NAME}."):
                yield node.lineno, name[len(NAME) + 1 :]


def is_allowed(module: str, imported: str) -> bool:
    room, target = module.split(".")[0], imported.split(".")[0]
    # The root tells the version to everyone; its other names are for the people outside.
    if imported in ("", "__version__"):
        return room != "programs"
    if target == room or (module.removesuffix(".__init__"), target) in EXCEPTIONS:
        return True
    return any(
        imported == allowed or imported.startswith(f"{allowed}.") for allowed in MAY_IMPORT.get(room, set())
    )


@pytest.mark.parametrize("room", sorted({name.split(".")[0] for name in modules()}))
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    assert room in MAY_IMPORT, f"{room} has no layer: name it in this test and in the design"
    wrong = [
        f"{file.relative_to(PACKAGE.parent)}:{line} imports {imported or NAME}"
        for module, file in modules().items()
        if module.split(".")[0] == room
        for line, imported in imports_of(module, ast.parse(file.read_text(encoding="utf-8")))
        if not is_allowed(module, imported)
    ]
    assert wrong == []


def test_the_root_is_asked_for_its_version_alone() -> None:
    wrong = []
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            of_root = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == NAME
                and node.attr != "__version__"
            )
            if of_root:
                wrong.append(f"{module}: {ast.unparse(node)}")
    assert wrong == []


def test_no_module_hides_an_import() -> None:
    """Names in strings pass the syntax tree by, so only the places that must have them do."""
    found = {
        module
        for module, file in modules().items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
    }
    # The root's lazy public names, and the kinds of job that a person names in the settings.
    assert found <= {"__init__", "pipeline.own_kind"}


@pytest.mark.parametrize(
    ("module", "text", "imported"),
    [
        ("jobs.engine", "def f():\n    from soundforge_nb.audio.decode import read", "audio.decode.read"),
        ("jobs.engine", "if TYPE_CHECKING:\n    import soundforge_nb.audio", "audio"),
        ("jobs.engine", "from soundforge_nb import audio", "audio"),
        ("jobs.engine", "from ..audio import decode", "audio.decode"),
        ("store.store", "from soundforge_nb.ports.port import Port", "ports.port.Port"),
        ("forge.forge", "from soundforge_nb.application.serve import serve", "application.serve.serve"),
        ("programs.analyze", "from soundforge_nb.ports.port import Port", "ports.port.Port"),
        ("pipeline.kinds", "from soundforge_nb.programs import analyze", "programs.analyze"),
    ],
)
def test_the_walk_sees_what_it_must(module: str, text: str, imported: str) -> None:
    assert [name for _, name in imports_of(module, ast.parse(text))] == [imported]
    assert not is_allowed(module, imported)


def test_the_exceptions_are_two() -> None:
    assert is_allowed("programs.kind", "pipeline.own_kind.process_here")
    assert not is_allowed("programs.analyze", "pipeline.own_kind.process_here")
    assert is_allowed("forge.in_process", "application.serve.serve")
    assert not is_allowed("forge.batch", "application.serve.serve")
