"""A recording that Spotify tells of, looked for on other sites by spotdl: only where a person allowed it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from soundforge_nb.errors import UsageError
from soundforge_nb.programs.checked_proxy import checked_proxy
from soundforge_nb.programs.http_link import Limits
from soundforge_nb.programs.tools import fault, ffmpeg, need, run_tool, the_file

#: Cutting out texts as short as one or two letters would leave no log to read.
_SHORTEST_WORD = 3
_STEPS = (("Downloading", 0.3), ("Converting", 0.7), ("Embedding", 0.9), ("Done", 1.0))


def fetch_song(
    song: Mapping[str, Any],
    shown: str,
    folder: Path,
    limits: Limits,
    report: Callable[[float, str], None],
) -> Path:
    """Fetch a recording by its metadata.

    Parameters
    ----------
    song : mapping
        ``spotify_id``, ``title``, ``artist``, ``album``, ``isrc``, ``duration_seconds``; in ``audio_link``,
        where that is known, the page it is played at.
    shown : str
    folder : Path
    limits : Limits
    report : callable

    Raises
    ------
    DownloadError
        Its kind says why.
    """
    need("spotdl", "spotdl")
    program = ffmpeg()
    folder.mkdir(parents=True, exist_ok=True)
    # It reads the song from here, so that it needs no credentials, and asks Spotify nothing.
    (folder / "song.spotdl").write_text(json.dumps([_as_spotdl(song)]), encoding="utf-8")
    report(0.05, "Looking for it")

    def hear(line: str) -> None:
        for word, share in _STEPS:
            if word in line:
                report(share, word)

    with checked_proxy(limits, shown) as proxy:
        # The log outlasts what may be kept of these words.
        words = [text for text in song.values() if isinstance(text, str) and len(text) >= _SHORTEST_WORD]
        said = run_tool(_arguments(song, program), folder, proxy, secrets=words, on_line=hear)
    file = the_file(folder)
    if file is None:
        # It ends with 0 also where it found nothing.
        raise proxy.refusal or fault(said + _errors(folder), shown)
    return file


def _arguments(song: Mapping[str, Any], ffmpeg_program: str) -> list[str]:
    # Each site is greeted before anything is asked of it: where nothing is looked for, the fewer the better.
    sites = ("youtube",) if song.get("audio_link") else ("youtube-music", "youtube")
    return [
        *("spotdl", "download", "song.spotdl", "--output", "{track-id}.{output-ext}"),
        *("--format", "m4a", "--bitrate", "disable", "--ffmpeg", ffmpeg_program, "--threads", "1"),
        *("--audio", *sites, "--lyrics", "--overwrite", "force", "--no-cache", "--max-retries", "2"),
        *("--headless", "--simple-tui", "--print-errors", "--save-errors", "errors.txt"),
    ]


def _as_spotdl(song: Mapping[str, Any]) -> dict[str, Any]:
    """A song as spotdl saves it; what it finds missing it would ask Spotify for."""
    title, spotify_id = song.get("title"), song.get("spotify_id")
    if not isinstance(title, str) or not isinstance(spotify_id, str):
        raise UsageError("The request's song has no title.", "Give title and spotify_id.")
    artists = [name.strip() for name in str(song.get("artist") or "").split(",") if name.strip()] or [
        "Unknown"
    ]
    return {
        "name": title,
        "artists": artists,
        "artist": artists[0],
        "genres": [],
        "disc_number": 1,
        "disc_count": 1,
        "album_name": song.get("album") or "",
        "album_artist": artists[0],
        "duration": round(float(song.get("duration_seconds") or 0)),
        "year": 0,
        "date": "",
        "track_number": 1,
        "tracks_count": 1,
        "song_id": spotify_id,
        "explicit": False,
        "publisher": "",
        "url": f"https://open.spotify.com/track/{spotify_id}",
        "isrc": song.get("isrc"),
        "cover_url": None,
        "copyright_text": None,
        "download_url": song.get("audio_link"),
        "album_id": "-",
    }


def _errors(folder: Path) -> str:
    try:
        return "\n" + (folder / "errors.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
