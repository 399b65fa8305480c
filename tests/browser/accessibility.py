"""What axe-core finds; it comes with the front end's development packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "widgets" / "node_modules" / "axe-core" / "axe.min.js"


def serious_faults(page: Any, within: str) -> list[str]:
    """Serious and critical faults within a part of a page; none where axe-core is not installed."""
    if not AXE.exists():
        return []
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("within => axe.run(within, { resultTypes: ['violations'] })", within)
    return [
        f"{fault['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:300]})"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
