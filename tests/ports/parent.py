"""A process that uses a port and tells its child's pid: it is there to be killed."""

import json
import sys
from pathlib import Path

from soundforge_nb.ports.environment import clean
from soundforge_nb.ports.port import Port
from soundforge_nb.ports.program import Program

if __name__ == "__main__":
    port = Port(
        Program("children", "children"), environment=clean() | {"PYTHONPATH": str(Path(__file__).parent)}
    )
    port.call(
        json.loads(sys.argv[1]),
        timeout_seconds=60.0,
        on_progress=lambda percent, message: print(message, flush=True),
    )
