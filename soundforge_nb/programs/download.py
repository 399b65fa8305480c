"""The downloader: a link's audio into a folder, whole and decoded to its end.

Request: ``{"link", "shown", "output_folder", "partial_folder", "partial_name", "max_bytes",
"stall_seconds", "allow_private", "downloads": false, "song": null, "expected_seconds": null, "threads": 1}``.
With ``downloads`` a link may lead to a page whose audio is looked for; ``song``, metadata, stands for a link.

Result: ``{"file": name in the output folder, "bytes", "names": what the file went by, "audio": {...}}``.
"""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundforge_nb.errors import DownloadError, InputError, SoundforgeError, UsageError
from soundforge_nb.programs.child import Report, run
from soundforge_nb.programs.request import path_of, set_threads

if TYPE_CHECKING:
    from soundforge_nb.programs.http_link import Limits

#: Of the whole, what fetching takes; the rest is the decoding to the end.
_FETCH_PERCENT = 85
ALLOW = (
    "Where you have the right to copy it: pip install 'soundforge_nb[download]', and set downloads = "
    '"allowed" in soundforge.toml.'
)


def handle(request: dict[str, Any], report: Report) -> dict[str, Any]:
    set_threads(request)
    link, shown, song = request.get("link"), request.get("shown"), request.get("song")
    if not isinstance(shown, str) or not (isinstance(link, str) or isinstance(song, dict)):
        raise UsageError("The request names no link.", "Give link and shown.")
    folder = Path(path_of(request, "output_folder"))
    folder.mkdir(parents=True, exist_ok=True)
    report(0, "Connecting")

    def fetching(share: float, message: str) -> None:
        report(int(share * _FETCH_PERCENT), message)

    names: tuple[str, ...]
    with _quiet():
        if song is not None:
            # Its tags say what it is; its name is not for those who only look at jobs.
            file, names = _fetch_song(request, folder, fetching), ()
        else:
            file, names = _fetch_link_or_page(request, folder, fetching)
    report(_FETCH_PERCENT, "Checking the audio")
    try:
        audio = _decoded(file, shown, report)
        _check_length(audio, request.get("expected_seconds"), shown)
    except InputError:
        # What is no music is not kept, and not taken for a part of it by the next attempt.
        file.unlink(missing_ok=True)
        raise
    return {
        "file": file.name,
        "bytes": file.stat().st_size,
        "names": list(names),
        "audio": audio,
    }


def _fetch_link_or_page(request: dict[str, Any], folder: Path, report: Any) -> tuple[Path, tuple[str, ...]]:
    """Fetch a file; where the link is of a page, what the page plays, if that is allowed."""
    try:
        return _fetch_link(request, folder, report)
    except DownloadError as error:
        if error.kind != "web_page":
            raise
        if request.get("downloads") is not True:
            raise DownloadError(error.message, f"{error.remedy} {ALLOW}", kind="web_page") from error
    from soundforge_nb.programs.page import fetch_page

    with _tools_folder(folder) as tools:
        file, told = fetch_page(
            request["link"],
            request["shown"],
            tools,
            _limits(request),
            report,
        )
        return _taken(file, tools, folder, told), (str(told.get("title", "")),)


def _fetch_song(request: dict[str, Any], folder: Path, report: Any) -> Path:
    if request.get("downloads") is not True:
        raise DownloadError(f"{request['shown']} is not fetched.", ALLOW, kind="not_allowed")
    from soundforge_nb.programs.song import fetch_song

    with _tools_folder(folder) as tools:
        found = fetch_song(request["song"], request["shown"], tools, _limits(request), report)
        return _taken(found, tools, folder, request["song"])


@contextmanager
def _tools_folder(folder: Path) -> Iterator[Path]:
    """Where a downloader may leave what it likes: only its whole file gets out."""
    tools = folder / "tools"
    shutil.rmtree(tools, ignore_errors=True)
    try:
        yield tools
    finally:
        shutil.rmtree(tools, ignore_errors=True)


def _taken(file: Path, tools: Path, folder: Path, told: dict[str, Any]) -> Path:
    from soundforge_nb.programs.suffixes import suffix_of
    from soundforge_nb.programs.tagging import picture_in, write_tags

    write_tags(file, told, picture_in(tools))
    target = folder / f"audio{suffix_of([file.name], '')}"
    file.replace(target)
    return target


@contextmanager
def _quiet() -> Iterator[None]:
    """Let no unforeseen error tell its words: libraries put the address into them, which may hold a key."""
    try:
        yield
    except (SoundforgeError, OSError, MemoryError):
        raise
    except Exception as error:
        traceback.print_tb(error.__traceback__, file=sys.stderr)
        raise RuntimeError(f"{type(error).__name__}, whose words may hold the link") from None


def _fetch_link(request: dict[str, Any], folder: Path, report: Any) -> tuple[Path, tuple[str, ...]]:
    # Here, not above: the hello line must not wait for ssl.
    from soundforge_nb.programs.http_link import fetch
    from soundforge_nb.programs.partial import open_partial
    from soundforge_nb.programs.suffixes import suffix_of

    name = Path(path_of(request, "partial_name")).name
    with open_partial(Path(path_of(request, "partial_folder")), name) as partial:
        fetched = fetch(request["link"], request["shown"], partial, _limits(request), report)
        if not partial.size_bytes:
            partial.drop()
            raise InputError(f"{request['shown']} is empty (0 bytes).", "Check the link.", kind="empty")
        target = folder / f"audio{suffix_of(fetched.names, fetched.content_type)}"
        partial.move_to(target)
    return target, fetched.names


def _limits(request: dict[str, Any]) -> Limits:
    from soundforge_nb.programs.http_link import Limits

    return Limits(
        max_bytes=int(request["max_bytes"]),
        stall_seconds=float(request["stall_seconds"]),
        allow_private=request.get("allow_private") is True,
    )


def _decoded(file: Path, shown: str, report: Report) -> dict[str, Any]:
    """Decode the file to its end: what it says it is proves nothing."""
    from soundforge_nb.audio.decode import open_audio

    try:
        with open_audio(file) as audio:
            length = audio.format.expected_seconds
            for _ in audio.blocks():
                if length:
                    done = min(1.0, audio.duration_seconds / length)
                    report(_FETCH_PERCENT + int(done * (100 - _FETCH_PERCENT)), "Checking the audio")
            return audio.as_json()
    except InputError as error:
        # The person knows the link, not the place that the file has for the moment.
        told = error.message.replace(str(file), f"What {shown} leads to")
        raise InputError(told, "Check the link in a browser.", kind=error.kind) from error


def _check_length(audio: dict[str, Any], expected: Any, shown: str) -> None:
    """Refuse another recording than the one that was meant, as far as its length tells."""
    if not isinstance(expected, (int, float)) or expected <= 0:
        return
    found = float(audio["duration_seconds"])
    # Platforms cut silence and add jingles; a live version or an hour's mix is another thing.
    if abs(found - expected) > max(10.0, 0.1 * expected):
        raise InputError(
            f"What was found for {shown} lasts {found:.0f} s, the track {expected:.0f} s: another recording.",
            "Add the right file yourself.",
            kind="no_match",
        )


if __name__ == "__main__":
    run("download", handle)
