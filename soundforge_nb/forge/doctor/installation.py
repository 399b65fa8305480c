"""What is installed: Python, the platform, the packages this one needs, the built front end."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata, resources

import soundforge_nb
from soundforge_nb.forge.doctor.finding import Finding, ok, problem, warning

_PACKAGE = "soundforge_nb"
#: The newest Python that this version was tested with.
_NEWEST_TESTED = (3, 13)
#: Those that a person installs; the others are for developers.
_EXTRAS = ("batch", "dashboard")
_ASSETS = ("batch.js", "batch.css")


def look_at_installation() -> Iterator[Finding]:
    """Python, platform, packages, front end."""
    yield _python()
    yield _platform()
    yield from _packages()
    yield _front_end()


def _python() -> Finding:
    version = platform.python_version()
    told = f"soundforge_nb {soundforge_nb.__version__}, Python {version}"
    if tuple(map(int, platform.python_version_tuple()[:2])) > _NEWEST_TESTED:
        newest = ".".join(map(str, _NEWEST_TESTED))
        return warning(
            "python",
            f"{told}: newer than any this version was tested with.",
            f"If something breaks, use Python {newest}.",
            executable=sys.executable,
        )
    return ok("python", f"{told}, {sys.executable}", version=version, soundforge_nb=soundforge_nb.__version__)


def _platform() -> Finding:
    told = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if platform.system() == "Linux":
        return ok("platform", told)
    if platform.system() == "Darwin":
        return warning("platform", f"{told}: macOS was not tested.", "Tell us what breaks.")
    return problem("platform", f"{told} is not supported.", "Use Linux; on Windows, WSL.")


def _packages() -> Iterator[Finding]:
    # Known only here: the package itself never looks at version numbers.
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires(_PACKAGE) or []]
    except metadata.PackageNotFoundError:
        yield problem("packages", f"{_PACKAGE} itself is not installed.", "Run: pip install soundforge_nb")
        return
    versions: dict[str, str] = {}
    for requirement in wanted:
        marker = requirement.marker
        optional = marker is not None and not marker.evaluate({"extra": ""})
        if optional and not any(marker and marker.evaluate({"extra": extra}) for extra in _EXTRAS):
            continue
        finding, version = _package(requirement.name, str(requirement.specifier), optional)
        if version:
            versions[requirement.name] = version
        if finding is not None:
            yield finding
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    yield ok("packages", f"Packages: {told}", versions=versions)


def _package(name: str, specifier: str, optional: bool) -> tuple[Finding | None, str]:
    from packaging.specifiers import SpecifierSet

    check, remedy = f"package.{name}", f'Run: pip install "{name}{specifier}"'
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        missing = problem(check, f"The package {name} is not installed.", remedy)
        return (None if optional else missing), ""
    if SpecifierSet(specifier).contains(version, prereleases=True) or optional:
        return None, version
    return problem(check, f"The package {name} is {version}; {specifier} is needed.", remedy), version


def _front_end() -> Finding:
    folder = resources.files(_PACKAGE).joinpath("dashboards", "static")
    missing = [name for name in _ASSETS if not folder.joinpath(name).is_file()]
    if missing:
        return problem(
            "front_end",
            f"The front end {missing[0]} is not built.",
            "Run make widgets, or install a release.",
        )
    return ok("front_end", "The front end of the live views is built.")
