"""Training examples: random crops of rendered songs, mixed and changed anew each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training import effects as fx
from training.effects import RATE, Audio
from training.mixing import STEMS


class Material:
    """The rendered songs of a split; opens newly rendered ones when asked to look again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, np.random.default_rng(seed)
        self.songs: list[np.ndarray] = []
        self.look()

    def look(self) -> None:
        """Find songs that were rendered since."""
        paths = sorted(self.folder.glob("[0-9]*.npy"))
        if len(paths) != len(self.songs):
            self.songs = [np.load(path, mmap_mode="r") for path in paths]
        if not self.songs:
            raise FileNotFoundError(f"no songs in {self.folder}: run python -m training.render first")

    def _crop(self, song: np.ndarray, stem: int, start: int, samples: int) -> Audio:
        return np.asarray(song[stem, :, start : start + samples], np.float32) / 32767

    def _place(self, samples: int) -> tuple[np.ndarray, int]:
        song = self.songs[int(self.rng.integers(len(self.songs)))]
        return song, int(self.rng.integers(song.shape[2] - samples))

    def _stem(self, stem: int, samples: int) -> Audio:
        """A stem from anywhere, preferably one that sounds; at times two singers or two bands at once."""
        audio = np.zeros((2, samples), np.float32)
        for _ in range(4):
            audio = self._crop(*self._at(stem, samples), samples)
            if np.abs(audio).max() > 0.01:
                break
        if STEMS[stem] in ("other", "vocals") and self.rng.random() < 0.15:
            audio = audio + self._crop(*self._at(stem, samples), samples) * self.rng.uniform(0.3, 1)
        return audio

    def _at(self, stem: int, samples: int) -> tuple[np.ndarray, int, int]:
        song, start = self._place(samples)
        return song, stem, start

    def _change(self, audio: Audio, name: str) -> Audio:
        """What another instrument, room or engineer would have done to this stem."""
        rng = self.rng
        if rng.random() < 0.15:
            audio = respeed(audio, float(rng.uniform(0.88, 1.14)))
        if rng.random() < 0.35:
            audio = fx.equalise(audio, rng.uniform(80, 400), rng.uniform(-6, 6), "low")
            audio = fx.equalise(audio, rng.uniform(2500, 9000), rng.uniform(-6, 6), "high")
        if rng.random() < 0.08:
            audio = fx.distort(audio, float(rng.uniform(0.3, 1.5)))
        if name != "bass" and rng.random() < 0.03:
            audio = fx.room(rng, audio, float(rng.uniform(0.3, 1.2)), float(rng.uniform(0.1, 0.5)))
        if rng.random() < 0.5:
            audio = audio[::-1]
        if rng.random() < 0.3:
            audio = fx.pan(audio, float(rng.uniform(-0.5, 0.5) * (0.3 if name in ("bass", "vocals") else 1)))
        if rng.random() < 0.15:
            audio = fx.width(audio, float(rng.uniform(0, 1)))
        return audio if rng.random() < 0.5 else -audio

    def example(self, samples: int) -> Audio:
        """One training example: float32 (4, 2, samples); the mixture is the sum."""
        rng = self.rng
        mixed = rng.random() < 0.4
        song, start = self._place(samples)
        stems = []
        for index, name in enumerate(STEMS):
            audio = self._stem(index, samples) if mixed else self._crop(song, index, start, samples)
            audio = self._change(audio, name)
            gain_db = rng.uniform(-6, 4) if mixed else rng.uniform(-3, 3)
            stems.append(audio * (0.0 if rng.random() < 0.06 else 10 ** (gain_db / 20)))
        out = np.stack(stems).astype(np.float32)
        level = fx.rms(out.sum(0))
        if level < 1e-3:
            return self.example(samples)
        if rng.random() < 0.1:
            out = out * fx.gain_curve(out.sum(0) * (0.2 / level), -16, float(rng.uniform(1.5, 5)), 0.12)
        return out

    def batch(self, size: int, seconds: float) -> Audio:
        """float32 (size, 4, 2, samples)."""
        return np.stack([self.example(int(seconds * RATE)) for _ in range(size)])


def respeed(audio: Audio, factor: float) -> Audio:
    """Play faster or slower, pitch and all; what runs out is filled by playing backwards from the end."""
    n = audio.shape[1]
    index = np.arange(n) * factor
    index = np.where(index > n - 1, 2 * (n - 1) - index, index)
    return np.stack([np.interp(index, np.arange(n), channel) for channel in audio]).astype(np.float32)
