"""Export: `python -m training.export` writes the averaged weights as the model `demo`, and its card.

The file is what `demucs.hf.load_safetensors_model` reads: class and arguments as JSON in the metadata, and
the weights as float16, which halves the size and costs 0.01 dB; demucs copies them into a float32 model.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from demucs.hf import load_safetensors_model
from safetensors.torch import save_file

from training import sources
from training.mixing import STEMS
from training.recipe import Recipe, model_arguments
from training.render import FROZEN, WORK

MODELS = Path(__file__).parents[1] / "soundforge_nb" / "audio" / "models"
MODEL, CARD = MODELS / "demo.safetensors", MODELS / "demo.json"
LARGEST_BYTES = 8_000_000
# The run that shipped was changed while it ran; the numbers beside this are those of its last part.
EARLY = (
    "steps 1-392: L1 loss, batch 4, learning rate 2e-3, moving average 0.995; to step 838: stems of other "
    "songs in 60 % and the whole spectrum, after it the lower half until 90 % of the time; moving average "
    "0.998 from step 393 to about 1170; from step 9792, after 216 minutes, on from the half-precision "
    "weights with the optimiser's memory anew and 300 songs in place of 260"
)


def export(weights: dict[str, torch.Tensor], arguments: dict[str, object], path: Path) -> None:
    """Write weights as float16 with the metadata that demucs wants, and read them back to be sure."""
    half = {name: value.detach().to(torch.float16).contiguous() for name, value in weights.items()}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(arguments)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(half, partial, metadata=metadata)
    loaded = load_safetensors_model(partial).state_dict()
    for name, value in half.items():
        if loaded[name].dtype != torch.float32 or not torch.equal(loaded[name], value.to(torch.float32)):
            raise RuntimeError(f"{name} does not come back as it was written")
    if partial.stat().st_size > LARGEST_BYTES:
        raise RuntimeError(f"the model has {partial.stat().st_size} bytes, more than {LARGEST_BYTES}")
    partial.replace(path)


def card(path: Path, saved: dict[str, object], scores: dict[str, object], songs: int) -> dict[str, object]:
    """The model card: what the file is, how it came to be, and how good it is."""
    recipe = Recipe(**saved["recipe"])  # type: ignore[arg-type]
    loaded = load_safetensors_model(path)
    return {
        "name": "demo",
        "for": "trying out; htdemucs is for work",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size_bytes": path.stat().st_size,
        "parameters": sum(p.numel() for p in loaded.parameters()),
        "precision": "float16 in the file, float32 when loaded",
        "class": "demucs.htdemucs.HTDemucs",
        "architecture": model_arguments(recipe),
        "sample_rate_hz": 44100,
        "sources": list(STEMS),
        "licence": "MIT",
        "licences_of_material": sources.TABLE.name,
        "trained_on": f"{songs} songs of 24 s, composed and rendered by code of this project "
        "(folder training/) with soundfonts, drum samples and speech synthesis under MIT, BSD-like, CC0 and "
        "CC-BY licences; no recordings of music",
        "training": {
            "steps": saved["step"],
            "minutes": round(float(saved["spent"]) / 60, 1),  # type: ignore[arg-type]
            "hardware": "2 shared CPU cores, no GPU",
            **{k: v for k, v in dataclasses.asdict(recipe).items() if k not in ("channels", "t_layers")},
            "loss": "negative SDR of each stem, plus 0.1 of that of the stems' sum",
            "augmentation": "stems of other songs in 40 %, gain, equaliser, speed, pan, polarity, clipping",
            "early_in_this_run": EARLY,
            "optimiser": "Adam (0.9, 0.99)",
            "precision": "float32",
        },
        "scores": scores,
    }


def known_scores(work: Path, sha256: str) -> dict[str, object]:
    """What `training.evaluate` measured for this file and for the baselines, as far as it has."""
    store = work / "scores.json"
    known = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    number = len(json.loads(FROZEN.read_text(encoding="utf-8"))["sha256"])
    found: dict[str, object] = {
        "measure": "SDR in dB, energy ratio over whole songs, mean over songs",
        "songs": f"{number} unseen songs played by instruments, drum kits and voices never used in training",
    }
    for key, value in known.items():
        if key.startswith(f"test {number} ") and key.endswith(f"model {sha256[:12]}"):
            found["demo"] = value
        if key.startswith(f"test {number} ") and key.endswith("baselines"):
            found["filters_with_best_gain"], found["mixture_with_best_gain"] = (
                value["filters"],
                value["mixture"],
            )
    return found


def main(arguments: list[str] | None = None) -> None:
    """Export a run's averaged weights; `--card-only` renews the card after an evaluation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--card-only", action="store_true")
    options = parser.parse_args(arguments)
    saved = torch.load(options.work / "runs" / options.run / "checkpoint.pt", weights_only=True)
    if not options.card_only:
        export(saved["average"], model_arguments(Recipe(**saved["recipe"])), options.model)
    sha256 = hashlib.sha256(options.model.read_bytes()).hexdigest()
    songs = len(list((options.work / "train").glob("[0-9]*.npy")))
    text = json.dumps(
        card(options.model, saved, known_scores(options.work, sha256), songs), indent=1, ensure_ascii=False
    )
    options.model.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    sources.TABLE.write_text(sources.table(), encoding="utf-8")
    print(f"{options.model}: {options.model.stat().st_size} bytes, SHA-256 {sha256}")


if __name__ == "__main__":
    main()
