"""Finds a model's files: in the person's folder, in the caches, at last on the network.

Order: the folder the person named; the caches this process is told of (``HF_HOME``, ``TORCH_HOME``); the
caches that Demucs uses by itself; then a download, from the Hugging Face hub first and Demucs' first
server second.
"""

from __future__ import annotations

import hashlib
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from soundforge_nb.audio import model_registry as known
from soundforge_nb.audio.faults import shown
from soundforge_nb.errors import ModelUnavailable, UsageError

#: A server that does not answer within this is taken for absent.
ANSWER_TIMEOUT_SECONDS = 8.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class ModelFiles:
    """Where the weights of a model lie.

    Attributes
    ----------
    members : tuple of Path
        One file a network, in the order of the bag; ``.safetensors`` or ``.th``.
    weights : list, optional
        One row a member, one number a source.
    trusted : bool
        The files come from Demucs' own servers or caches, not from a folder somebody filled.
    """

    name: str
    members: tuple[Path, ...]
    weights: list[list[float]] | None
    segment_seconds: float | None
    trusted: bool
    is_bag: bool


@dataclass(frozen=True)
class _Recipe:
    name: str
    repository: str
    signatures: tuple[str, ...]
    weights: list[list[float]] | None
    segment_seconds: float | None
    is_bag: bool = True


def find_model(name: str, model_folder: str | None = None, tell: Tell = lambda message: None) -> ModelFiles:
    """Find all files of a model; download what is missing.

    Parameters
    ----------
    name : str
        "demo", a name or a signature of Demucs' registry, ``hf://namespace/name``, or a name in the folder.
    model_folder : str, optional
        A folder of ``.safetensors``, ``.th`` and ``.yaml`` files, as Demucs' ``--repo`` takes it.
    tell : callable
        Gets a sentence when a download starts.

    Raises
    ------
    UsageError
        Nobody knows this name.
    ModelUnavailable
        The weights are neither here nor to be had.
    """
    folder = _checked_folder(model_folder)
    if folder is not None:
        recipe = _recipe_in(folder, name)
        if recipe is not None:
            return _from_folder(recipe, folder)
    if name == known.DEMO:
        return _demo()
    recipe = _known_recipe(name, tell)
    if recipe is None:
        raise _unknown(name, folder)
    found = {signature: _cached(recipe, signature, folder) for signature in recipe.signatures}
    missing = [signature for signature, file in found.items() if file is None]
    for signature in missing:
        found[signature] = _download(recipe, signature, missing, tell, folder)
    members = tuple(file for signature in recipe.signatures if (file := found[signature]) is not None)
    trusted = folder is None or not any(folder in file.parents for file in members)
    return ModelFiles(recipe.name, members, recipe.weights, recipe.segment_seconds, trusted, recipe.is_bag)


def missing_weights(name: str, model_folder: str | None = None) -> list[str]:
    """Signatures of the networks of a known model whose weights are not here; downloads nothing.

    Raises
    ------
    UsageError, ModelUnavailable
        As `find_model`, but for what can't be downloaded.
    """
    folder = _checked_folder(model_folder)
    if folder is not None and (recipe := _recipe_in(folder, name)) is not None:
        return [signature for signature in recipe.signatures if _in_folder(folder, signature) is None]
    if name == known.DEMO:
        return [] if known.DEMO_FILE.exists() else [known.DEMO]
    if name not in known.registry() or (recipe := _known_recipe(name, lambda message: None)) is None:
        raise _unknown(name, folder)
    signatures = dict.fromkeys(recipe.signatures)
    return [signature for signature in signatures if _cached(recipe, signature, folder) is None]


def _checked_folder(model_folder: str | None) -> Path | None:
    if model_folder is None:
        return None
    folder = Path(model_folder).expanduser()
    if not folder.is_dir():
        raise ModelUnavailable(
            f"The model folder {shown(folder)} does not exist.", "Set model_folder to a folder of models."
        )
    return folder


def _demo() -> ModelFiles:
    if not known.DEMO_FILE.exists():
        raise ModelUnavailable(
            f"The package lacks its demo model: there is no {shown(known.DEMO_FILE)}.",
            "Install soundforge_nb again.",
        )
    return ModelFiles(known.DEMO, (known.DEMO_FILE,), None, None, True, False)


def _unknown(name: str, folder: Path | None) -> UsageError:
    names = known.known_names()
    if folder is not None:
        names += sorted({_signature(file) for file in folder.iterdir() if file.suffix in _SUFFIXES})
    return UsageError(f"There is no separation model named {name!r}.", f"Known: {', '.join(names)}.")


# A folder of models ------------------------------------------------------------------------------

_SUFFIXES = (".safetensors", ".th", ".yaml")


def _signature(file: Path) -> str:
    # Demucs names weights "signature-checksum.th".
    return file.stem.rpartition("-")[0] or file.stem if file.suffix == ".th" else file.stem


def _recipe_in(folder: Path, name: str) -> _Recipe | None:
    recipe = folder / f"{name}.yaml"
    # Only names, no paths: a name that climbs out of the folder is unknown.
    if recipe.name != f"{name}.yaml" or "/" in name:
        return None
    if recipe.exists():
        return _read_recipe(name, recipe)
    if _in_folder(folder, name) is not None:
        return _Recipe(name, "", (name,), None, None, is_bag=False)
    return None


def _read_recipe(name: str, file: Path, repository: str = "") -> _Recipe:
    try:
        bag = yaml.safe_load(file.read_text(encoding="utf-8"))
        signatures = tuple(str(signature) for signature in bag["models"])
        if not signatures:
            raise ValueError("it names no models")
        return _Recipe(name, repository, signatures, bag.get("weights"), bag.get("segment"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ModelUnavailable(
            f"{shown(file)} is not the recipe of a bag of models: {error}.",
            "It needs a list named models, as Demucs' own have.",
        ) from error


def _in_folder(folder: Path, signature: str) -> Path | None:
    exact = folder / f"{signature}.safetensors"
    if exact.exists():
        return exact
    fitting = [file for file in sorted(folder.glob("*.th")) if _signature(file) == signature]
    if len(fitting) > 1:
        raise ModelUnavailable(
            f"{shown(folder)} has {len(fitting)} files for the model {signature}.", "Keep one of them."
        )
    return fitting[0] if fitting else None


def _from_folder(recipe: _Recipe, folder: Path) -> ModelFiles:
    found = [_in_folder(folder, signature) for signature in recipe.signatures]
    missing = [name for name, file in zip(recipe.signatures, found, strict=True) if file is None]
    if missing:
        raise ModelUnavailable(
            f"The model {recipe.name} needs {missing[0]}.safetensors or {missing[0]}.th, which "
            f"is not in {shown(folder)}.",
            f"Put it into {shown(folder)}.",
        )
    members = tuple(file for file in found if file is not None)
    for file in members:
        _check_sum(file)
    return ModelFiles(recipe.name, members, recipe.weights, recipe.segment_seconds, False, recipe.is_bag)


def _check_sum(file: Path) -> None:
    """A ``.th`` file bears the start of its SHA-256 in its name."""
    _, _, expected = file.stem.rpartition("-")
    if file.suffix != ".th" or file.stem == expected:
        return
    if not sha256_of(file).startswith(expected):
        raise ModelUnavailable(
            f"{shown(file)} is damaged: its checksum is not the one in its name.", "Copy it again."
        )


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# Known models ------------------------------------------------------------------------------------


def _known_recipe(name: str, tell: Tell) -> _Recipe | None:
    if name in known.registry():
        model = known.registry()[name]
        if model.needs_diffq and find_spec("diffq") is None:
            raise ModelUnavailable(
                f"The weights of {name} are packed by the package diffq, which is not installed.",
                f"Install diffq, or take {name.removesuffix('_q')}: the same networks, not packed.",
            )
        repository = model.hub_repository
        return _Recipe(name, repository, model.members, model.weights, model.segment_seconds)
    if name in known.legacy_files():
        # The hub keeps single networks beside the bag they belong to.
        bags = [model for model in known.registry().values() if name in model.members]
        repository = bags[0].hub_repository if bags else known.hub_repository(name)
        return _Recipe(name, repository, (name,), None, None, is_bag=False)
    if name.startswith("hf://"):
        plain = name.rpartition("/")[2]
        file = _hub_cached(known.hub_repository(name), f"{plain}.yaml")
        if file is None:
            tell(f"Downloading the recipe of {name}")
            try:
                file = _hub_download(known.hub_repository(name), f"{plain}.yaml")
            except Exception as error:
                raise ModelUnavailable(
                    f"The model {name} can't be had: {_reason(error)}.", "Check its name and the network."
                ) from error
        return _read_recipe(name, file, known.hub_repository(name))
    return None


def checkpoint_folders() -> Iterator[Path]:
    """Where torch keeps downloaded weights: the folder this process is told of first."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "torch"
    told = os.environ.get("TORCH_HOME")
    for home in dict.fromkeys([Path(told).expanduser() if told else default, default]):
        yield home / "hub" / "checkpoints"


def hub_folders() -> Iterator[Path]:
    """Where the Hugging Face hub's client keeps files: the folder this process is told of first."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface"
    told = os.environ.get("HF_HOME")
    for home in dict.fromkeys([Path(told).expanduser() if told else default, default]):
        yield home / "hub"


def _cached(recipe: _Recipe, signature: str, folder: Path | None) -> Path | None:
    if folder is not None and (file := _in_folder(folder, signature)):
        return file
    if file := _hub_cached(recipe.repository, f"{signature}.safetensors"):
        return file
    for checkpoints in checkpoint_folders():
        if checkpoints.is_dir() and (file := _in_folder(checkpoints, signature)):
            _check_sum(file)
            return file
    return None


def _hub_cached(repository: str, file_name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for folder in hub_folders():
        file = try_to_load_from_cache(repository, file_name, cache_dir=folder)
        if isinstance(file, str):
            return Path(file)
    return None


def _download(recipe: _Recipe, signature: str, missing: list[str], tell: Tell, folder: Path | None) -> Path:
    tell(f"Downloading the weights of {recipe.name} ({signature})")
    reasons = []
    try:
        return _hub_download(recipe.repository, f"{signature}.safetensors")
    except Exception as error:  # the hub's client raises errors of several libraries
        reasons.append(f"huggingface.co: {_reason(error)}")
    address = known.legacy_files().get(signature)
    if address is not None:
        try:
            return _legacy_download(address)
        except Exception as error:
            reasons.append(f"dl.fbaipublicfiles.com: {_reason(error)}")
    place = folder or next(checkpoint_folders())
    raise ModelUnavailable(
        f"The weights of {recipe.name} are not here and can't be downloaded ({'; '.join(reasons)}).",
        f"Check the network, or put {_wanted(recipe.repository, missing)} into {shown(place)}; "
        "the model demo works without a network.",
    )


def _wanted(repository: str, signatures: list[str]) -> str:
    names = ", ".join(f"{signature}.safetensors" for signature in signatures)
    hub = f"{names} from https://huggingface.co/{repository}"
    addresses = [known.legacy_files().get(signature, "") for signature in signatures]
    if not all(addresses):
        return hub
    folders, _, _ = zip(*(address.rpartition("/") for address in addresses), strict=True)
    names = ", ".join(address.rpartition("/")[2] for address in addresses)
    return f"{names} from {' and '.join(dict.fromkeys(folders))}/ (or {hub})"


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).splitlines()[0].strip(" .")[:160] if str(reason) else type(error).__name__


def _hub_download(repository: str, file_name: str) -> Path:
    # Read when the library is imported; our progress goes by the protocol.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import constants, hf_hub_download

    # Its client tries an absent network for half a minute. One short question answers that first.
    _probe(f"{constants.ENDPOINT}/{repository}/resolve/main/{file_name}")
    return Path(
        hf_hub_download(
            repository, file_name, cache_dir=next(hub_folders()), etag_timeout=ANSWER_TIMEOUT_SECONDS
        )
    )


def _probe(address: str) -> None:
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_SECONDS):  # noqa: S310
        pass


def _legacy_download(address: str) -> Path:
    from torch.hub import download_url_to_file

    name = address.rpartition("/")[2]
    folder = next(checkpoint_folders())
    folder.mkdir(parents=True, exist_ok=True)
    # torch sets no time limit of its own.
    before: Any = socket.getdefaulttimeout()
    socket.setdefaulttimeout(ANSWER_TIMEOUT_SECONDS)
    try:
        download_url_to_file(
            address,
            str(folder / name),
            hash_prefix=name.rpartition("-")[2].removesuffix(".th"),
            progress=False,
        )
    finally:
        socket.setdefaulttimeout(before)
    return folder / name
