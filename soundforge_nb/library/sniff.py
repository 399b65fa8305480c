"""A first look at a file's content: does it begin as any audio or container file does?

The child that decodes is the judge; this spares a job for a text renamed .wav.
"""

from __future__ import annotations

_STARTS: tuple[tuple[int, bytes], ...] = (
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"riff"),  # Wave64
    (0, b"FORM"),  # AIFF
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (4, b"ftyp"),  # MP4, M4A
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1aE\xdf\xa3"),  # Matroska, WebM
    (0, b".snd"),  # AU
    (0, b"caff"),
    (0, b"wvpk"),
    (0, b"MAC "),
    (0, b"0&\xb2u\x8ef\xcf\x11"),  # ASF, WMA
    (0, b"TTA1"),
    (0, b"MPCK"),
    (0, b"MP+"),
    (0, b"ADIF"),
)


def looks_like_audio(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an audio or a media container file.

    >>> looks_like_audio(b"RIFF$\\x00\\x00\\x00WAVEfmt "), looks_like_audio(b"Dear diary, today")
    (True, False)
    """
    if any(head[offset : offset + len(mark)] == mark for offset, mark in _STARTS):
        return True
    # MPEG audio and ADTS begin with a frame's sync word, perhaps after some zeros.
    body = head.lstrip(b"\0")
    if body.startswith(b"\xff\xfe"):
        # The mark of a text in UTF-16; as audio it would be Layer I, which nobody has made for decades.
        return False
    return len(body) > 1 and body[0] == 0xFF and body[1] & 0xE0 == 0xE0
