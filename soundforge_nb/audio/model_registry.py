"""Which separation models there are, what is known of them, and where their weights come from.

Nothing here imports torch or looks at the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

DEMO = "demo"
MODELS_FOLDER = Path(__file__).parent / "models"
DEMO_FILE = MODELS_FOLDER / "demo.safetensors"
DEMO_CARD = MODELS_FOLDER / "demo.json"

HUB_NAMESPACE = "adefossez"
LEGACY_URL = "https://dl.fbaipublicfiles.com/demucs/"

FOUR_STEMS = ("drums", "bass", "other", "vocals")
SIX_STEMS = (*FOUR_STEMS, "guitar", "piano")

#: Said of each model that Demucs' authors published: both statements stand, and neither revokes the other.
_DEMUCS_LICENCE = (
    "Demucs' code, and the weights' page on the Hugging Face hub, say MIT; an author has also written "
    "that the weights are for scientific purposes only (github.com/facebookresearch/demucs/issues/327)."
)
_TRAINED_ON = {
    "htdemucs": "MUSDB18-HQ and 800 more songs",
    "htdemucs_ft": "MUSDB18-HQ and 800 more songs, then tuned for one stem each",
    "htdemucs_6s": "MUSDB18-HQ and 800 more songs; guitar and piano are experimental",
    "hdemucs_mmi": "MUSDB18-HQ and 800 more songs",
    "mdx": "MUSDB18-HQ alone",
    "mdx_q": "MUSDB18-HQ alone",
    "mdx_extra": "MUSDB18-HQ, its test set included, and 150 more songs",
    "mdx_extra_q": "MUSDB18-HQ, its test set included, and 150 more songs",
}


@dataclass(frozen=True)
class KnownModel:
    """A model of Demucs' own registry.

    Attributes
    ----------
    members : tuple of str
        Signatures of the networks in the bag, in order; some name one twice.
    """

    name: str
    members: tuple[str, ...]
    sources: tuple[str, ...]
    licence: str
    trained_on: str
    weights: list[list[float]] | None = None
    segment_seconds: float | None = None
    needs_diffq: bool = False

    @property
    def hub_repository(self) -> str:
        return hub_repository(self.name)


def hub_repository(name: str) -> str:
    """Where the Hugging Face hub keeps a model: "adefossez/HTDemucs-ft" for htdemucs_ft."""
    namespace, _, plain = name.removeprefix("hf://").rpartition("/")
    if plain == "htdemucs":
        plain = "HTDemucs"
    elif plain.startswith("htdemucs_"):
        plain = "HTDemucs-" + plain.removeprefix("htdemucs_")
    else:
        plain = "Demucs-" + plain
    return f"{namespace or HUB_NAMESPACE}/{plain}"


@cache
def registry() -> dict[str, KnownModel]:
    """The bags Demucs ships the recipes of, by name."""
    known = {}
    for recipe in sorted(_remote_folder().glob("*.yaml")):
        name = recipe.stem
        bag = yaml.safe_load(recipe.read_text(encoding="utf-8"))
        known[name] = KnownModel(
            name=name,
            members=tuple(bag["models"]),
            sources=SIX_STEMS if name == "htdemucs_6s" else FOUR_STEMS,
            licence=_DEMUCS_LICENCE,
            trained_on=_TRAINED_ON.get(name, "not stated"),
            weights=bag.get("weights"),
            segment_seconds=bag.get("segment"),
            needs_diffq=name.endswith("_q"),
        )
    return known


@cache
def legacy_files() -> dict[str, str]:
    """Signature to address of the weights on Demucs' first server."""
    found, root = {}, ""
    for raw in (_remote_folder() / "files.txt").read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("root:"):
            root = line.removeprefix("root:").strip()
        elif line and not line.startswith("#"):
            found[line.partition("-")[0]] = LEGACY_URL + root + line
    return found


def _remote_folder() -> Path:
    # Found without importing the package, which would import torch.
    spec = find_spec("demucs")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("demucs is not installed", name="demucs")
    return Path(spec.submodule_search_locations[0]) / "remote"


def known_names() -> list[str]:
    """Names to choose from; signatures of single networks and ``hf://`` names work too."""
    return [DEMO, *registry()]


def licence_of(name: str) -> str:
    """What is known about the licence of a model's weights."""
    if name == DEMO:
        return str(demo_card().get("licence") or demo_card().get("license") or "MIT, as this package")
    if name in registry() or name in legacy_files():
        return _DEMUCS_LICENCE
    return "not known: see where the weights come from"


def demo_card() -> dict[str, Any]:
    """What is written about the model this package ships; empty where it has no card."""
    import json

    if not DEMO_CARD.exists():
        return {}
    card = json.loads(DEMO_CARD.read_text(encoding="utf-8"))
    return card if isinstance(card, dict) else {}
