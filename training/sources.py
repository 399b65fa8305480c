"""Every source of sound: where it lies, its licence, and whether it may train or only test.

Only sources whose licence lets the weights ship under MIT train (`role="train"`): MIT, BSD-like, CC0,
CC-BY and public domain. Copyleft sounds (GPL, CC-BY-SA) only test: they never touch the weights.
`python -m training.sources` writes the table that ships beside the weights.
"""

from __future__ import annotations

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
    path: Path | None = None


SOURCES = (
    Source("Fluid (R3) GM", "fluid-soundfont-gm 3.1", "MIT", "Frank Wen and contributors", "train", "drums, bass, other, choir", SF2 / "FluidR3_GM.sf2"),
    Source("MuseScore General HQ", "musescore-general-soundfont-lossless 0.2.1", "MIT (parts CC0, public domain)", "S. Christian Collins, Frank Wen, Michael Cowgill, Versilian Studios and contributors", "train", "drums, bass, other, choir", SF2 / "MuseScore_General_Full.sf2"),
    Source("Audiophob drum kit", "hydrogen-drumkits 2017.09.19", "CC0-1.0", "audiophobdubstep and freesound.org authors", "train", "drums", HYDROGEN / "Audiophob"),
    Source("rumpf_kit_z01", "hydrogen-drumkits 2017.09.19", "CC-BY-3.0", "Emanuel Rumpf", "train", "drums", HYDROGEN / "rumpf_kit_z01_h2"),
    Source("Sonic Pi samples (bd_*, drum_*, sn_*, elec_*, perc_*, tabla_*, loop_*)", "sonic-pi-samples 3.2", "CC0-1.0", "freesound.org authors listed in the package's copyright file", "train", "drums", SONIC_PI),
    Source("eSpeak NG (speech)", "espeak-ng 1.51", "program GPL-3+; its output is free of it", "Jonathan Duddington, Reece Dunn and contributors", "both", "vocals (different voices for training and test)"),
    Source("Flite voices slt, awb, kal16 (speech)", "flite 2.2", "CMU (BSD-like)", "Carnegie Mellon University: Alan W Black, Kevin Lenzo and others", "train", "vocals"),
    Source("Flite voice rms (speech)", "flite 2.2", "CMU (BSD-like)", "Carnegie Mellon University", "test", "vocals"),
    Source("WORLD vocoder (makes speech sing)", "pyworld 0.3.5", "MIT (pyworld), BSD-3 (WORLD)", "Masanori Morise, Jeremy Hsu", "both", "vocals"),
    Source("Synthesisers of this project (training/synth.py, sampler.py)", "this project", "MIT", "this project", "train", "drums, bass, other"),
    Source("TimGM6mb", "timgm6mb-soundfont 1.3", "GPL-2", "Tim Brechbill", "test", "drums, bass, other", SF2 / "TimGM6mb.sf2"),
    Source("GMRockKit, TR808EmulationKit", "hydrogen-data 1.2", "GPL-2+", "Glen MacArthur, Sebastian Moors, Artemiy Pavlov", "test", "drums", HYDROGEN),
    Source("ColomboAcousticDrumkit, Forzee Stereo, Millo, The Black Pearl, HardElectro1", "hydrogen-drumkits 2017.09.19", "GPL-2, GPL-2+ with composition exception", "see the package's copyright file", "test", "drums", HYDROGEN),
    Source("Red Zeppelin", "avldrums.lv2-soundfont 0.5.2", "CC-BY-SA-3.0", "Glen MacArthur", "test", "drums", SF2 / "Red_Zeppelin_4_LV2.sf2"),
)  # fmt: skip

TRAIN_FONTS = (SF2 / "FluidR3_GM.sf2", SF2 / "MuseScore_General_Full.sf2")
TEST_FONTS = (SF2 / "TimGM6mb.sf2",)
TRAIN_KITS = ("Audiophob", "rumpf_kit_z01_h2")
TEST_KITS = ("GMRockKit", "TR808EmulationKit", "ColomboAcousticDrumkit", "ForzeeStereo", "Millo-Drums_v.1", "The Black Pearl 1.0", "HardElectro1")
TEST_DRUM_FONT = SF2 / "Red_Zeppelin_4_LV2.sf2"

# (program, voice, pitch 0…99); the same languages in both, the voices never.
TRAIN_VOICES = (
    ("flite", "slt", 0), ("flite", "awb", 0), ("flite", "kal16", 0),
    ("espeak", "en-us+f2", 60), ("espeak", "en-gb+f4", 65), ("espeak", "it+f5", 60), ("espeak", "es+Alicia", 60),
    ("espeak", "en-us+m3", 45), ("espeak", "en-gb+m7", 40), ("espeak", "it+Mike", 45), ("espeak", "en-us+Andy", 50),
    ("espeak", "de+belinda", 60),
)  # fmt: skip
TEST_VOICES = (("flite", "rms", 0), ("espeak", "en-us+f3", 60), ("espeak", "es+linda", 60), ("espeak", "en-gb+m1", 45), ("espeak", "it+Diogo", 45))  # fmt: skip


def table() -> str:
    """The licence table as Markdown."""
    lines = [
        "# Licences of what the model `demo` learned from",
        "",
        "The weights (`demo.safetensors`) are MIT, as the project. They were trained on songs that the project's own",
        "code composed and rendered; no recording of anyone's music was used. Sources marked *test* only measured",
        "the finished model and never touched the weights.",
        "",
        "| source | from | licence | authors | role | used for |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    roles = {"train": "training", "test": "test only", "both": "training and test"}
    lines += [f"| {s.name} | {s.package} | {s.licence} | {s.authors} | {roles[s.role]} | {s.used_for} |" for s in SOURCES]
    lines += [
        "",
        "Left out because their licence was in doubt for this use: the copyleft Hydrogen kits as training material,",
        "LMMS demo projects (CC-BY-SA and Artistic), AVL drums as training material (CC-BY-SA).",
        "",
        "CC-BY-3.0 attribution: drum kit rumpf_kit_z01 by Emanuel Rumpf; samples were resampled, mixed and processed.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(table(), encoding="utf-8")
    print(f"wrote {TABLE}")
