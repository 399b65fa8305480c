"""What can be wrong with a file a person named: one `InputError` each, with its own kind.

========== =====================================================================
kind       meaning
========== =====================================================================
not_found  no such file
is_folder  the path is a folder
not_a_file a pipe, a socket or a device
unreadable the system refuses to read it
empty      a file of 0 bytes
not_audio  no known audio format
no_audio_stream a container, such as a video, without sound in it
too_short  a sound file of 0 samples
odd_rate   a sampling rate that no recording has
damaged    it can't be decoded to its end
not_finite samples that are NaN or infinite
too_loud   samples so far beyond full scale that they are no sound
changed    it is not the file that was meant: size or time differ
========== =====================================================================
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from soundforge_nb.errors import InputError

FilePath = str | os.PathLike[str]


def shown(path: FilePath) -> str:
    r"""A path as text that is safe in one line of JSON, a log or a sentence.

    Control characters and bytes that are no UTF-8 are written as escapes.

    >>> shown("a\nb\udcff ü.wav")
    'a\\nb\\udcff ü.wav'
    """
    text = os.fspath(path)
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def not_found(path: FilePath) -> InputError:
    return InputError(
        f"There is no file {shown(path)}.", "Check the path and that its disk is mounted.", kind="not_found"
    )


def is_folder(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} is a folder, not a sound file.", "Name a file inside it.", kind="is_folder"
    )


def not_a_file(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} is no file but a pipe, a socket or a device.",
        "Save the sound as a file and name that.",
        kind="not_a_file",
    )


def unreadable(path: FilePath, reason: str) -> InputError:
    return InputError(
        f"{shown(path)} can't be read: {reason}.", "Check its permissions and its disk.", kind="unreadable"
    )


def empty(path: FilePath) -> InputError:
    return InputError(f"{shown(path)} is empty: 0 bytes.", "Copy or download the file again.", kind="empty")


def not_audio(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} is not a sound file in any known format.",
        "Open it in a player; if it plays, convert it to WAV or FLAC.",
        kind="not_audio",
    )


def no_audio_stream(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} has no sound in it.", "Choose a file with an audio stream.", kind="no_audio_stream"
    )


def too_short(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} is a sound file without a single sample.",
        "Choose a file with sound in it.",
        kind="too_short",
    )


def odd_rate(path: FilePath, sample_rate_hz: int) -> InputError:
    return InputError(
        f"{shown(path)} says that it has {sample_rate_hz} samples a second, which no recording has.",
        "Its header is damaged: copy or download it again, or export it anew.",
        kind="odd_rate",
    )


def damaged(path: FilePath, read_seconds: float, expected_seconds: float | None, reason: str) -> InputError:
    """The file breaks off; the sentence says how many seconds could be read.

    Cut files are refused, not shortened in silence: stems and numbers of half a song look
    like those of the whole one.
    """
    of = f" of {expected_seconds:.1f}" if expected_seconds else ""
    return InputError(
        f"{shown(path)} is damaged: {read_seconds:.1f}{of} seconds could be read ({reason}).",
        "Copy or download it again; to keep what is there, convert it to WAV with an audio editor.",
        kind="damaged",
    )


def not_finite(path: FilePath, at_seconds: float) -> InputError:
    return InputError(
        f"{shown(path)} has samples that are not numbers (NaN or infinite), first at "
        f"{at_seconds:.3f} seconds.",
        "Export it again from the program that made it, as 24-bit WAV or FLAC.",
        kind="not_finite",
    )


def too_loud(path: FilePath, at_seconds: float) -> InputError:
    return InputError(
        f"{shown(path)} has samples far beyond full scale, which are no sound, first at "
        f"{at_seconds:.3f} seconds.",
        "Export it again from the program that made it, as 24-bit WAV or FLAC.",
        kind="too_loud",
    )


def changed(path: FilePath) -> InputError:
    return InputError(
        f"{shown(path)} has changed since it was added to the library.",
        "Add it again, when nothing writes to it any more.",
        kind="changed",
    )


def check_file(path: FilePath, expected: dict[str, int] | None = None) -> os.stat_result:
    """Look at a file before any decoder does.

    Parameters
    ----------
    path : path
        The file.
    expected : dict, optional
        ``size_bytes`` and ``mtime_ns`` the file must have.

    Raises
    ------
    InputError
        Of kind not_found, is_folder, not_a_file, unreadable, empty or changed.
    """
    try:
        status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise not_found(path) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise is_folder(path)
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe would wait for somebody to write into it, perhaps for ever.
        raise not_a_file(path)
    if not os.access(path, os.R_OK):
        raise unreadable(path, "permission denied")
    if status.st_size == 0:
        raise empty(path)
    if expected is not None:
        seen = {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
        if any(expected.get(name, value) != value for name, value in seen.items()):
            raise changed(path)
    return status
