"""The findings as a person reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from soundforge_nb.forge.doctor.finding import Finding, Level

_MARKS = {Level.OK: "ok      ", Level.WARNING: "warning ", Level.PROBLEM: "PROBLEM "}
_WIDTH = 110


def lines_of(findings: list[Finding]) -> Iterator[str]:
    """One paragraph a finding, its remedy under it, and a last line that sums up."""
    for finding in findings:
        yield from _wrapped(_MARKS[finding.level], finding.message)
        if finding.remedy:
            yield from _wrapped(" " * 8, f"→ {finding.remedy}")
    yield ""
    yield summary(findings)


def summary(findings: list[Finding]) -> str:
    """How many of each.

    >>> summary([])
    '0 problems, 0 warnings: nothing keeps it from working.'
    """
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    problems, warnings = counts[Level.PROBLEM], counts[Level.WARNING]
    told = (
        f"{problems} problem{'' if problems == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"
    )
    return f"{told}: {'see the remedies above.' if problems else 'nothing keeps it from working.'}"


def _wrapped(mark: str, text: str) -> list[str]:
    # Paths stay whole, so that they can be copied.
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )
