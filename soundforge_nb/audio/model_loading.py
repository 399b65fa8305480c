"""Turns a model's files into a network, without running code that may hide in them.

A ``.th`` file is a pickle, and a ``.safetensors`` file of Demucs' names the class to build: both could run
anything. Demucs loads them as they are (``torch.load(weights_only=False)``). Here a file may name only the
classes below; one that needs more is refused, unless it comes from Demucs' own servers.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.apply import BagOfModels
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.hf import load_safetensors_model
from demucs.htdemucs import HTDemucs
from demucs.states import load_model as build_model

from soundforge_nb.audio.faults import shown
from soundforge_nb.audio.weights import ModelFiles, sha256_of
from soundforge_nb.errors import ModelUnavailable

_CLASSES = (HTDemucs, HDemucs, Demucs)
_CLASS_NAMES = {f"{cls.__module__}.{cls.__name__}" for cls in _CLASSES}
#: Packed (quantised) weights name types of these packages.
_PACKED_TYPES = ("torch", "diffq", "numpy")


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to run, on the CPU, in evaluation mode.

    Attributes
    ----------
    members : list of torch.nn.Module
        One for a single network.
    weights : list of list of float
        How much each member (row) gives to each source.
    sha256 : str
        Of the weights' file; of a bag: over its members' SHA-256 and their weights, as JSON. So it differs
        where the result could.
    """

    name: str
    members: list[Any]
    weights: list[list[float]]
    sources: list[str]
    sample_rate_hz: int
    channels: int
    sha256: str
    parameters: int
    is_bag: bool

    @property
    def longest_segment_seconds(self) -> float:
        """What the transformers among the members can take; infinite where there are none."""
        return min(
            (float(member.segment) for member in self.members if isinstance(member, HTDemucs)),
            default=float("inf"),
        )


def load_model(files: ModelFiles) -> LoadedModel:
    """Load a model.

    Raises
    ------
    ModelUnavailable
        A file is damaged, refused (kind "model_refused"), or not a model of Demucs'.
    """
    networks = {file: _load_member(file, files.trusted) for file in dict.fromkeys(files.members)}
    digests = {file: sha256_of(file) for file in networks}
    members = [networks[file] for file in files.members]
    bag = _bag(files, members)
    first = members[0]
    return LoadedModel(
        name=files.name,
        members=members,
        weights=[[float(weight) for weight in row] for row in bag.weights],
        sources=[str(source) for source in first.sources],
        sample_rate_hz=int(first.samplerate),
        channels=int(first.audio_channels),
        sha256=_digest(files, [digests[file] for file in files.members]),
        parameters=sum(
            parameter.numel() for network in networks.values() for parameter in network.parameters()
        ),
        is_bag=files.is_bag,
    )


def _bag(files: ModelFiles, members: list[Any]) -> Any:
    """Demucs' own bag: it checks that the members fit, and sets their segment."""
    for member in members:
        member.eval()
    try:
        return BagOfModels(members, files.weights, files.segment_seconds)
    except AssertionError as error:
        raise ModelUnavailable(
            f"The members of the model {files.name} do not fit each other.",
            "They need the same sources, rate and channels, and one weight for each source.",
        ) from error


def _digest(files: ModelFiles, digests: list[str]) -> str:
    if not files.is_bag or (len(digests) == 1 and not files.weights):
        return digests[0]
    recipe = {"members": digests, "weights": files.weights, "segment": files.segment_seconds}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def _load_member(file: Path, trusted: bool) -> Any:
    try:
        if file.suffix == ".safetensors":
            _check_metadata(file)
            return load_safetensors_model(file)
        return build_model(_read_pickle(file, trusted))
    except ModelUnavailable:
        raise
    except Exception as error:
        # Whatever a damaged file makes torch, safetensors or the class's constructor raise.
        raise ModelUnavailable(
            f"{shown(file)} can't be loaded as a Demucs model: {type(error).__name__}: {_first_line(error)}.",
            "Copy or download it again.",
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].strip(" .")[:200]


def _refused(file: Path, what: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{shown(file)} is refused: it asks for {what}, which could run any code.",
        "Use weights from somebody you trust, saved with Demucs' own tools, best as safetensors.",
        kind="model_refused",
    )


def _check_metadata(file: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(file), framework="pt") as opened:
        metadata = opened.metadata() or {}
    if metadata.get("klass") not in _CLASS_NAMES:
        raise _refused(file, f"the class {metadata.get('klass')!r}")
    for name in _class_names(json.loads(metadata.get("structure", "null"))):
        if name.partition(".")[0] not in _PACKED_TYPES:
            raise _refused(file, f"the class {name!r}")


def _class_names(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [str(node["_class"])] if "_class" in node else []
        return own + [name for value in node.values() for name in _class_names(value)]
    if isinstance(node, list):
        return [name for value in node for name in _class_names(value)]
    return []


def _read_pickle(file: Path, trusted: bool) -> dict[str, Any]:
    try:
        with torch.serialization.safe_globals([*_CLASSES, Fraction]):
            package = torch.load(file, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not trusted:
            raise _refused(file, "more than weights and Demucs' classes") from error
        package = torch.load(file, "cpu", weights_only=False)
    if not isinstance(package, dict) or package.get("klass") not in _CLASSES:
        raise ModelUnavailable(
            f"{shown(file)} is not a Demucs model.", "It needs the entries klass, args, kwargs and state."
        )
    return package
