"""Links lead to the internet at large only, whatever a name resolves to and however often it is asked."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from web import web_server

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs.addresses import CheckedConnection, is_public, resolve


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        # Addresses that are another one in disguise.
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136::1"),
    ],
)
def test_private_addresses_are_told(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_ones_too(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "::1"])
def test_a_host_on_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(DownloadError, match=r"of this machine or of a local network") as caught:
        resolve(host, 80, allow_private=False)
    assert caught.value.kind == "private_address"
    assert "private_addresses" in caught.value.remedy
    assert not caught.value.retryable


def answers(*addresses: str) -> Any:
    """A resolver that gives the next of these at each question."""
    left = list(addresses)

    def getaddrinfo(host: str, tcp_port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0), tcp_port))]

    return getaddrinfo


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(2, 1, 6, "", ("1.1.1.1", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(DownloadError, match=r"10\.0\.0\.1"):
        resolve("two.example", 80, allow_private=False)


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is checked and private when it is connected to gains nothing."""
    connected: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answers("1.1.1.1", "127.0.0.1"))
    monkeypatch.setattr(socket.socket, "connect", connect)
    connection = CheckedConnection(
        urlsplit("http://rebinding.example/"), allow_private=False, stall_seconds=1.0
    )
    with pytest.raises(ConnectionRefusedError):
        connection.connect()
    assert connected == [("1.1.1.1", 80)]


def test_a_name_that_is_not_there_may_come_back() -> None:
    with pytest.raises(DownloadError, match=r"nowhere\.invalid is not found") as caught:
        resolve("nowhere.invalid", 80, allow_private=False)
    assert caught.value.retryable


def test_a_secure_connection_wants_a_certificate() -> None:
    with web_server() as web:
        connection = CheckedConnection(
            urlsplit(web.url.replace("http:", "https:")), allow_private=True, stall_seconds=5.0
        )
        with pytest.raises(OSError):
            connection.request("GET", "/")
        connection.close()
