"""Which separation models are here, without a look at the network; and whether the shipped one works."""

from __future__ import annotations

from typing import Any

from soundforge_nb.audio import model_registry as known
from soundforge_nb.audio.weights import find_model, missing_weights, sha256_of
from soundforge_nb.errors import SoundforgeError


def list_models(model_folder: str | None = None) -> list[dict[str, Any]]:
    """Every model of a known name.

    Returns
    -------
    list of dict
        ``name``, ``here``, ``missing`` (signatures of networks), ``stems``, ``licence``, ``trained_on``, and
        ``error``: why it can't be used here, or None.
    """
    return [_described(name, model_folder) for name in known.known_names()]


def _described(name: str, model_folder: str | None) -> dict[str, Any]:
    card = known.demo_card() if name == known.DEMO else {}
    entry = known.registry().get(name)
    described: dict[str, Any] = {
        "name": name,
        "stems": list(entry.sources if entry else card.get("sources", [])),
        "licence": known.licence_of(name),
        "trained_on": entry.trained_on if entry else card.get("trained_on", "not stated"),
    }
    try:
        missing = missing_weights(name, model_folder)
    except SoundforgeError as error:
        return described | {"here": False, "missing": [], "error": str(error)}
    return described | {"here": not missing, "missing": missing, "error": None}


def try_demo() -> dict[str, Any]:
    """Check the shipped model's file against its card, and load it.

    Returns
    -------
    dict
        ``sha256``, ``scores`` as its card has them, ``parameters``.

    Raises
    ------
    ModelUnavailable
        It is missing or damaged.
    """
    card = known.demo_card()
    files = find_model(known.DEMO)
    sha256 = sha256_of(files.members[0])
    found = {"sha256": sha256, "expected_sha256": card.get("sha256"), "scores": card.get("scores", {})}
    if sha256 != card.get("sha256"):
        return found | {"parameters": 0}
    # Here, not above: it imports torch.
    from soundforge_nb.audio.model_loading import load_model

    return found | {"parameters": load_model(files).parameters}
