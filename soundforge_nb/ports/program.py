"""What a port runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A Python module that speaks the protocol of `soundforge_nb.ports.protocol`.

    Parameters
    ----------
    name : str
        What the program calls itself in its hello.
    module : str
        Run with ``python -m``; the request goes over stdin, so that nothing a person wrote is an argument.
    interpreter : str
        By default the Python that runs now.
    """

    name: str
    module: str
    interpreter: str = sys.executable

    @property
    def argv(self) -> list[str]:
        """The whole command line.

        >>> Program("analyze", "soundforge_nb.programs.analyze", "python3").argv
        ['python3', '-m', 'soundforge_nb.programs.analyze']
        """
        return [self.interpreter, "-m", self.module]


ANALYZE = Program("analyze", "soundforge_nb.programs.analyze")
SEPARATE = Program("separate", "soundforge_nb.programs.separate")
KIND = Program("kind", "soundforge_nb.programs.kind")
CHECK = Program("check", "soundforge_nb.programs.check")
DOWNLOAD = Program("download", "soundforge_nb.programs.download")
