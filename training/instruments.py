"""Which General MIDI programs and drum presets suit which style of part."""

from __future__ import annotations

Programs = tuple[tuple[int, int], ...]  # (bank, program)


def _programs(text: str) -> Programs:
    """Read "48 8/50": program 48 of bank 0, program 50 of bank 8 (the GS variations)."""
    return tuple((int(word.rpartition("/")[0] or 0), int(word.rpartition("/")[2])) for word in text.split())


BASS = _programs("32 33 33 34 34 35 36 37 38 39 8/38 8/39 87")
OTHER: dict[str, Programs] = {
    "pad": _programs("48 49 50 51 88 89 90 91 92 94 95 16 18 19 20 21 61 4 44 8/48 8/50"),
    "comp": _programs("0 1 2 3 4 5 7 16 17 18 22 26 27 61 62 63 11 28 8/4 8/28"),
    "strum": _programs("24 25 25 26 27 27 28 8/25 8/24 105 29"),
    "arpeggio": _programs("0 0 4 6 8 9 10 11 12 13 24 25 27 45 46 80 81 88 98 99 107 108"),
    "power": _programs("29 30 30 29 27 28"),
    "lead": _programs("22 26 29 30 40 41 42 56 57 59 60 64 65 66 68 71 73 75 80 81 110 67 84 78"),
    "riff": _programs("0 4 7 17 25 27 28 29 30 61 62 80 81 87 66"),
}
CHOIR = _programs("52 53 52 54")
# Presets 1…7 of a family are the font's own tunings; fonts without them fall back to the family's first.
DRUM_PRESETS = (*range(20), 24, 25, *range(32, 37), *range(40, 43))
TEST_DRUM_PRESETS = (0, 8, 16, 24, 25, 32, 40)
