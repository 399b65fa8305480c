"""Does what a song's last word says, as spotdl 4.6 does it: mostly it ends with 0, whatever happened."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import soundfile


def read_arguments() -> argparse.Namespace:
    """spotdl's own names and numbers of values: what is misspelt here would be refused there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("operation", choices=["download"])
    parser.add_argument("query", nargs="+")
    for name in ("output", "format", "bitrate", "ffmpeg", "threads", "max-retries", "save-errors"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--audio", nargs="*", choices=["youtube", "youtube-music"])
    parser.add_argument("--lyrics", nargs="*")
    parser.add_argument("--overwrite", choices=["force", "metadata", "skip"])
    for name in ("no-cache", "headless", "simple-tui", "print-errors"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    assert "SPOTIPY_CLIENT_SECRET" not in os.environ
    assert Path.home().name == "home"
    (song,) = json.loads(Path(arguments.query[0]).read_text())
    what = song["name"].rpartition(" ")[2]
    print(f"Processing query: {arguments.query[0]}")
    print(f"{song['artist']} - {song['name']}: Downloading")
    said = {
        "missing": f"LookupError: No results found for song: {song['artist']} - {song['name']}",
        "busy": "AudioProviderError: HTTP Error 429: Too Many Requests",
        "private": "ERROR: [youtube] x: Sign in to confirm your age",
        "full": "OSError: [Errno 28] No space left on device",
        "away": "ConnectionError: HTTPSConnectionPool(host='x'): Max retries exceeded",
        "odd": "ValueError: nobody has seen this before",
        "broken": "ModuleNotFoundError: No module named 'x'",
    }
    if what in said:
        Path(arguments.save_errors).write_text(said[what])
        print(said[what])
        return 0
    if what == "killed":
        Path("6rqhFgbbKwnb9MLmUQDhG6.m4a.part").write_bytes(b"half of it")
        os.kill(os.getpid(), 9)
    seconds = 60.0 if what == "another" else song["duration"]
    samples = 0.3 * np.sin(np.arange(int(22_050 * seconds)) * 0.05)
    file = Path(arguments.output.format(**{"track-id": song["song_id"], "output-ext": "flac"}))
    soundfile.write(file, samples, 22_050)
    Path("cover.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    if what == "two":
        soundfile.write("another.flac", samples, 22_050)
    print(f'Downloaded "{song["artist"]} - {song["name"]}"')
    return 1 if what == "complaining" else 0


if __name__ == "__main__":
    sys.exit(main())
