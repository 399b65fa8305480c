"""The same by this package: a script that starts the application, separates and analyzes, and waits."""

from __future__ import annotations

import json
import sys


def main(data_folder: str, *songs: str) -> None:
    import soundforge_nb as sf

    with sf.connect(data_folder=data_folder) as forge:
        batch = forge.process(list(songs), separate="demo", analyze="all")
        batch.wait(progress=False)
        if not batch.ok:
            raise SystemExit(f"{batch}\n{batch.errors()}")
        print(json.dumps(len(batch.results())), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
