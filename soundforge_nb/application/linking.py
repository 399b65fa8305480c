"""Links become tracks: what a link names is known, or it is asked for by a job."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.errors import DiskError, LinkError
from soundforge_nb.library import catalog
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.links import Link, read_link
from soundforge_nb.spotify.urls import CUT, shown


async def link_tracks(application: Application, texts: list[str]) -> dict[str, Any]:
    """Make tracks of links; each ends in tracks or in a reason.

    Returns
    -------
    dict
        ``tracks`` and, beside each, in ``names`` the link as it may be seen; ``rejected`` as {name, error}.
    """
    links: list[Link] = []
    rejected: list[dict[str, Any]] = []
    for text in texts:
        try:
            links.append(_with_audio(read_link(text)))
        except LinkError as error:
            # What the person wrote may hold a key, and names are kept.
            rejected.append({"name": shown(text), "error": error.as_json()})
    links = list({link.address: link for link in links}.values())
    files = LinkFiles(application.config.links_folder)
    new = await asyncio.to_thread(_kept, files, links)
    now = application.clock.now()
    by_mark = await application.store.write("add_links", partial(add_links, links=new, now=now))
    if links:
        application.pubsub.publish("tracks", {"added": len(links)})
    ids = [by_mark[link.mark] for link in new]
    rows = await application.store.read("tracks", partial(catalog.tracks, track_ids=ids))
    return {"tracks": rows, "names": [link.shown for link in links], "rejected": rejected}


def _kept(files: LinkFiles, links: list[Link]) -> list[LinkedTrack]:
    """Keep what is secret of links where only its owner can read it, before their rows say that it is there.

    Raises
    ------
    DiskError
        The folder can't be written.
    """
    linked = []
    try:
        for link in links:
            mark = files.mark(link.address)
            if link.shown.endswith(CUT):
                files.keep(mark, link.address)
            linked.append(LinkedTrack(mark, link.shown, link.title))
    except OSError as error:
        raise DiskError(
            f"Links can't be kept in the data folder: {error.strerror}.", "Make room, or allow writing there."
        ) from error
    return linked


def _with_audio(link: Link) -> Link:
    if link.spotify is not None:
        raise LinkError(
            f"{link.spotify.url} is understood, but this version can't ask Spotify what it holds.",
            "Add the files you have, or links that lead to audio files.",
            kind="spotify",
        )
    return link
