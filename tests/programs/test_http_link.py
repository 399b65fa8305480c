"""Fetching a link: resumed after a break, refused where it leads astray, bounded in size and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from web import Request, Web, file_answer, web_server

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs.http_link import Fetched, Limits, fetch
from soundforge_nb.programs.partial import open_partial

THEN, LATER = "08:49:37", "08:50:37"
CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as made:
        yield made


class Downloads:
    """Fetches into one partial file, as the attempts of a job do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shares: list[float] = []

    def fetch(self, link: str, max_bytes: int = 10_000_000, private: bool = True) -> Fetched:
        limits = Limits(max_bytes, stall_seconds=0.5, allow_private=private)
        with open_partial(self.folder, "one") as partial:
            return fetch(link, "the link", partial, limits, lambda share, _: self.shares.append(share))

    @property
    def content(self) -> bytes:
        file = self.folder / "one.part"
        return file.read_bytes() if file.exists() else b""


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "partial")


def refused(downloads: Downloads, link: str, **options: int | bool) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        downloads.fetch(link, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_is_fetched_with_its_progress(web: Web, downloads: Downloads) -> None:
    fetched = downloads.fetch(web.serve("/a%20song.wav", file_answer(CONTENT)))
    assert downloads.content == CONTENT
    assert fetched == Fetched(("a song.wav",), "audio/wav")
    assert downloads.shares[-1] == 1.0
    assert downloads.shares == sorted(downloads.shares)
    assert len(downloads.shares) > 3


def test_an_attempt_goes_on_where_the_last_one_ended(web: Web, downloads: Downloads) -> None:
    """Within an attempt after a break, and over attempts: every byte comes once."""
    link = web.serve("/song.wav", file_answer(CONTENT, upto=100_000))
    downloads.fetch(link)
    assert downloads.content == CONTENT
    ranges = [headers.get("Range") for _, headers in web.seen]
    assert ranges == [None, "bytes=100000-"]
    downloads.fetch(link)
    assert downloads.content == CONTENT
    assert [headers.get("Range") for _, headers in web.seen[2:]] == [f"bytes={len(CONTENT)}-"]


def test_another_version_is_begun_anew(web: Web, downloads: Downloads) -> None:
    def first(request: Request) -> None:
        web.serve("/song.wav", file_answer(CONTENT[::-1], etag='"two"'))
        file_answer(CONTENT, upto=100_000)(request)

    downloads.fetch(web.serve("/song.wav", first))
    assert downloads.content == CONTENT[::-1]


def test_without_a_mark_nothing_is_resumed(web: Web, downloads: Downloads) -> None:
    def first(request: Request) -> None:
        web.serve("/song.wav", file_answer(CONTENT, etag='W/"weak"'))
        file_answer(CONTENT, etag='W/"weak"', upto=1000)(request)

    downloads.fetch(web.serve("/song.wav", first))
    assert downloads.content == CONTENT
    assert [headers.get("Range") for _, headers in web.seen] == [None, None]


@pytest.mark.parametrize("span", ["bytes 5-10/11", "nonsense", "bytes 0-1/*"])
def test_a_wrong_range_is_not_glued_on(web: Web, downloads: Downloads, span: str) -> None:
    def answer(request: Request) -> None:
        if "Range" in request.headers:
            request.say(206, b"glued on", Content_Range=span)
        else:
            file_answer(CONTENT, upto=1000)(request)

    error = refused(downloads, web.serve("/song.wav", answer))
    assert b"glued" not in downloads.content
    assert error.kind in ("connection", "unavailable")


def test_a_server_that_always_breaks_off_ends_the_attempt(web: Web, downloads: Downloads) -> None:
    error = refused(downloads, web.serve("/song.wav", file_answer(CONTENT, etag="", upto=0)))
    assert (error.kind, error.retryable) == ("connection", True)
    assert len(web.seen) == 3


def test_a_silent_server_is_not_waited_for_long(web: Web, downloads: Downloads) -> None:
    def answer(request: Request) -> None:
        request.say(200, b"some", Content_Length="1000", Content_Type="audio/wav")
        request.wfile.flush()
        request.connection.settimeout(20)
        request.rfile.read(1)

    started = time.monotonic()
    assert refused(downloads, web.serve("/song.wav", answer)).retryable
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("said", [True, False])
def test_a_file_beyond_the_limit_is_refused(web: Web, downloads: Downloads, said: bool) -> None:
    def endless(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(CONTENT)

    link = web.serve("/big.wav", file_answer(CONTENT) if said else endless)
    error = refused(downloads, link, max_bytes=100_000)
    assert (error.kind, error.retryable) == ("too_big", False)
    assert len(downloads.content) <= 100_000


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (401, "sign_in", False),
        (403, "sign_in", False),
        (404, "unavailable", False),
        (410, "unavailable", False),
        (429, "rate_limited", True),
        (500, "unavailable", True),
        (503, "unavailable", True),
        (204, "unavailable", False),
    ],
)
def test_answers_without_content_are_typed(
    web: Web, downloads: Downloads, status: int, kind: str, retry: bool
) -> None:
    error = refused(downloads, web.serve("/song.wav", lambda request: request.say(status)))
    assert (error.kind, error.retryable) == (kind, retry)
    assert f"the server answered {status}" in str(error)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry_After": "7"}, 7.0),
        (503, {"Retry_After": "90"}, 90.0),
        (
            429,
            {"Retry_After": "Sun, 06 Nov 1994 08:50:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"},
            60.0,
        ),
        (429, {"Retry_After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 1.0),
        (429, {"Retry_After": "soon"}, 0.0),
        (429, {"Retry_After": "-5"}, 0.0),
        (429, {}, 0.0),
    ],
)
def test_a_server_says_how_long_it_wants_to_be_left_alone(
    web: Web, downloads: Downloads, status: int, headers: dict[str, str], seconds: float
) -> None:
    def answer(request: Request) -> None:
        # Without the server's own Date, so that the one that is given is alone.
        request.send_response_only(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()

    error = refused(downloads, web.serve("/song.wav", answer))
    assert (error.kind, error.details["wait_seconds"]) == ("rate_limited", seconds)


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 403 secret\r\n\r\n", b"HTTP/1.1 500 secret\r\n\r\n", b"secret\r\n\r\n", b"\r\n"]
)
def test_the_other_side_s_words_are_not_repeated(web: Web, downloads: Downloads, line: bytes) -> None:
    """They may hold the link, with its key."""
    link = web.serve("/song.wav", lambda request: request.wfile.write(line))
    assert "secret" not in str(refused(downloads, f"{link}?key=secret"))


@pytest.mark.parametrize("key", ["secret\0", "secret\n", "secret\ud800", "%zz secret ü"])
def test_no_redirect_s_key_is_repeated(web: Web, downloads: Downloads, key: str) -> None:
    parts = key.encode("utf-8", "surrogatepass")

    def answer(request: Request) -> None:
        request.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/a?" + parts + b"\r\n\r\n")

    assert "secret" not in str(refused(downloads, web.serve("/song.wav", answer)))


def test_a_proxy_is_refused_with_a_sentence(
    web: Web, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the host is one of those that are reached without it."""
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    link = web.serve("/song.wav", file_answer(CONTENT))
    monkeypatch.setenv("http_proxy", "http://ann:secret@proxy:3128")
    error = refused(downloads, link)
    assert (error.kind, error.retryable) == ("proxy", False)
    assert "(HTTP_PROXY)" in str(error)
    assert "secret" not in str(error)
    assert web.seen == []
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    downloads.fetch(link)
    assert downloads.content == CONTENT


def test_a_web_page_is_no_song(web: Web, downloads: Downloads) -> None:
    link = web.serve("/watch", file_answer(b"<html>", kind="text/html"))
    assert refused(downloads, link).kind == "web_page"
    assert list(downloads.folder.iterdir()) == []


def redirect(target: str) -> object:
    return lambda request: request.say(302, Location=target)


def test_redirects_are_followed_and_name_the_file(web: Web, downloads: Downloads) -> None:
    def answer(request: Request) -> None:
        request.say(200, CONTENT, Content_Disposition='attachment; filename="Said.flac"')

    web.serve("/c", answer)
    web.serve("/b x", redirect("../c"))  # type: ignore[arg-type]
    web.serve("/b%20x", redirect("../c"))  # type: ignore[arg-type]
    fetched = downloads.fetch(web.serve("/a.mp3", redirect("/b x")))  # type: ignore[arg-type]
    assert fetched.names == ("Said.flac", "c", "b x", "a.mp3")
    assert downloads.content == CONTENT


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("file:///etc/passwd", "forbidden_scheme"),
        ("FILE:/etc/passwd", "forbidden_scheme"),
        ("ftp://host/a.mp3", "forbidden_scheme"),
        ("gopher://127.0.0.1:70/", "forbidden_scheme"),
        ("data:audio/wav;base64,AAAA", "forbidden_scheme"),
        ("http://[::1", "forbidden_scheme"),
        ("http:", "unavailable"),
        ("/again", "unavailable"),
        ("", "unavailable"),
    ],
)
def test_a_redirect_that_leads_astray_is_refused(
    web: Web, downloads: Downloads, target: str, kind: str
) -> None:
    web.serve("/again", redirect("/again"))  # type: ignore[arg-type]
    error = refused(downloads, web.serve("/a.mp3", redirect(target)))  # type: ignore[arg-type]
    assert (error.kind, error.retryable) == (kind, False)
    assert downloads.content == b""


def test_each_hop_is_checked(web: Web, downloads: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a host that counts as public, a redirect leads to one that does not."""
    from soundforge_nb.programs import addresses

    monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.1")
    web.serve("/inner.wav", file_answer(CONTENT))
    inner = f"http://127.0.0.2:{web.server_port}/inner.wav"
    error = refused(downloads, web.serve("/a.mp3", redirect(inner)), private=False)  # type: ignore[arg-type]
    assert error.kind == "private_address"
    assert [path for path, _ in web.seen] == ["/a.mp3"]


def test_one_process_at_a_time_writes_to_a_partial_file(tmp_path: Path) -> None:
    with (
        open_partial(tmp_path, "one"),
        pytest.raises(DownloadError, match="by another job") as caught,
        open_partial(tmp_path, "one"),
    ):
        pass
    assert caught.value.retryable


def test_a_partial_file_is_no_way_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "one.part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), open_partial(tmp_path, "one"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"
