"""What a downloader of others asks for is checked at each step, whichever way it goes.

yt-dlp is the real one. 127.0.0.1 stands for the internet here, and 127.0.0.2 for a machine inside.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from web import Request, Web, file_answer, web_server

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs import addresses
from soundforge_nb.programs.checked_proxy import CheckedProxy, checked_proxy
from soundforge_nb.programs.confined import REFUSAL
from soundforge_nb.programs.http_link import Limits
from soundforge_nb.programs.page import fetch_page
from soundforge_nb.programs.song import fetch_song
from soundforge_nb.programs.tools import fault, run_tool

OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"
LIMITS = Limits(max_bytes=10_000_000, stall_seconds=5.0, allow_private=False)

if sys.platform != "linux":
    pytest.skip("only Linux has more than one loopback address by itself", allow_module_level=True)


@pytest.fixture
def outside() -> Iterator[Web]:
    with web_server(OUTSIDE) as made:
        yield made


@pytest.fixture
def inside() -> Iterator[Web]:
    with web_server(INSIDE) as made:
        made.serve("/secret.mp3", file_answer(tone(), kind="audio/mpeg"))
        yield made


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda text: text == OUTSIDE)


@pytest.fixture
def proxy() -> Iterator[CheckedProxy]:
    with checked_proxy(LIMITS, "the song") as made:
        yield made


def names(monkeypatch: pytest.MonkeyPatch, *hosts: tuple[str, str]) -> list[str]:
    """Resolve these hosts in this order, each once; returns the hosts that were asked for."""
    left, asked, real = list(hosts), [], socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, *arguments, **named)
        asked.append(host)
        name, address = left.pop(0)
        assert name == host
        return real(address, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def tone() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(np.arange(22_050) * 0.05), 22_050, format="MP3")
    return file.getvalue()


def page(media: str) -> Any:
    text = f"<html><head><title>Page</title></head><body><audio src='{media}'></audio></body></html>"
    return lambda asked: asked.say(200, text.encode(), Content_Type="text/html; charset=utf-8")


def redirect(link: str) -> Any:
    return lambda asked: asked.say(302, Location=link)


def fetched(link: str, folder: Path, limits: Limits = LIMITS) -> Path:
    return fetch_page(link, "the page", folder / "tools", limits, lambda share, message: None)[0]


# -- yt-dlp, the real one -------------------------------------------------------------------------------


def playing(outside: Web, inside: str) -> str:
    return outside.serve("/watch", page(inside))


def redirecting_media(outside: Web, inside: str) -> str:
    return outside.serve("/watch", page(outside.serve("/song.mp3", redirect(inside))))


def redirecting_page(outside: Web, inside: str) -> str:
    return outside.serve("/watch", redirect(inside))


def listing(outside: Web, inside: str) -> str:
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{inside}\n#EXT-X-ENDLIST\n"
    kind = "application/vnd.apple.mpegurl"
    return outside.serve("/list.m3u8", lambda asked: asked.say(200, text.encode(), Content_Type=kind))


WAYS = [playing, redirecting_media, redirecting_page, listing]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", [INSIDE, "inside.example"])
def test_no_way_leads_inside(
    tmp_path: Path,
    outside: Web,
    inside: Web,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[Web, str], str],
    host: str,
) -> None:
    names(monkeypatch, *[("inside.example", INSIDE)] * 9)
    link = way(outside, f"http://{host}:{inside.server_port}/secret.mp3")
    with pytest.raises(DownloadError, match=f"The host {host} is at {INSIDE}") as caught:
        fetched(link, tmp_path)
    assert caught.value.kind == "private_address"
    assert "private_addresses" in caught.value.remedy
    assert not caught.value.retryable
    assert outside.seen
    assert inside.seen == []


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_gone_where_that_is_allowed(
    tmp_path: Path, outside: Web, inside: Web, way: Callable[[Web, str], str]
) -> None:
    """So that the refusals above are for the address, and for nothing else."""
    link = way(outside, f"{inside.url}/secret.mp3")
    assert fetched(link, tmp_path, Limits(10_000_000, 5.0, allow_private=True)).stat().st_size
    assert inside.requests("/secret.mp3")


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.2/secret.mp3"])
def test_a_redirect_leads_to_the_web_only(tmp_path: Path, outside: Web, location: str) -> None:
    link = outside.serve("/watch", page(outside.serve("/song.mp3", redirect(location))))
    with pytest.raises(DownloadError) as caught:
        fetched(link, tmp_path)
    assert caught.value.kind in ("forbidden_scheme", "unavailable")
    assert not any(file.is_file() for file in (tmp_path / "tools").glob("audio.*") if file.suffix != ".json")


def test_a_name_is_resolved_once_and_its_address_connected_to(
    tmp_path: Path, outside: Web, inside: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second answer, which would lead inside, is not asked for."""
    media = outside.serve("/song.mp3", file_answer(tone(), kind="audio/mpeg"))
    link = outside.serve("/watch", page(media)).replace(OUTSIDE, "changing.example")
    asked = names(monkeypatch, ("changing.example", OUTSIDE), ("changing.example", INSIDE))
    assert fetched(link, tmp_path).stat().st_size
    assert asked == ["changing.example"]
    assert inside.seen == []


def test_a_person_s_proxy_keeps_its_meaning(
    tmp_path: Path, outside: Web, inside: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a link to a file: what it connects to could not be checked."""
    media = outside.serve("/song.mp3", file_answer(tone(), kind="audio/mpeg"))
    link = outside.serve("/watch", page(media))
    monkeypatch.setenv("HTTP_PROXY", inside.url)
    with pytest.raises(DownloadError, match="through a proxy") as caught:
        fetched(link, tmp_path)
    assert caught.value.kind == "proxy"
    monkeypatch.setenv("NO_PROXY", OUTSIDE)
    assert fetched(link, tmp_path).stat().st_size
    assert inside.seen == []


# -- spotdl, the real one -------------------------------------------------------------------------------

needs_spotdl = pytest.mark.skipif(
    importlib.util.find_spec("spotdl") is None,
    reason="spotdl is not installed: pip install 'soundforge_nb[download]' to try it for real",
)
SONG = {
    "spotify_id": "6rqhFgbbKwnb9MLmUQDhG6",
    "title": "The song",
    "artist": "Ada, Bob",
    "album": None,
    "isrc": None,
    "duration_seconds": 1.0,
}


def found(song: dict[str, Any], folder: Path) -> Path:
    return fetch_song(song, "the song", folder / "tools", LIMITS, lambda share, message: None)


@needs_spotdl
def test_the_real_spotdl_is_led_nowhere_inside(tmp_path: Path, outside: Web, inside: Web) -> None:
    """Not even by a page that it was given for the song; where that is outside, it comes."""
    good = outside.serve("/song.mp3", file_answer(tone(), kind="audio/mpeg"))
    assert found(SONG | {"audio_link": good}, tmp_path / "good").suffix == ".m4a"
    link = outside.serve("/moved.mp3", redirect(f"{inside.url}/secret.mp3"))
    with pytest.raises(DownloadError, match=f"The host {INSIDE} is at") as caught:
        found(SONG | {"audio_link": link}, tmp_path)
    assert caught.value.kind == "private_address"
    assert inside.seen == []


@needs_spotdl
def test_the_real_spotdl_without_a_network_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its search begins at YouTube Music, whose name is not found here; its log tells no title."""
    asked: list[str] = []

    def nowhere(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(
        DownloadError, match="The connection to where the song is fetched from broke off"
    ) as told:
        found(SONG, tmp_path)
    assert (told.value.kind, told.value.retryable) == ("connection", True)
    assert "music.youtube.com" in asked
    assert all(host.endswith(("youtube.com", "spotify.com")) for host in asked)


# -- the proxy ------------------------------------------------------------------------------------------


def asked(proxy: CheckedProxy, *lines: str, word: str | None = None, then: bytes = b"") -> bytes:
    """What the proxy answers to a request, to its end."""
    told = base64.b64encode(f"soundforge:{proxy.word if word is None else word}".encode()).decode()
    text = "\r\n".join([*lines, f"Proxy-Authorization: Basic {told}", "", ""])
    with socket.create_connection(("127.0.0.1", proxy.server_address[1]), timeout=20) as client:
        client.sendall(text.encode() + then)
        came = b""
        while piece := client.recv(1 << 16):
            came += piece
        return came


def test_others_of_this_machine_can_t_use_it(proxy: CheckedProxy, outside: Web) -> None:
    assert asked(proxy, f"GET {outside.url}/ HTTP/1.1", word="guessed").startswith(b"HTTP/1.1 407 ")
    assert asked(proxy, "CONNECT 127.0.0.1:443 HTTP/1.1", word="").startswith(b"HTTP/1.1 407 ")
    assert outside.seen == []


def test_a_request_goes_on_without_what_was_for_the_proxy(proxy: CheckedProxy, outside: Web) -> None:
    link = outside.serve("/a", lambda request: request.say(200, b"found"))
    said = asked(proxy, f"GET {link}?b=1 HTTP/1.1", "Host: elsewhere", "Accept: x", "Connection: keep-alive")
    assert said.endswith(b"found")
    ((path, headers),) = outside.seen
    assert path == "/a?b=1"
    assert headers == {"Host": outside.url.removeprefix("http://"), "Accept": "x", "Connection": "close"}


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nA: b\r\n\r\nfound", b"A: b"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nfound", b"A: b"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_an_answer_says_that_its_connection_ends(
    proxy: CheckedProxy, outside: Web, answer: bytes, seen: bytes, pieces: int
) -> None:
    """Whatever the server says: who kept it for the next request would find it closed."""

    def drip(request: Request) -> None:
        for start in range(0, len(answer), pieces):
            request.wfile.write(answer[start : start + pieces])
            request.wfile.flush()

    said = asked(proxy, f"GET {outside.serve('/a', drip)} HTTP/1.1")
    last = said.rpartition(b"HTTP/1.1 ")[2]
    assert last == b"200 OK\r\n" + seen + b"\r\nConnection: close\r\n\r\nfound"
    assert said.startswith(answer[:13])


def test_an_answer_without_an_end_of_its_head_goes_on_as_it_came(proxy: CheckedProxy, outside: Web) -> None:
    for answer in (b"no HTTP at all", b"HTTP/1.1 200 OK\n\nfound", b"", b"x" * 100_000):
        link = outside.serve("/a", lambda request, answer=answer: request.wfile.write(answer))
        assert asked(proxy, f"GET {link} HTTP/1.1") == answer


def test_a_body_goes_on_too_and_nothing_after_it(proxy: CheckedProxy, outside: Web) -> None:
    """A second request on the same connection would be heard by the first one's host."""
    link = outside.serve("/a", lambda request: request.say(200, request.rfile.read(4)))
    said = asked(proxy, f"POST {link} HTTP/1.1", "Content-Length: 4", then=b"body")
    assert said.endswith(b"body")
    said = asked(proxy, f"POST {link} HTTP/1.1", "Content-Length: 4", then=b"bodyGET http://other/ HTTP/1.1")
    assert said == b""
    said = asked(proxy, f"POST {link} HTTP/1.1", "Transfer-Encoding: chunked", then=b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert [path for path, _ in outside.seen].count("/a") <= 2


def test_a_tunnel_leads_to_the_checked_address(proxy: CheckedProxy, outside: Web, inside: Web) -> None:
    link = outside.serve("/a", lambda request: request.say(200, b"found"))
    place = f"{OUTSIDE}:{outside.server_port}"
    request = f"GET /a HTTP/1.1\r\nHost: {link}\r\n\r\n".encode()
    assert asked(proxy, f"CONNECT {place} HTTP/1.1", then=request).endswith(b"found")
    assert proxy.refusal is None
    said = asked(proxy, f"CONNECT {INSIDE}:{inside.server_port} HTTP/1.1", then=request)
    assert said.startswith(b"HTTP/1.1 403 ")
    assert proxy.refusal is not None
    assert proxy.refusal.kind == "private_address"
    assert inside.seen == []


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("GET ftp://127.0.0.1/a HTTP/1.1", b"403"),
        ("GET /a HTTP/1.1", b"403"),
        ("CONNECT 127.0.0.1:0 HTTP/1.1", b"403"),
        ("CONNECT 127.0.0.1:no HTTP/1.1", b"403"),
        ("GET http://127.0.0.1:1/ HTTP/1.1", b"502"),
        ("GET http://nowhere.invalid/ HTTP/1.1", b"502"),
        ("nonsense", b"400"),
    ],
)
def test_what_can_t_be_served_is_answered(proxy: CheckedProxy, target: str, status: bytes) -> None:
    assert asked(proxy, target).split(b" ")[1] == status


def test_no_more_comes_than_may(outside: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that never ends has no length by which it could be refused before."""
    monkeypatch.setattr("soundforge_nb.programs.checked_proxy._BESIDES_BYTES", 0)
    link = outside.serve(
        "/a", lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(99_000))
    )
    with checked_proxy(Limits(50_000, 5.0, allow_private=False), "the page") as proxy:
        assert len(asked(proxy, f"GET {link} HTTP/1.1")) <= 50_000 + (1 << 16)
        assert proxy.refusal is not None
        assert proxy.refusal.kind == "too_big"


def test_a_side_that_keeps_silent_is_not_waited_for(outside: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    link = outside.serve("/a", lambda request: request.rfile.read(1))
    with checked_proxy(Limits(50_000, 0.2, allow_private=False), "the page") as proxy:
        assert asked(proxy, f"GET {link} HTTP/1.1") == b""


# -- past the proxy -------------------------------------------------------------------------------------


STRAYING = """
import socket, sys, urllib.request
address = ({host!r}, {tcp_port})
try:
    socket.create_connection(address)
except OSError as error:
    print("ERROR", error)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
    try:
        datagram.sendto(b"x", address)
    except OSError as error:
        print("ERROR", error)
# What reads its environment gets through.
print(urllib.request.urlopen("http://{host}:{tcp_port}/a").read().decode())
print("in its arguments:", sys.argv)
"""


def test_a_program_can_t_go_past_the_proxy(
    tmp_path: Path, proxy: CheckedProxy, outside: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.serve("/a", lambda request: request.say(200, b"found"))
    (tmp_path / "modules").mkdir()
    module = STRAYING.format(host=OUTSIDE, tcp_port=outside.server_port)
    (tmp_path / "modules" / "straying.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    monkeypatch.setenv("NO_PROXY", "*")
    said = run_tool(["straying", "--one", "two"], tmp_path / "work", proxy)
    assert said.count(f"{REFUSAL}: {OUTSIDE}") == 2
    assert "found" in said
    assert "'--one', 'two'" in said
    assert proxy.word not in said
    assert len(outside.seen) == 1
    assert fault(said, "it").kind == "unchecked"


def test_the_word_is_in_no_command_line(
    tmp_path: Path, proxy: CheckedProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "telling.py").write_text(
        "import os, sys\nprint(open('/proc/self/cmdline').read(), os.environ['HTTPS_PROXY'])"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = run_tool(["telling"], tmp_path / "work", proxy).split(" ")
    assert proxy.word not in words[0]
    assert proxy.word in words[-1]


def test_without_a_proxy_nothing_runs_confined() -> None:
    """A downloader is never started unconfined by mistake."""
    environment = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [sys.executable, "-m", "soundforge_nb.programs.confined", "this"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "https_proxy" in done.stderr
