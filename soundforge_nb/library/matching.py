"""Whether a file of one's own is the recording that somebody's metadata tells of. Pure: names and numbers in.

An ISRC names a recording. Without one title, artist and length all have to agree: each alone is no proof, and
a live version, a remix or a karaoke track is another recording, however alike the names are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A match has at least this; of three things that agree fully it is 1.
LEAST_SCORE = 0.85
_LEAST_TITLE, _LEAST_ARTIST = 0.9, 0.8
#: In a short title each letter counts: “Love Me Do” is no “Love Me So”.
_SHORT_TITLE = 12
_WEIGHTS = {"title": 0.5, "artist": 0.3, "length": 0.2}
#: A title's rarest words find its candidates.
_WORDS_LOOKED_UP = 2

_WORD = re.compile(r"\w+")
_GUESTS = re.compile(r"\b(feat|ft|featuring)\b\.?.*")
_NUMBERED = re.compile(r"^\d{1,3}\s*[-._ ]\s*")
_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
#: These make another recording of a song; those that only polish one do not.
_VERSIONS = frozenset(
    (
        *("live", "remix", "rmx", "mix", "acoustic", "unplugged", "instrumental", "karaoke", "demo", "cover"),
        *("edit", "version", "extended", "dub", "rework", "bootleg", "mashup", "session", "sessions"),
        *("reprise", "tribute", "nightcore", "slowed", "sped"),
    )
)
#: Words for nothing in particular, where one of those beside them says that it was polished only.
_VAGUE = frozenset(("version", "mix", "edit"))
_POLISHED = frozenset(
    (
        "remaster",
        "remastered",
        "remastering",
        "mono",
        "stereo",
        "deluxe",
        "bonus",
        "original",
        "album",
        "single",
    )
)
_AND = re.compile(r"\s*(?:[,;/&+]|\band\b|\bund\b|\bvs\b\.?|\bx\b|\bfeat\b\.?|\bft\b\.?)\s*")


@dataclass(frozen=True)
class Recording:
    """What is known of a recording; whose it is, is its name."""

    name: str
    title: str
    artist: str | None = None
    isrc: str | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True)
class Match:
    """That two are the same.

    Attributes
    ----------
    wanted, found : str
        Their names.
    score : float
        From `LEAST_SCORE` to 1.
    reason : str
        What agreed, in words.
    """

    wanted: str
    found: str
    score: float
    reason: str


class Matcher:
    """Finds recordings among those that one has.

    Parameters
    ----------
    own : iterable of Recording
    """

    def __init__(self, own: Iterable[Recording]) -> None:
        self._by_isrc: defaultdict[str, list[Recording]] = defaultdict(list)
        self._by_word: defaultdict[str, list[_Read]] = defaultdict(list)
        for recording in own:
            if isrc := plain_isrc(recording.isrc):
                self._by_isrc[isrc].append(recording)
            # A file without tags is named by its stem, often “Artist - Title”.
            for read in _readings(recording):
                for word in read.words:
                    self._by_word[word].append(read)

    def find(self, wanted: Recording, refused: Collection[str] = ()) -> Match | None:
        """The best of them, or None where none is good enough; those named in `refused` are not it."""
        same = [
            recording
            for recording in self._by_isrc.get(plain_isrc(wanted.isrc), ())
            # A wrong tag is rarer than a wrong guess, but it is met.
            if lengths_agree(wanted.duration_seconds, recording.duration_seconds) is not False
            and recording.name not in refused
        ]
        if same:
            best = min(same, key=lambda own: (_apart(wanted, own), own.name))
            return Match(wanted.name, best.name, 1.0, "the same ISRC")
        read = _read(wanted.title, wanted)
        scored = [(score(read, own), own.recording.name) for own in self._candidates(read)]
        good = [(points, name) for points, name in scored if points >= LEAST_SCORE and name not in refused]
        if not good:
            return None
        # Of the same song in two files the one that was there first.
        points, name = min(good, key=lambda entry: (-entry[0], entry[1]))
        return Match(wanted.name, name, round(points, 3), "title, artist and length")

    def _candidates(self, read: _Read) -> list[_Read]:
        rare = sorted(read.words, key=lambda word: (len(self._by_word.get(word, ())), word))
        found = {id(own): own for word in rare[:_WORDS_LOOKED_UP] for own in self._by_word.get(word, ())}
        return list(found.values())


@dataclass(frozen=True)
class _Read:
    """A recording's names, read for comparing."""

    recording: Recording
    title: str
    words: frozenset[str]
    versions: frozenset[str]
    artists: frozenset[str]


def score(wanted: _Read, own: _Read) -> float:
    """How much two agree, 0 where something speaks against it."""
    length = lengths_agree(wanted.recording.duration_seconds, own.recording.duration_seconds)
    if not length or wanted.versions != own.versions:
        return 0.0
    title = _alike(wanted.title, own.title)
    artist = _artists_alike(wanted.artists, own.artists)
    if title < _LEAST_TITLE or artist < _LEAST_ARTIST:
        return 0.0
    return _WEIGHTS["title"] * title + _WEIGHTS["artist"] * artist + _WEIGHTS["length"] * length


def lengths_agree(one: float | None, other: float | None) -> float | bool | None:
    """From 1 (the same) down to 0.5 where two lengths may be one recording's; False where not; None: unknown.

    >>> lengths_agree(180.0, 180.0), lengths_agree(180.0, 300.0), lengths_agree(None, 1.0)
    (1.0, False, None)
    """
    if not one or not other:
        return None
    # Silence at the ends is cut or added.
    limit = max(4.0, 0.03 * max(one, other))
    apart = abs(one - other)
    return 1.0 - 0.5 * apart / limit if apart <= limit else False


def plain_isrc(text: str | None) -> str:
    """An ISRC without what people put between its parts; nothing where it is none.

    >>> plain_isrc("de-A12-34-00007"), plain_isrc("unknown")
    ('DEA123400007', '')
    """
    plain = re.sub(r"[^A-Z0-9]", "", (text or "").upper())
    return plain if re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}\d{7}", plain) else ""


def plain(text: str) -> str:
    """Text for comparing: without case, accents and forms of letters.

    >>> plain("Motörhead — ＡＢＣ")
    'motorhead — abc'
    """
    spread = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()


def _readings(recording: Recording) -> Sequence[_Read]:
    found = [_read(recording.title, recording)]
    if not recording.artist:
        artist, dash, title = _NUMBERED.sub("", recording.title).partition(" - ")
        if dash:
            found.append(_read(title, recording, artist))
    return found


def _read(title: str, recording: Recording, artist: str | None = None) -> _Read:
    whole = plain(title).replace("&", " and ")
    whole = re.sub(r"['’`´]", "", whole)
    # “Song - Remastered 2011” and “Song (Live)” say after the title what it is.
    name, _, rest = _BRACKETS.sub(" ", whole).partition(" - ")
    aside = f"{rest} {' '.join(_BRACKETS.findall(whole))}"
    name = _GUESTS.sub("", name).strip() or whole
    words = frozenset(_WORD.findall(name)) or frozenset([name])
    named = plain(artist if artist is not None else recording.artist or "")
    artists = frozenset(
        part.strip().removeprefix("the ") for part in _AND.split(_BRACKETS.sub(" ", named)) if part.strip()
    )
    said = frozenset(_WORD.findall(aside))
    versions = (said & _VERSIONS) - (_VAGUE if said & _POLISHED else frozenset())
    return _Read(recording, " ".join(_WORD.findall(name)) or name, words, versions, artists)


def _alike(one: str, other: str) -> float:
    """How alike two titles are, a typing error granted."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) < _SHORT_TITLE:
        return 0.0
    letters = SequenceMatcher(None, one, other, autojunk=False)
    if letters.real_quick_ratio() < _LEAST_TITLE or letters.quick_ratio() < _LEAST_TITLE:
        return 0.0
    # A number more is another song: “Symphony 5” is no “Symphony 6”, “Part I” no “Part II”.
    if _numbers(one) != _numbers(other):
        return 0.0
    return letters.ratio()


def _numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+|\b[ivx]+\b", text))


def _artists_alike(wanted: frozenset[str], own: frozenset[str]) -> float:
    """The best of all pairs: one may name guests, and the other not."""
    if not wanted or not own:
        return 0.0
    return max(SequenceMatcher(None, one, other, autojunk=False).ratio() for one in wanted for other in own)


def _apart(one: Recording, other: Recording) -> float:
    if not one.duration_seconds or not other.duration_seconds:
        return float("inf")
    return abs(one.duration_seconds - other.duration_seconds)
