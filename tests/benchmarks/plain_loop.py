"""The yardstick: what a person writes without this package, a loop with the model loaded once.

The same network by Demucs' own loader and `apply_model`, and librosa's functions for the same features.
Nothing is durable, nothing is isolated, one song that breaks ends it all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(output_folder: str, *songs: str) -> None:
    from demucs.hf import load_safetensors_model

    from soundforge_nb.audio.model_registry import DEMO_FILE

    model = load_safetensors_model(DEMO_FILE).eval()
    for song in songs:
        separate(model, Path(song), Path(output_folder) / Path(song).stem)
        analyze(song)
    print(json.dumps(len(songs)))


def separate(model: Any, song: Path, folder: Path) -> None:
    """As ``python -m demucs`` does it."""
    import soundfile
    import torch
    from demucs.apply import apply_model

    samples, rate_hz = soundfile.read(song, dtype="float32", always_2d=True)
    mixture = torch.from_numpy(samples.T)
    reference = mixture.mean(0)
    mixture = (mixture - reference.mean()) / reference.std()
    stems = apply_model(model, mixture[None], shifts=1, split=True, overlap=0.25)[0]
    stems = stems * reference.std() + reference.mean()
    folder.mkdir(parents=True, exist_ok=True)
    for name, stem in zip(model.sources, stems, strict=True):
        soundfile.write(folder / f"{name}.wav", stem.numpy().T, rate_hz, subtype="FLOAT")


def analyze(song: str) -> None:
    """Tempo and beats, key's chroma, energy, spectral shape, MFCCs."""
    import librosa
    import numpy as np

    y, rate_hz = librosa.load(song, sr=22_050)
    magnitude = np.abs(librosa.stft(y))
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=magnitude**2, sr=rate_hz))
    onsets = librosa.onset.onset_strength(S=mel_db, sr=rate_hz)
    librosa.beat.beat_track(onset_envelope=onsets, sr=rate_hz)
    librosa.feature.chroma_cqt(y=y, sr=rate_hz)
    librosa.feature.rms(S=magnitude)
    librosa.feature.zero_crossing_rate(y)
    librosa.feature.spectral_centroid(S=magnitude, sr=rate_hz)
    librosa.feature.spectral_rolloff(S=magnitude, sr=rate_hz)
    librosa.feature.spectral_bandwidth(S=magnitude, sr=rate_hz)
    librosa.feature.spectral_flatness(S=magnitude)
    librosa.feature.spectral_contrast(S=magnitude, sr=rate_hz)
    librosa.feature.mfcc(S=mel_db, n_mfcc=13)


if __name__ == "__main__":
    main(*sys.argv[1:])
