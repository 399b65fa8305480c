"""Running a downloader of somebody else's: judged by the file it leaves, its words read, never repeated.

Such a program may end with 0 though it failed, and tell in any words, which may hold the link with its key.
It runs in the child's own session, so that whatever ends the child ends it too. What it asks the network for
goes through a proxy of ours, and can't go past it (`soundforge_nb.programs.confined`).
"""

from __future__ import annotations

import importlib.util
import os
import re
import site
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs.checked_proxy import CheckedProxy
from soundforge_nb.programs.confined import REFUSAL

INSTALL = "Install it: pip install 'soundforge_nb[download]'."
_TAIL_LINES = 20
_PARTS = (".part", ".ytdl", ".temp", ".tmp")
_BESIDES = frozenset((".json", ".txt", ".spotdl", ".jpg", ".jpeg", ".png", ".webp", ".lrc", ".vtt", ".srt"))

#: What programs say when they fail, the surest first; the message gets the link's shown form.
_FAULTS: tuple[tuple[str, str, str, bool, str], ...] = (
    (
        r"modulenotfounderror|importerror|no module named",
        "extra_missing",
        "The downloader is not installed as a whole.",
        False,
        INSTALL,
    ),
    (
        REFUSAL,
        "unchecked",
        "The downloader wanted to connect to where the way can't be checked.",
        False,
        "Save the file with a program of your own, and add that.",
    ),
    (
        r"no space left|disk quota|errno 28\b",
        "disk_full",
        "The disk became full while {shown} was fetched.",
        True,
        "Make room, then try again.",
    ),
    (
        r"(ffmpeg|ffprobe)\S* (is )?not|ffmpegerror|no ffmpeg",
        "ffmpeg_missing",
        "The downloader finds no ffmpeg that works.",
        False,
        INSTALL,
    ),
    (
        r"http error 429|too many requests|rate.?limit|might be blocked",
        "rate_limited",
        "The site asks for patience with {shown}.",
        True,
        "It is tried again later.",
    ),
    (
        r"sign in|\blog ?in\b|cookies|private video|members.only|age.restricted|subscri(be|ption)|premium|"
        r"http error 40[137]|\bdrm\b",
        "sign_in",
        "{shown} is not open to everyone.",
        False,
        "Save the file with the program that may open it, and add that.",
    ),
    (
        r"max-filesize|larger than",
        "too_big",
        "{shown} is larger than is fetched.",
        False,
        "Raise the setting download_max_bytes where that is right.",
    ),
    (
        r"no results found|lookuperror|could not find (a )?match|no match",
        "no_match",
        "No recording was found for {shown}.",
        False,
        "Add your own file of it.",
    ),
    (
        r"max retries exceeded|nameresolutionerror|timed out|timeout|connection (reset|refused|aborted)|"
        r"temporary failure|getaddrinfo|network is|http error 5\d\d|\bssl\b|incompleteread|unable to connect|"
        r"failed to resolve|remote end closed",
        "connection",
        "The connection to where {shown} is fetched from broke off.",
        True,
        "Check the network; it is tried again.",
    ),
)


def need(module: str, name: str) -> None:
    """Refuse to go on without a package of the extra.

    Raises
    ------
    DownloadError
        It is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise DownloadError(
            f"{name} is not installed, by which this is fetched.", INSTALL, kind="extra_missing"
        )


def ffmpeg() -> str:
    """The ffmpeg of the extra.

    Raises
    ------
    DownloadError
        There is none.
    """
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    # It looks in many places and says it in its own ways.
    except Exception as error:
        raise DownloadError(
            "No ffmpeg program is there, which spotdl needs.", INSTALL, kind="ffmpeg_missing"
        ) from error


def run_tool(
    arguments: list[str],
    folder: Path,
    proxy: CheckedProxy,
    *,
    stdin: str = "",
    secrets: Iterable[str] = (),
    on_line: Callable[[str], None] = lambda line: None,
) -> str:
    """Run a module of Python's, in a folder of its own; returns its last lines, whatever its exit status.

    Parameters
    ----------
    arguments : list of str
        The module's name and its arguments: nothing secret, for everyone can list them.
    folder : Path
        Where it works, keeps its things, and thinks its person is at home.
    proxy : CheckedProxy
        Its only way out.
    stdin : str
        What may be secret.
    secrets : iterable of str
        Texts that are cut out of the log.
    on_line : callable
    """
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    # A configuration of the person's own could do anything; packages that lie in their home are still found.
    environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    # What is an error in our tests is none of a stranger's.
    environment.pop("PYTHONWARNINGS", None)
    environment |= {"PYTHONUSERBASE": site.getuserbase(), "NO_COLOR": "1", "COLUMNS": "200"}
    environment = {name: value for name, value in environment.items() if name.lower() != "no_proxy"}
    environment |= proxy.environment
    process = subprocess.Popen(
        [sys.executable, "-m", "soundforge_nb.programs.confined", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines: list[str] = []
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        # It may have ended already; its words say why.
        with suppress(BrokenPipeError):
            process.stdin.write(stdin)
            process.stdin.close()
        for line in process.stdout:
            on_line(line)
            lines = [*lines, line.rstrip()][-_TAIL_LINES:]
    status = process.returncode
    text = "\n".join(lines)
    print(f"{arguments[0]} ended with {status}:\n{_without(text, [proxy.word, *secrets])}", file=sys.stderr)
    return text


def the_file(folder: Path) -> Path | None:
    """The one audio file that a program left, or None; what is not whole does not count."""
    found = [
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.is_symlink()
        and path.stat().st_size
        and path.suffix.lower() not in _BESIDES
        and not path.name.endswith(_PARTS)
        and ".part" not in path.suffixes
    ]
    return found[0] if len(found) == 1 else None


def fault(said: str, shown: str) -> DownloadError:
    """What a program's failing means."""
    # What it warns of is not why it failed.
    errors = [line for line in said.splitlines() if "error" in line.casefold()]
    said = "\n".join(errors) or said
    for pattern, kind, message, retry, remedy in _FAULTS:
        if re.search(pattern, said, re.IGNORECASE):
            details = {"retry": retry} | ({"wait_seconds": 60.0} if kind == "rate_limited" else {})
            return DownloadError(message.format(shown=shown), remedy, kind=kind, details=details)
    return DownloadError(
        f"Nothing could be fetched for {shown}.",
        "Check it in a browser; the log of the job has the downloader's words.",
        kind="unavailable",
    )


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
