"""The client of the program that measures songs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.ports.answers import absolute, allowed_seconds, part
from soundforge_nb.ports.conversation import OnProgress
from soundforge_nb.ports.port import Caller
from soundforge_nb.ports.program import ANALYZE


@dataclass(frozen=True)
class Analysis:
    """What the program found; plain JSON values throughout.

    Attributes
    ----------
    columns : dict
        The values that SQL asks for most.
    features : dict
        By the name of the feature that was asked for.
    curves : dict
        Values over time, thinned for a picture.
    audio : dict
        The file as it was decoded: format, length, hash of the samples.
    code_version : int
        Of the analysis: another one may give other values.
    versions : dict
        Of the libraries that computed it.
    """

    columns: dict[str, Any]
    features: dict[str, Any]
    curves: dict[str, Any]
    audio: dict[str, Any]
    code_version: int
    versions: dict[str, Any]


class Analyzer:
    """Analyses files through a port.

    Parameters
    ----------
    port : Caller
        A port of the program `ANALYZE`, cold or warm.
    config : Config
    threads : int
        How many threads one analysis may compute with.
    """

    def __init__(self, port: Caller, config: Config, *, threads: int = 1) -> None:
        self._port = port
        self._config = config
        self._threads = threads

    def analyze(
        self,
        path: str | Path,
        features: Sequence[str] = ("all",),
        *,
        duration_seconds: float | None = None,
        expected: Mapping[str, int] | None = None,
        owner: str = "",
        on_progress: OnProgress | None = None,
    ) -> Analysis:
        """Measure one file in a child process.

        Parameters
        ----------
        path : path
        features : sequence of str
        duration_seconds : float, optional
            Sets how long it may take.
        expected : mapping, optional
            ``size_bytes`` and ``mtime_ns`` that the file must still have.
        owner, on_progress
            See `Port.call`.

        Raises
        ------
        PortError
            One of its subclasses; a fault of the file is a ProgramError with the kind of the fault.
        """
        answer = self._port.call(
            {
                "path": absolute(path),
                "features": list(features),
                "threads": self._threads,
                "expected": None if expected is None else dict(expected),
            },
            timeout_seconds=self.timeout_seconds(duration_seconds),
            owner=owner,
            on_progress=on_progress,
        )
        return Analysis(
            columns=part(answer, "columns", dict, ANALYZE.name),
            features=part(answer, "features", dict, ANALYZE.name),
            curves=part(answer, "curves", dict, ANALYZE.name),
            audio=part(answer, "audio", dict, ANALYZE.name),
            code_version=part(answer, "code_version", int, ANALYZE.name),
            versions=part(answer, "versions", dict, ANALYZE.name),
        )

    def timeout_seconds(self, duration_seconds: float | None) -> float:
        """How long the analysis of so much audio may take."""
        config = self._config
        return allowed_seconds(
            config.analyze_timeout_seconds, config.analyze_timeout_factor, duration_seconds
        )
