"""The client of the program that fetches what links lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import PortProtocolError
from soundforge_nb.ports.answers import absolute, allowed_seconds, part
from soundforge_nb.ports.conversation import OnProgress
from soundforge_nb.ports.port import Caller
from soundforge_nb.ports.program import DOWNLOAD


@dataclass(frozen=True)
class Wanted:
    """What to fetch.

    Attributes
    ----------
    link : str
        The whole of it, which may hold a key: for the child alone.
    shown : str
        The link as it may stand in a sentence: without what may be a key.
    partial_name : str
        Names what is kept between attempts.
    duration_seconds : float, optional
        How long the recording is, where that is known: another length is another recording.
    song : dict, optional
        What is known of a recording that has no link of its own: it is looked for.
    """

    link: str = field(repr=False)
    shown: str
    partial_name: str
    duration_seconds: float | None = None
    song: dict[str, Any] | None = None


@dataclass(frozen=True)
class Downloaded:
    """A whole file that was decoded to its end.

    Attributes
    ----------
    file : Path
        In the output folder.
    names : tuple of str
        What it went by where it came from, the best first; from strangers, so never a path as it is.
    audio : dict
        Its measures, see `soundforge_nb.audio.decode.AudioFile.as_json`.
    """

    file: Path
    names: tuple[str, ...]
    audio: dict[str, Any]


class Downloader:
    """Fetches files through a port.

    Parameters
    ----------
    port : Caller
        A port of the program `DOWNLOAD`.
    config : Config
        Limits, and whether links may lead to private addresses.
    """

    def __init__(self, port: Caller, config: Config) -> None:
        self._port = port
        self._config = config

    def download(
        self,
        wanted: Wanted,
        output_folder: str | Path,
        *,
        owner: str = "",
        on_progress: OnProgress | None = None,
    ) -> Downloaded:
        """Fetch one file in a child process, into a folder that exists.

        Raises
        ------
        PortError
            One of its subclasses; where nothing of use came, a ProgramError with the kind of the fault.
        """
        config, folder = self._config, absolute(output_folder)
        request = {
            "link": wanted.link,
            "shown": wanted.shown,
            "output_folder": folder,
            "partial_folder": absolute(config.partial_folder),
            "partial_name": wanted.partial_name,
            "max_bytes": config.download_max_bytes,
            "stall_seconds": config.download_stall_seconds,
            "downloads": config.downloads == "allowed",
            "song": wanted.song,
            "allow_private": config.private_addresses == "allowed",
            "expected_seconds": wanted.duration_seconds,
            "threads": 1,
        }
        answer = self._port.call(
            request,
            timeout_seconds=allowed_seconds(
                config.download_timeout_seconds,
                config.download_timeout_factor,
                wanted.duration_seconds or 0.0,
            ),
            owner=owner,
            on_progress=on_progress,
        )
        file = Path(folder, part(answer, "file", str, DOWNLOAD.name))
        # It is moved into the library later: never what the program was not asked to make.
        if file.parent != Path(folder) or file.is_symlink() or not file.is_file():
            raise PortProtocolError(
                f"The program {DOWNLOAD.name} names {file}, which is no file in {folder}.",
                details={"program": DOWNLOAD.name, "retry": False},
            )
        names = tuple(name for name in part(answer, "names", list, DOWNLOAD.name) if isinstance(name, str))
        return Downloaded(file, names, part(answer, "audio", dict, DOWNLOAD.name))
