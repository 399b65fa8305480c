"""What the data folder holds, as a notebook shows it, and what nobody needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: So many orphans are named; all of them are in `orphans`.
_SHOWN = 10


@dataclass(frozen=True, repr=False)
class Storage:
    """How much of what there is in the data folder, and the files that nobody needs, each with its proof.

    Attributes
    ----------
    kinds : list of dict
        ``name``, ``files``, ``size_bytes``.
    orphans : list of dict
        ``path``, ``size_bytes``, ``reason``.
    owned : int
        Files of stems and downloads that rows of the library name.
    young : int
        Files without a row that are too young to be judged.
    removed : list of str
        What is gone now; empty after a mere look.
    """

    kinds: list[dict[str, Any]]
    orphans: list[dict[str, Any]]
    owned: int
    young: int
    removed: list[str]

    @property
    def size_bytes(self) -> int:
        return sum(kind["size_bytes"] for kind in self.kinds)

    def df(self) -> pd.DataFrame:
        """The orphans as a table."""
        import pandas as pd

        return pd.DataFrame(self.orphans, columns=["path", "size_bytes", "reason"])

    def __repr__(self) -> str:
        lines = [f"{_size(self.size_bytes):>9}  in all"]
        lines += [
            f"{_size(kind['size_bytes']):>9}  {kind['name']} ({kind['files']:,} files)" for kind in self.kinds
        ]
        return "\n".join([*lines, self._sentence(), *self._named()])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def _sentence(self) -> str:
        if self.removed:
            gone = set(self.removed)
            freed = sum(orphan["size_bytes"] for orphan in self.orphans if orphan["path"] in gone)
            return f"{_files(len(gone))} that nobody needs removed: {_size(freed)} free again."
        if not self.orphans:
            return "Nothing lies here that nobody needs."
        size = _size(sum(orphan["size_bytes"] for orphan in self.orphans))
        return (
            f"{_files(len(self.orphans))} that nobody needs ({size}); forge.storage(clean=True) removes them."
        )

    def _named(self) -> list[str]:
        named = [f"  {orphan['path']}: {orphan['reason']}" for orphan in self.orphans[:_SHOWN]]
        more = len(self.orphans) - len(named)
        return [*named, f"  … and {more:,} more, see .df()"] if more else named


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _size(count: int) -> str:
    """Bytes as people say them.

    >>> _size(0), _size(84_000), _size(2_500_000_000)
    ('0 kB', '84 kB', '2.5 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
