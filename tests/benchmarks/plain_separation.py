"""One song separated by Demucs itself, in a fresh interpreter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.benchmarks.plain_loop import separate


def main(output_folder: str, song: str) -> None:
    from demucs.hf import load_safetensors_model

    from soundforge_nb.audio.model_registry import DEMO_FILE

    separate(load_safetensors_model(DEMO_FILE).eval(), Path(song), Path(output_folder))
    print(json.dumps(1))


if __name__ == "__main__":
    main(*sys.argv[1:])
