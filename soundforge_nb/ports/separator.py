"""The client of the program that takes songs apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import PortProtocolError
from soundforge_nb.ports.answers import absolute, allowed_seconds, part
from soundforge_nb.ports.conversation import OnProgress
from soundforge_nb.ports.port import Caller
from soundforge_nb.ports.program import SEPARATE

#: How many networks a model runs, one after the other. An unknown one may be a bag of the usual size.
BAG_SIZES = {
    "demo": 1,
    "htdemucs": 1,
    "htdemucs_6s": 1,
    "hdemucs_mmi": 1,
    "htdemucs_ft": 4,
    "mdx": 4,
    "mdx_extra": 4,
    "mdx_q": 4,
    "mdx_extra_q": 4,
}
_UNKNOWN_BAG_SIZE = 4


@dataclass(frozen=True)
class Parameters:
    """How to separate; None leaves the choice to the program.

    Attributes
    ----------
    model : str
    model_folder, device : str, optional
        By default what `Config` says.
    shifts : int
        How many randomly shifted passes are averaged; each costs a whole separation.
    overlap : float
        Of neighbouring segments, as a share.
    segment_seconds : float, optional
        Shorter segments need less memory.
    stems : tuple of str, optional
        Which ones to write.
    two_stems : str, optional
        Write this stem and all the rest as one.
    two_stems_method : str, optional
        How the rest is made.
    format : str, optional
    seed : int, optional
        Of the shifts.
    """

    model: str = "htdemucs"
    model_folder: str | None = None
    device: str | None = None
    shifts: int = 1
    overlap: float = 0.25
    segment_seconds: float | None = None
    stems: tuple[str, ...] | None = None
    two_stems: str | None = None
    two_stems_method: str | None = None
    format: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Separation:
    """What the program made.

    Attributes
    ----------
    files : dict
        By the name of the stem its file, which exists in the output folder.
    answer : dict
        All the program said.
    """

    files: dict[str, Path]
    answer: dict[str, Any]


class Separator:
    """Separates files through a port.

    Parameters
    ----------
    port : Caller
        A port of the program `SEPARATE`, cold or warm.
    config : Config
    threads : int
        How many threads one separation may compute with.
    """

    def __init__(self, port: Caller, config: Config, *, threads: int = 1) -> None:
        self._port = port
        self._config = config
        self._threads = threads

    def separate(
        self,
        path: str | Path,
        output_folder: str | Path,
        parameters: Parameters | None = None,
        *,
        duration_seconds: float | None = None,
        expected: Mapping[str, int] | None = None,
        owner: str = "",
        on_progress: OnProgress | None = None,
    ) -> Separation:
        """Separate one file in a child process, into a folder that exists.

        Parameters
        ----------
        path, output_folder : path
        parameters : Parameters, optional
        duration_seconds : float, optional
            Sets how long it may take.
        expected : mapping, optional
            ``size_bytes`` and ``mtime_ns`` that the file must still have.
        owner, on_progress
            See `Port.call`.

        Raises
        ------
        PortError
            One of its subclasses; a fault of the file or model is a ProgramError with the kind of the fault.
        """
        parameters = parameters or Parameters()
        folder = absolute(output_folder)
        model_folder = parameters.model_folder or self._config.model_folder
        request = asdict(parameters) | {
            "path": absolute(path),
            "output_folder": folder,
            "model_folder": None if model_folder is None else absolute(model_folder),
            "device": parameters.device or self._config.device,
            "threads": self._threads,
            "expected": None if expected is None else dict(expected),
        }
        answer = self._port.call(
            request,
            timeout_seconds=self.timeout_seconds(duration_seconds, parameters),
            owner=owner,
            on_progress=on_progress,
        )
        return Separation(_files(answer, Path(folder)), answer)

    def timeout_seconds(self, duration_seconds: float | None, parameters: Parameters) -> float:
        """How long the separation of so much audio may take: each pass of each network counts."""
        passes = max(1, parameters.shifts) * BAG_SIZES.get(parameters.model, _UNKNOWN_BAG_SIZE)
        config = self._config
        return allowed_seconds(
            config.separate_timeout_seconds, config.separate_timeout_factor * passes, duration_seconds
        )


def _files(answer: dict[str, Any], folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for stem in part(answer, "stems", list, SEPARATE.name):
        name = part(stem if isinstance(stem, dict) else {}, "stem", str, SEPARATE.name)
        file = folder / part(stem, "file", str, SEPARATE.name)
        # These files are moved into place later: never move what the program was not asked to make.
        if file.parent != folder or file.is_symlink() or not file.is_file():
            raise PortProtocolError(
                f"The program {SEPARATE.name} names {file} as its stem {name}, which is no file in {folder}.",
                details={"program": SEPARATE.name, "retry": False},
            )
        files[name] = file
    return files
