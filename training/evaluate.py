"""Evaluate: `python -m training.evaluate` measures the shipped model on the frozen test songs.

`--snapshots` measures the averaged weights that a run kept over time (`--run`), `--baselines` the filters.
Results are kept in `<work>/scores.json`, so that nothing is measured twice.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from demucs.apply import apply_model
from demucs.hf import load_safetensors_model
from torch import nn

from training.effects import Audio
from training.export import MODEL
from training.mixing import STEMS
from training.recipe import Recipe, build
from training.render import WORK, digest
from training.sdr import baselines, mean_of, residual_db, sdr

OVERLAP = 0.25


def separate(model: nn.Module, mixture: Audio) -> Audio:
    """Separate (2, samples) as `python -m demucs` does, with shifts 0: returns (4, 2, samples)."""
    wave = torch.from_numpy(mixture)
    reference = wave.mean(0)
    mean, std = reference.mean(), reference.std() + 1e-8
    with torch.no_grad():
        stems = apply_model(model, ((wave - mean) / std)[None], shifts=0, split=True, overlap=OVERLAP)[0]
    return (stems * std + mean).numpy()


def songs_of(work: Path, split: str, limit: int = 0) -> list[Path]:
    """The rendered songs of a split."""
    paths = sorted((work / split).glob("[0-9]*.npy"))
    return paths[:limit] if limit else paths


def measure(model: nn.Module, paths: list[Path]) -> dict[str, float]:
    """Mean SDR per stem, their mean, and the mean residual, over songs."""
    scores, residuals = [], []
    for path in paths:
        stems = np.load(path).astype(np.float32) / 32767
        mixture = stems.sum(0)
        estimate = separate(model, mixture)
        scores.append({name: sdr(t, e) for name, t, e in zip(STEMS, stems, estimate, strict=True)})
        residuals.append(residual_db(estimate, mixture))
    return {**mean_of(scores), "residual_db": round(float(np.mean(residuals)), 1)}


def snapshot_model(path: Path) -> tuple[nn.Module, dict[str, float]]:
    """A model with the averaged weights of a snapshot, and where in the run it was taken."""
    saved = torch.load(path, weights_only=True)
    model = build(Recipe(**saved["recipe"]))
    model.load_state_dict(saved["average"])
    return model.eval(), {"step": saved["step"], "minutes": round(saved["spent"] / 60, 1)}


def measure_baselines(paths: list[Path]) -> dict[str, dict[str, float]]:
    """The scaled mixture and the filters on these songs."""
    found = [baselines(np.load(path).astype(np.float32) / 32767) for path in paths]
    return {kind: mean_of([song[kind] for song in found]) for kind in ("mixture", "filters")}


def main(arguments: list[str] | None = None) -> None:
    """Measure and print what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--split", choices=("test", "valid"), default="test")
    parser.add_argument("--songs", type=int, default=0, help="only the first so many (0: all)")
    parser.add_argument("--snapshots", action="store_true")
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    paths = songs_of(options.work, options.split, options.songs)
    store = options.work / "scores.json"
    known = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    songs = f"{options.split} {len(paths)} {digest(paths[-1])[:8]}"

    def once(name: str, compute: object) -> None:
        key = f"{songs} | {name}"
        if key not in known:
            known[key] = compute()  # type: ignore[operator]
            store.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        print(key, json.dumps(known[key]), flush=True)

    if options.baselines:
        once("baselines", lambda: measure_baselines(paths))
    if options.snapshots:
        for path in sorted((options.work / "runs" / options.run).glob("average-*.pt")):
            once(
                f"{options.run}/{path.stem}",
                lambda path=path: {**snapshot_model(path)[1], **measure(snapshot_model(path)[0], paths)},
            )
    if not options.baselines and not options.snapshots:
        import hashlib

        sha256 = hashlib.sha256(options.model.read_bytes()).hexdigest()
        once(f"model {sha256[:12]}", lambda: measure(load_safetensors_model(options.model).eval(), paths))


if __name__ == "__main__":
    main()
