"""What is installed, and what is said where it is not."""

from __future__ import annotations

import platform
from importlib import metadata

from soundforge_nb.forge.doctor.finding import Level
from soundforge_nb.forge.doctor.installation import look_at_installation


def found():
    return {finding.check: finding for finding in look_at_installation()}


def test_the_versions_of_what_is_needed():
    findings = found()

    assert findings["packages"].level is Level.OK
    assert {"duckdb", "torch", "librosa"} <= findings["packages"].details["versions"].keys()
    assert "mypy" not in findings["packages"].details["versions"]
    assert not [check for check in findings if check.startswith("package.")]
    assert findings["front_end"].level is Level.OK


def test_a_package_is_missing_and_another_too_old(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "av":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "duckdb" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    findings = found()

    assert findings["package.av"].level is Level.PROBLEM
    assert findings["package.av"].remedy == 'Run: pip install "av>=12"'
    assert "duckdb is 0.1; >=1.4 is needed" in findings["package.duckdb"].message


def test_other_platforms(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert found()["platform"].level is Level.WARNING
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert "WSL" in found()["platform"].remedy
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "99", "0"))
    assert found()["python"].level is Level.WARNING
