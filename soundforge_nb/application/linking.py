"""Links become tracks: what a link names is known, or it is asked for by a job."""

from __future__ import annotations

from functools import partial
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.errors import LinkError
from soundforge_nb.library import catalog
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.pipeline.links import Link, read_link


async def link_tracks(application: Application, texts: list[str]) -> dict[str, Any]:
    """Make tracks of links; each ends in tracks or in a reason.

    Returns
    -------
    dict
        ``tracks`` and, beside each, in ``names`` what the person wrote; ``rejected`` as {name, error}.
    """
    links: dict[str, Link] = {}
    rejected: list[dict[str, Any]] = []
    for text in texts:
        try:
            links[text] = _with_audio(read_link(text))
        except LinkError as error:
            rejected.append({"name": text, "error": error.as_json()})
    new = [LinkedTrack(link.address, link.placeholder, link.title) for link in links.values()]
    now = application.clock.now()
    by_link = await application.store.write("add_links", partial(add_links, links=new, now=now))
    if links:
        application.pubsub.publish("tracks", {"added": len(links)})
    ids = [by_link[link.address] for link in links.values()]
    rows = await application.store.read("tracks", partial(catalog.tracks, track_ids=ids))
    return {"tracks": rows, "names": list(links), "rejected": rejected}


def _with_audio(link: Link) -> Link:
    if link.spotify is not None:
        raise LinkError(
            f"{link.spotify.url} is understood, but this version can't ask Spotify what it holds.",
            "Add the files you have, or links that lead to audio files.",
            kind="spotify",
        )
    return link
