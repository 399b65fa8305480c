"""Links become tracks: what a link names is known, or it is asked for by a job."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.application.spotify_linking import Read, read_list
from soundforge_nb.errors import DiskError, LinkError
from soundforge_nb.library import catalog
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.links import Link, read_link
from soundforge_nb.spotify.urls import CUT, shown


async def link_tracks(application: Application, texts: list[str], jobs: dict[str, str]) -> dict[str, Any]:
    """Make tracks of links; each ends in tracks, in a reason, or in a job that has to read it first.

    Parameters
    ----------
    application : Application
    texts : list of str
        Links as a person wrote them.
    jobs : dict
        Of an earlier call's ``waiting``: job ids by link.

    Returns
    -------
    dict
        ``tracks`` and, beside each, in ``names`` the link as it may be seen; ``rejected`` as {name, error};
        ``waiting`` as {link, job_id}; ``notes``, sentences about the whole.
    """
    links: list[Link] = []
    rejected: list[dict[str, Any]] = []
    for text in texts:
        try:
            links.append(read_link(text))
        except LinkError as error:
            # What the person wrote may hold a key, and names are kept.
            rejected.append({"name": shown(text), "error": error.as_json()})
    links = list({link.address: link for link in links}.values())
    on_the_web = await _add(application, [link for link in links if link.spotify is None])
    read: list[Read] = []
    waiting = []
    for link in links:
        if link.spotify is None:
            read.append(Read([on_the_web[link.address]], [link.shown]))
            continue
        found = await read_list(application, link.spotify, jobs.get(link.spotify.url))
        read.append(found)
        rejected += found.rejected
        if found.job_id is not None:
            waiting.append({"link": link.spotify.url, "job_id": found.job_id})
    ids = [track_id for found in read for track_id in found.track_ids]
    names = [name for found in read for name in found.names]
    if ids:
        application.pubsub.publish("tracks", {"added": len(ids)})
    rows = await application.store.read("tracks", partial(catalog.tracks, track_ids=ids))
    notes = [note for found in read for note in found.notes]
    return {"tracks": rows, "names": names, "rejected": rejected, "waiting": waiting, "notes": notes}


async def _add(application: Application, links: list[Link]) -> dict[str, str]:
    """Make tracks of links to the web; returns track ids by address."""
    if not links:
        return {}
    new = await asyncio.to_thread(_kept, LinkFiles(application.config.links_folder), links)
    now = application.clock.now()
    by_mark = await application.store.write("add_links", partial(add_links, links=new, now=now))
    return {link.address: by_mark[entry.mark] for link, entry in zip(links, new, strict=True)}


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
