"""Codecs and models: only a child may load the libraries for sound, so a child is asked."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.forge.doctor.finding import Finding, Level, from_error, ok, problem
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.program import CHECK

#: Loading torch from a cold disk takes this long at the worst that was seen, doubled.
CHECK_SECONDS = 120.0
_REINSTALL = "Run: pip install --force-reinstall soundforge_nb"


def look_at_codecs(config: Config) -> Iterator[Finding]:
    """Encode and decode a clip in every format, and load what the analyzer needs."""
    try:
        answer = _asked(config, {"part": "sound"})
    except SoundforgeError as error:
        yield _from_child("analysis", "Sound can't be decoded and analyzed here", error)
        return
    for codec in answer["codecs"]:
        check = f"codec.{codec['codec']}"
        if codec["error"]:
            message = f"{codec['codec']} does not work with {codec['library']}: {codec['error']}."
            yield problem(check, message, _REINSTALL, **codec)
        else:
            yield ok(check, f"{codec['codec']} works, by {codec['library']}.", **codec)
    told = ", ".join(f"{name} {version}" for name, version in sorted(answer["versions"].items()))
    yield ok("analysis", f"The analyzer's libraries load: {told}.", features=answer["features"])


def look_at_models(config: Config) -> Iterator[Finding]:
    """Load the shipped model; see which others are here."""
    folder = None if config.model_folder is None else str(config.model_folder)
    try:
        answer = _asked(config, {"part": "models", "model_folder": folder})
    except SoundforgeError as error:
        yield _from_child("separation", "No song can be separated here", error)
        return
    licence = next(model["licence"] for model in answer["models"] if model["name"] == "demo")
    yield _demo(answer["demo"] | {"licence": licence})
    yield ok("devices", f"Separations can run on: {', '.join(answer['devices'])}.", devices=answer["devices"])
    if config.device.partition(":")[0] not in ("auto", *answer["devices"]):
        message = f"The setting device is {config.device}, which this machine has not."
        yield problem("devices", message, "Set device to auto in soundforge.toml.")
    yield _others([model for model in answer["models"] if model["name"] != "demo"])


def _demo(demo: dict[str, Any]) -> Finding:
    if demo["sha256"] != demo["expected_sha256"]:
        message = f"The shipped model demo is damaged: its SHA-256 is {demo['sha256']}."
        return problem("model.demo", message, _REINSTALL, **demo)
    scores = demo["scores"].get("demo", {})
    sdr = f", mean SDR {scores['mean']:.2f} dB on unseen songs" if "mean" in scores else ""
    message = (
        f"demo loads: {demo['parameters'] / 1e6:.1f} M parameters, licence {demo['licence']}, "
        f"SHA-256 {demo['sha256'][:12]}… as its card says{sdr}."
    )
    return ok("model.demo", message, **demo)


def _others(models: list[dict[str, Any]]) -> Finding:
    groups = {
        "here": [model["name"] for model in models if model["here"]],
        "downloaded at their first use": [m["name"] for m in models if not (m["here"] or m["error"])],
        "in need of the package diffq": [model["name"] for model in models if model["error"]],
    }
    told = "; ".join(f"{what}: {', '.join(names)}" for what, names in groups.items() if names)
    return ok("models", f"Demucs' own models {told}.", models=models)


def _asked(config: Config, request: dict[str, Any]) -> dict[str, Any]:
    if config.data_folder.is_dir():
        return cold_port(CHECK, config, threads=1).call(request, timeout_seconds=CHECK_SECONDS)
    with tempfile.TemporaryDirectory(prefix="soundforge-doctor-") as cache:
        # Libraries make their cache folders when they load: they must not make the data folder with them.
        elsewhere = dataclasses.replace(config, shared_cache_folder=config.shared_cache_folder or Path(cache))
        return cold_port(CHECK, elsewhere, threads=1).call(request, timeout_seconds=CHECK_SECONDS)


def _from_child(check: str, what: str, error: SoundforgeError) -> Finding:
    found = from_error(check, error)
    tail = str(error.details.get("stderr_tail", "")).strip().rpartition("\n")[2]
    told = f"{what}: {error.message}" + (f" It said last: {tail}" if tail else "")
    remedy = found.remedy if error.kind not in ("internal", "crashed") else _REINSTALL
    return Finding(check, Level.PROBLEM, told, remedy, {**found.details, **error.details})
