"""Every source of sound: its licence, and whether it may train or only test.

Only sources whose licence lets the weights ship under MIT train (`role="train"`): MIT, BSD-like, CC0,
CC-BY and public domain; they stand in `sources.toml`. Copyleft sounds (GPL, CC-BY-SA) only test: they never
touch the weights.
`python -m training.sources` writes the table that ships beside the weights.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SF2 = Path("/usr/share/sounds/sf2")
HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
SONIC_PI = Path("/usr/share/sonic-pi/samples")
TABLE = Path(__file__).parents[1] / "soundforge_nb" / "audio" / "models" / "LICENCES.md"


@dataclass(frozen=True)
class Source:
    """A source of sound and its licence."""

    name: str
    package: str
    licence: str
    authors: str
    role: Literal["train", "test", "both"]
    used_for: str


SOURCES = tuple(
    Source(**s) for s in tomllib.loads(Path(__file__).with_name("sources.toml").read_text("utf-8"))["source"]
)

TRAIN_FONTS = (SF2 / "FluidR3_GM.sf2", SF2 / "MuseScore_General_Full.sf2")
TEST_FONTS = (SF2 / "TimGM6mb.sf2",)
TRAIN_KITS = ("Audiophob", "rumpf_kit_z01_h2")
TEST_KITS = (
    "GMRockKit",
    "TR808EmulationKit",
    "ColomboAcousticDrumkit",
    "ForzeeStereo",
    "Millo-Drums_v.1",
    "The Black Pearl 1.0",
    "HardElectro1",
)
TEST_DRUM_FONT = SF2 / "Red_Zeppelin_4_LV2.sf2"

# (program, voice, pitch 0…99); the same languages in both, the voices never.
TRAIN_VOICES = (
    ("flite", "slt", 0),
    ("flite", "awb", 0),
    ("flite", "kal16", 0),
    ("espeak", "en-us+f2", 60),
    ("espeak", "en-gb+f4", 65),
    ("espeak", "it+f5", 60),
    ("espeak", "es+Alicia", 60),
    ("espeak", "en-us+m3", 45),
    ("espeak", "en-gb+m7", 40),
    ("espeak", "it+Mike", 45),
    ("espeak", "en-us+Andy", 50),
    ("espeak", "de+belinda", 60),
)
TEST_VOICES = (
    ("flite", "rms", 0),
    ("espeak", "en-us+f3", 60),
    ("espeak", "es+linda", 60),
    ("espeak", "en-gb+m1", 45),
    ("espeak", "it+Diogo", 45),
)


def table() -> str:
    """The licence table as Markdown."""
    lines = [
        "# Licences of what the model `demo` learned from",
        "",
        "The weights (`demo.safetensors`) are MIT, as the project. They were trained on songs that the",
        "project's own code composed and rendered; no recording of anyone's music was used. Sources marked",
        "*test only* measured the finished model and never touched the weights.",
        "",
        "| source | from | licence | authors | role | used for |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    roles = {"train": "training", "test": "test only", "both": "training and test"}
    lines += [
        f"| {s.name} | {s.package} | {s.licence} | {s.authors} | {roles[s.role]} | {s.used_for} |"
        for s in SOURCES
    ]
    lines += [
        "",
        "Left out of training because their licence was in doubt for this use: the copyleft Hydrogen kits,",
        "the AVL drums (CC-BY-SA), and LMMS demo projects (CC-BY-SA and Artistic).",
        "",
        "The demo song (`../demo_song`, CC0) was rendered with this project's synthesisers, CC0 samples of",
        "Sonic Pi, and words spoken by Flite's voice slt that the WORLD vocoder made sing.",
        "",
        "CC-BY-3.0 attribution: drum kit rumpf_kit_z01 by Emanuel Rumpf; resampled, mixed and processed.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(table(), encoding="utf-8")
    print(f"wrote {TABLE}")
