"""Train: `python -m training.train --minutes 85`. Stop it and start it again: it goes on from its checkpoint.

Two single-threaded processes each take half of a batch and average their gradients: on two cores this is
faster than one process of two threads, and far less upset by other work on the machine. The schedule
follows the fraction of the time budget that is spent, so that it ends well on a machine of any speed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from demucs.hf import load_safetensors_model
from torch import Tensor

from training.material import Material
from training.recipe import Recipe, build_for_training
from training.render import WORK

SAVE_SECONDS = 120.0
SHIPPED = Path(__file__).parents[1] / "soundforge_nb" / "audio" / "models"
FLOOR = 0.003  # errors 25 dB below the mixture are good enough


def objective(estimate: Tensor, truth: Tensor, consistency: float) -> Tensor:
    """Negative SDR of each stem in nepers, and of the stems' sum, for (batch, 4, 2, samples).

    An estimate that minimises squared error is a mean over what may have sounded, and such means add up to
    the mixture; L1 gives medians, which fall short of it (measured: a residual of only −7 dB). The logarithm
    makes loud and quiet stems count alike; its floor, a part of the mixture, bounds near-silent ones.
    """
    mixture = truth.sum(1)
    energy = mixture.square().mean((1, 2)) + 1e-8
    wrong = (estimate - truth).square().mean((2, 3)) / energy[:, None]
    missing = (estimate.sum(1) - mixture).square().mean((1, 2)) / energy
    return 0.5 * ((wrong + FLOOR).log().mean() + consistency * (missing + FLOOR).log().mean())


def learning_rate(recipe: Recipe, step: int, fraction: float) -> float:
    """Warm-up, then constant, then a cosine down to 2 % over the last part of the time."""
    rate = recipe.learning_rate * min(1.0, (step + 1) / recipe.warmup_steps)
    begin = 1 - recipe.decay_fraction
    if fraction > begin:
        rate *= 0.02 + 0.98 * 0.5 * (
            1 + math.cos(math.pi * min(1.0, (fraction - begin) / recipe.decay_fraction))
        )
    return rate


class Trainer:
    """One rank's model, optimiser, moving average and clock."""

    def __init__(self, run: Path, recipe: Recipe, rank: int, ranks: int, from_shipped: bool = False) -> None:
        self.run, self.recipe, self.rank, self.ranks = run, recipe, rank, ranks
        torch.manual_seed(recipe.seed)
        self.model = build_for_training(recipe).train()
        self.parameters = list(self.model.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=recipe.learning_rate, betas=(0.9, 0.99))
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.step, self.spent, self.loss = 0, 0.0, 0.0
        if (run / "checkpoint.pt").exists():
            self.resume()
        elif from_shipped:
            self.begin_from_shipped()

    def resume(self) -> None:
        """Go on from the last checkpoint."""
        saved = torch.load(self.run / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average, self.step, self.spent = saved["average"], saved["step"], saved["spent"]

    def begin_from_shipped(self) -> None:
        """Go on from the model in the package, where the checkpoint is lost: its weights, steps and minutes.

        The weights there are the moving average in half precision; the optimiser's memory starts anew.
        """
        card = json.loads((SHIPPED / "demo.json").read_text(encoding="utf-8"))
        weights = load_safetensors_model(SHIPPED / card["file"]).state_dict()
        self.model.load_state_dict(weights)
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.step, self.spent = card["training"]["steps"], card["training"]["minutes"] * 60

    def save(self, snapshot: bool) -> None:
        """Write the checkpoint aside, then in place; a snapshot also keeps the averaged weights by step."""
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
        }
        partial = self.run / "checkpoint.partial"
        torch.save(
            {**state, "step": self.step, "spent": self.spent, "recipe": dataclasses.asdict(self.recipe)},
            partial,
        )
        partial.replace(self.run / "checkpoint.pt")
        if snapshot:
            kept = {
                "average": self.average,
                "step": self.step,
                "spent": self.spent,
                "recipe": dataclasses.asdict(self.recipe),
            }
            torch.save(kept, self.run / f"average-{self.step:06d}.pt")

    def update(self, stems: Tensor, fraction: float) -> None:
        """One step on this rank's part of the batch (n, 4, 2, samples)."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, self.step, fraction)
        whole = fraction >= self.recipe.low_band_fraction
        self.model.bins = self.model.nfft // 2 if whole else self.recipe.low_band_bins
        self.optimiser.zero_grad()
        loss = objective(self.model(stems.sum(1)), stems, self.recipe.consistency)
        loss.backward()
        if self.ranks > 1:
            self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        keep = min(self.recipe.ema, (self.step + 1) / (self.step + 10))
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)
        value = float(loss.detach())
        self.loss = 0.98 * self.loss + 0.02 * value if self.loss else value
        self.step += 1

    def _share_gradients(self) -> None:
        flat = torch.cat(
            [p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in self.parameters]
        )
        dist.all_reduce(flat)
        flat /= self.ranks
        for parameter, part in zip(
            self.parameters, flat.split([p.numel() for p in self.parameters]), strict=True
        ):
            parameter.grad = part.view_as(parameter).clone()


def work(
    rank: int,
    ranks: int,
    work_folder: Path,
    run: Path,
    recipe: Recipe,
    minutes: float,
    max_steps: int,
    from_shipped: bool = False,
) -> None:
    """Train until the time (or the number of steps) is spent; every rank runs this."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if ranks > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        dist.init_process_group(
            "gloo", rank=rank, world_size=ranks, init_method=f"file://{run / 'rendezvous'}"
        )
    trainer = Trainer(run, recipe, rank, ranks, from_shipped)
    material = Material(work_folder / recipe.split, seed=recipe.seed * 1000 + trainer.step * 10 + rank)
    before, began, saved, snapshot = trainer.spent, time.monotonic(), time.monotonic(), trainer.spent
    while True:
        clock = torch.tensor([before + time.monotonic() - began], dtype=torch.float64)
        if ranks > 1:
            dist.broadcast(clock, 0)
        trainer.spent = float(clock)
        if trainer.spent >= minutes * 60 or (max_steps and trainer.step >= max_steps):
            break
        seconds = recipe.segment_seconds
        trainer.update(
            torch.from_numpy(material.batch(recipe.batch // ranks, seconds)), trainer.spent / (minutes * 60)
        )
        if rank == 0 and trainer.step % 20 == 0:
            line = {
                "step": trainer.step,
                "minutes": round(trainer.spent / 60, 2),
                "loss": round(trainer.loss, 4),
                "songs": len(material.songs),
            }
            with (run / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            material.look()
            if rank == 0:
                trainer.save(snapshot=trainer.spent - snapshot > 600)
                snapshot = trainer.spent if trainer.spent - snapshot > 600 else snapshot
    if rank == 0:
        trainer.save(snapshot=True)
    if ranks > 1:
        dist.destroy_process_group()


def main(arguments: list[str] | None = None) -> None:
    """Start or go on with a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--run", default="demo", help="name: a folder in <work>/runs")
    parser.add_argument("--minutes", type=float, default=85.0)
    parser.add_argument("--steps", type=int, default=0, help="stop after this many steps (0: by time alone)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--from-shipped",
        action="store_true",
        help="where there is no checkpoint: go on from the model in the package",
    )
    for field in dataclasses.fields(Recipe):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default
        )
    options = parser.parse_args(arguments)
    recipe = Recipe(**{f.name: getattr(options, f.name) for f in dataclasses.fields(Recipe)})
    run = (options.work / "runs" / options.run).absolute()
    run.mkdir(parents=True, exist_ok=True)
    (run / "rendezvous").unlink(missing_ok=True)
    shared = (
        options.processes,
        options.work,
        run,
        recipe,
        options.minutes,
        options.steps,
        options.from_shipped,
    )
    if options.processes == 1:
        work(0, *shared)
    else:
        mp.spawn(work, args=shared, nprocs=options.processes)


if __name__ == "__main__":
    main()
