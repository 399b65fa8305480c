"""The answer of a query: an Arrow table on its way to whatever a person computes with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Answer:
    """Rows of a query; `df()` for pandas, `arrow()` for Arrow, or iterate over tuples."""

    def __init__(self, stream: bytes) -> None:
        import pyarrow as pa

        self._table: pa.Table = pa.ipc.open_stream(stream).read_all()

    def df(self) -> pd.DataFrame:
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    def arrow(self) -> pa.Table:
        return self._table

    def dicts(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._table.to_pylist()
        return rows

    @property
    def columns(self) -> list[str]:
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self.dicts():
            yield tuple(row.values())

    def __repr__(self) -> str:
        return repr(self.df())

    def _repr_html_(self) -> str:
        text: str = self.df()._repr_html_()
        return text
