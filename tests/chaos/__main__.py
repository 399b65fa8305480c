"""The long crash test, `make chaos`: ``python -m tests.chaos [--kills 200] [--migrations 10] [--seed N]``."""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

from tests.chaos.run import storm

REPORT = Path("build") / "chaos.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--migrations", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    found = storm(options.kills, options.migrations, seed, lambda line: print(line, flush=True))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name}: {len(value) if isinstance(value, list) else value}")
    print("\n".join(found["faults"]) or "Nothing was lost, nothing doubled.")
    print(f"Also in {REPORT}")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
