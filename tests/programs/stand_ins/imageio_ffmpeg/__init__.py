"""Stands in for the package that brings an ffmpeg program."""

import os


def get_ffmpeg_exe() -> str:
    if os.environ.get("STAND_IN_FFMPEG") == "missing":
        raise RuntimeError("No ffmpeg exe could be found.")
    return "/nowhere/ffmpeg"
