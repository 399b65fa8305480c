import hashlib
import json
import os
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from soundforge_nb.audio import decode_sndfile
from soundforge_nb.audio.decode import open_audio, read_audio
from soundforge_nb.audio.faults import shown
from soundforge_nb.errors import InputError

RATE = 44_100


def pcm(seconds: float = 1.0, channels: int = 2, bits: int = 16) -> np.ndarray:
    """Noise on the grid of an integer format, so that nothing is lost in writing it."""
    noise = 0.3 * np.random.default_rng(0).standard_normal((int(seconds * RATE), channels))
    steps = 2 ** (bits - 1)
    return (np.round(np.clip(noise, -1, 0.99) * steps) / steps + 0.0).astype(np.float32)


def write(file: Path, y: np.ndarray, rate: int = RATE, **how: str) -> Path:
    soundfile.write(file, y, rate, **how)
    return file


def fault(path: object, expected: dict[str, int] | None = None) -> InputError:
    with pytest.raises(InputError) as caught, open_audio(path, expected) as file:
        for _ in file.blocks():
            pass
    return caught.value


@pytest.mark.parametrize("extension", ["wav", "flac", "aiff", "caf"])
@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24)])
def test_lossless_files_come_back_bit_for_bit(
    tmp_path: Path, extension: str, subtype: str, bits: int
) -> None:
    y = pcm(bits=bits)
    samples, file = read_audio(write(tmp_path / f"a.{extension}", y, subtype=subtype))
    assert np.array_equal(samples, y)
    assert file.decoded_hash == hashlib.sha256(y.tobytes()).hexdigest()
    assert file.as_json()["duration_seconds"] == 1.0


def test_the_decoded_hash_does_not_know_the_block_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.flac", pcm())
    whole = read_audio(path)[1].decoded_hash
    monkeypatch.setattr(decode_sndfile, "BLOCK_VALUES", 1000)
    assert read_audio(path)[1].decoded_hash == whole


@pytest.mark.parametrize(
    ("extension", "how"), [("mp3", {}), ("ogg", {}), ("opus", {"format": "OGG", "subtype": "OPUS"})]
)
def test_lossy_files_keep_their_length(tmp_path: Path, extension: str, how: dict[str, str]) -> None:
    t = np.arange(48_000) / 48_000
    y = np.stack([0.5 * np.sin(2 * np.pi * 440 * t)] * 2, axis=1)
    samples, _ = read_audio(write(tmp_path / f"a.{extension}", y, 48_000, **how))
    assert samples.shape == y.shape
    assert 20 * np.log10(np.linalg.norm(y) / np.linalg.norm(samples - y)) > 20


def encode(file: Path, *, video: bool = False, audio: bool = True, rate: int = RATE) -> Path:
    with av.open(str(file), "w") as container:
        picture = container.add_stream("mpeg4", rate=10) if video else None
        sound = container.add_stream("aac", rate=rate, layout="stereo") if audio else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            for _ in range(10):
                frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
                container.mux(picture.encode(frame))
            container.mux(picture.encode())
        if sound is not None:
            y = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([y, y]), format="fltp", layout="stereo")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return file


@pytest.mark.parametrize(("name", "video"), [("a.m4a", False), ("a.mp4", True), ("a.mkv", True)])
def test_aac_is_read_from_sound_and_video_files(tmp_path: Path, name: str, video: bool) -> None:
    samples, file = read_audio(encode(tmp_path / name, video=video))
    assert samples.shape[1] == 2
    assert file.duration_seconds == pytest.approx(1.0, abs=0.06)
    middle = samples[RATE // 4 : 3 * RATE // 4, 0]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 220


def test_unusual_rates_and_channel_counts(tmp_path: Path) -> None:
    for rate, channels in ((8_000, 1), (192_000, 6)):
        _, file = read_audio(write(tmp_path / f"{rate}.wav", pcm(0.1, channels), rate))
        assert (file.format.sample_rate_hz, file.format.channels) == (rate, channels)


def test_peak_and_clipped_samples_are_counted(tmp_path: Path) -> None:
    y = np.array([[0.5], [1.0], [-1.0], [0.0]], np.float32)
    _, file = read_audio(write(tmp_path / "a.wav", y, subtype="FLOAT"))
    assert (file.peak, file.clipped_samples) == (1.0, 2)


def test_each_fault_has_its_kind_and_names_the_file(tmp_path: Path) -> None:
    files = {
        "not_found": tmp_path / "nothing.wav",
        "is_folder": tmp_path,
        "empty": tmp_path / "empty.wav",
        "not_audio": tmp_path / "text.wav",
        "no_audio_stream": encode(tmp_path / "silent film.mp4", video=True, audio=False),
        "too_short": write(tmp_path / "short.wav", np.zeros((0, 1))),
    }
    files["empty"].touch()
    files["not_audio"].write_text("These are words, not sounds.\n" * 50)
    for kind, path in files.items():
        error = fault(path)
        assert error.kind == kind
        assert str(path) in error.message
        assert error.remedy


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_a_cut_file_says_how_much_could_be_read(tmp_path: Path, extension: str) -> None:
    path = write(tmp_path / f"a.{extension}", pcm(4.0))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    error = fault(path)
    assert error.kind == "damaged"
    assert " of 4.0 seconds" in error.message


def test_a_cut_m4a_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a")
    path.write_bytes(path.read_bytes()[:5000])
    assert fault(path).kind in ("not_audio", "damaged")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_with_their_place(tmp_path: Path, value: float) -> None:
    y = pcm(2.0)
    y[RATE + RATE // 2, 1] = value
    error = fault(write(tmp_path / "a.wav", y, subtype="FLOAT"))
    assert error.kind == "not_finite"
    assert "1.500 seconds" in error.message


def test_samples_that_are_no_sound_are_refused_with_their_place(tmp_path: Path) -> None:
    y = pcm(2.0)
    y[RATE + RATE // 2, 1] = -1e30
    error = fault(write(tmp_path / "a.wav", y, subtype="FLOAT"))
    assert error.kind == "too_loud"
    assert "1.500 seconds" in error.message
    # Floats on the scale of 16-bit integers are unusual, no more.
    assert read_audio(write(tmp_path / "b.wav", 32768 * pcm(0.1), subtype="FLOAT"))[1].peak > 10_000


@pytest.mark.parametrize("rate", [1, 44, 2_000_000])
def test_a_rate_that_no_recording_has_is_refused(tmp_path: Path, rate: int) -> None:
    error = fault(write(tmp_path / "a.wav", pcm(0.1), rate))
    assert error.kind == "odd_rate"
    assert f"{rate} samples a second" in error.message


def test_blocks_of_many_channels_are_no_larger(tmp_path: Path) -> None:
    for channels in (1, 64):
        y = pcm(0.2, channels) if channels > 1 else pcm(5, 1)
        with open_audio(write(tmp_path / "a.wav", y)) as file:
            blocks = list(file.blocks())
        assert max(block.size for block in blocks) == decode_sndfile.BLOCK_VALUES


def test_a_pipe_a_socket_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(tmp_path / "socket.wav"))
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    for name in ("pipe", "socket", "device"):
        assert fault(tmp_path / f"{name}.wav").kind == "not_a_file"


def test_links_that_lead_nowhere_or_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "gone.wav")
    (tmp_path / "circle.wav").symlink_to(tmp_path / "circle.wav")
    assert fault(tmp_path / "dangling.wav").kind == "not_found"
    error = fault(tmp_path / "circle.wav")
    assert error.kind == "unreadable"
    assert "symbolic links" in error.message


def test_a_stream_of_an_unknown_codec_is_no_audio(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv")
    content = path.read_bytes()
    assert b"A_AAC" in content
    path.write_bytes(content.replace(b"A_AAC", b"A_XYZ"))
    assert fault(path).kind == "not_audio"


def test_no_scratch_crashes_a_decoder(tmp_path: Path) -> None:
    """Flipped bits end in sound or in a fault with its kind, never in anything else."""
    rng = np.random.default_rng(3)
    files = [write(tmp_path / f"a.{extension}", pcm(0.5)) for extension in ("wav", "flac", "mp3", "ogg")]
    for path in [*files, encode(tmp_path / "a.m4a"), encode(tmp_path / "a.mkv")]:
        whole = path.read_bytes()
        for number in range(25):
            content = bytearray(whole)
            # Every other time in the header, where it does most.
            for place in rng.integers(0, 400 if number % 2 else len(whole), 8):
                content[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(content)
            try:
                samples, _ = read_audio(path)
            except InputError as error:
                assert error.kind in _KINDS
            else:
                assert np.isfinite(samples).all()


_KINDS = ("damaged", "not_audio", "no_audio_stream", "too_short", "odd_rate", "not_finite", "too_loud")


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", pcm(0.1))
    with pytest.raises(InputError) as caught, open_audio(path) as file:
        list(file.blocks())
        path.unlink()
    assert caught.value.kind == "changed"


def test_a_file_that_is_not_the_one_that_was_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", pcm(0.1))
    status = path.stat()
    right = {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    with open_audio(path, right) as file:
        assert sum(len(block) for block in file.blocks()) == RATE // 10
    assert fault(path, right | {"mtime_ns": 1}).kind == "changed"
    assert fault(path, right | {"size_bytes": 1}).kind == "changed"


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", pcm(0.1))
    with pytest.raises(InputError) as caught, open_audio(path) as file:
        list(file.blocks())
        os.utime(path, ns=(1, 1))
    assert caught.value.kind == "changed"


@pytest.mark.parametrize(
    "name",
    [
        "with space.wav",
        "--help.wav",
        "quote'\".wav",
        "new\nline.wav",
        "Größe 音.wav",
        "http:x.wav",
        b"\xff\xfe.wav",
    ],
)
def test_any_name_can_be_read_and_shown(tmp_path: Path, name: str | bytes) -> None:
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), os.fsencode(name)))  # noqa: PTH118
    with open(path, "wb") as stream:  # noqa: PTH123
        soundfile.write(stream, pcm(0.1), RATE, format="WAV")
    assert read_audio(path)[1].duration_seconds == pytest.approx(0.1)
    message = fault(path, {"size_bytes": 1}).message
    assert "\n" not in message
    assert json.loads(json.dumps(message)).encode()
    assert shown(path) in message


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\n{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {secret}\n",
    ],
)
def test_a_playlist_cannot_make_the_decoder_open_other_files(tmp_path: Path, text: str) -> None:
    secret = write(tmp_path / "secret.wav", pcm(0.1))
    playlist = tmp_path / "song.mp3"
    playlist.write_text(text.format(secret=secret))
    assert fault(playlist).kind == "not_audio"


def test_decoding_imports_neither_torch_nor_librosa() -> None:
    code = "import sys, soundforge_nb.audio.decode, soundforge_nb.audio.decode_sndfile; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "librosa", "av"} & set(modules.split())
