"""The results of a batch as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from soundforge_nb.forge.forge import Forge

_COLUMNS = ("tempo", "key", "energy", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate")


def results_of(forge: Forge, account: pd.DataFrame) -> pd.DataFrame:
    """One row a track of the account, in its order.

    Columns: name, title, track_id, the measured values, `stems` (file by stem), `null_residual_db`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for track_id, group in account.dropna(subset="track_id").groupby("track_id", sort=False):
        row: dict[str, Any] = {"name": group["name"].iloc[0], "track_id": track_id}
        succeeded = set(group[group["status"].isin(("done", "reused"))]["step"])
        if "analyze" in succeeded and (found := forge.analysis(str(track_id))) is not None:
            row |= {name: found[name] for name in _COLUMNS}
        if "separate" in succeeded:
            stems = forge.call("stems", track_id=track_id)
            newest = [stem for stem in stems if stem["content_key"] == stems[0]["content_key"]]
            row["stems"] = {stem["stem"]: stem["path"] for stem in newest}
            row["model"] = newest[0]["model"]
            row["null_residual_db"] = newest[0]["null_residual_db"]
        rows.append(row)
    titles = {track["track_id"]: track["title"] for track in forge.call("tracks")} if rows else {}
    for row in rows:
        row["title"] = titles.get(row["track_id"])
    columns = ["name", "title", "track_id", *_COLUMNS, "model", "null_residual_db", "stems"]
    return pd.DataFrame(rows, columns=columns)
