"""Which hosts a link may lead to: names are resolved here, and the address that was checked is connected to.

A name resolved once to be checked and once more to be connected to could give two answers (DNS rebinding);
so a connection is made to the very address that passed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from typing import Any
from urllib.parse import SplitResult
from urllib.request import getproxies_environment, proxy_bypass

from soundforge_nb.errors import DownloadError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CONNECT_SECONDS = 15.0
SocketAddress = tuple[Any, ...]


def is_public(text: str) -> bool:
    """Whether an address belongs to the internet at large; those wrapped in others are unwrapped.

    >>> is_public("93.184.216.34"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, tcp_port: int, allow_private: bool) -> list[tuple[int, SocketAddress]]:
    """The addresses of a host, each with its family, in the order to try them.

    Raises
    ------
    DownloadError
        The name leads nowhere (`unavailable`), or to somewhere private (`private_address`): one such
        address among others is enough.
    """
    try:
        found = socket.getaddrinfo(host, tcp_port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DownloadError(
            f"The host {host} is not found: {error}.",
            "Check the link and the network.",
            kind="unavailable",
            # A network that is away comes back; a misspelt host has its attempts and is done.
            details={"retry": True},
        ) from error
    addresses: list[tuple[int, SocketAddress]] = [(family, address) for family, _, _, _, address in found]
    for _, address in addresses:
        if not allow_private and not is_public(str(address[0])):
            raise DownloadError(
                f"The host {host} is at {address[0]}, an address of this machine or of a local network, "
                "where links are not followed.",
                'Where that is wanted, set private_addresses = "allowed".',
                kind="private_address",
            )
    return addresses


def refuse_proxy(scheme: str, host: str, tcp_port: int) -> None:
    """Refuse a host that this machine reaches through a proxy only.

    What a proxy connects to is its own affair: the address behind a link could not be checked.

    Raises
    ------
    DownloadError
        The environment names a proxy for it.
    """
    proxies = getproxies_environment()
    named = proxies.get(scheme) or proxies.get("all")
    if named and not proxy_bypass(f"{host}:{tcp_port}"):
        variable = f"{scheme if proxies.get(scheme) else 'all'}_proxy".upper()
        raise DownloadError(
            f"The host {host} is reached through a proxy here ({variable}): no link is fetched through one.",
            "Save the file with a program that uses it and add that, or name the host in NO_PROXY.",
            kind="proxy",
        )


def connect_checked(
    scheme: str, host: str, tcp_port: int, *, allow_private: bool, stall_seconds: float
) -> socket.socket:
    """Connect to a host at an address that was checked.

    Parameters
    ----------
    scheme : str
        ``http`` or ``https``: whose proxy this machine might want to be used.
    host : str
    tcp_port : int
    allow_private : bool
    stall_seconds : float
        How long the other side may keep silent.

    Raises
    ------
    DownloadError
        The host is not found, or may not be asked.
    OSError
        Nobody answers there.
    """
    refuse_proxy(scheme, host, tcp_port)
    last: OSError | None = None
    for family, address in resolve(host, tcp_port, allow_private):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(min(_CONNECT_SECONDS, stall_seconds))
        try:
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
        else:
            made.settimeout(stall_seconds)
            return made
    raise last or OSError("no address")


class CheckedConnection(http.client.HTTPConnection):
    """An HTTP(S) connection to an address that was checked.

    Parameters
    ----------
    parts : SplitResult
        Of the link: scheme, host and port count.
    allow_private : bool
    stall_seconds : float
        How long the other side may keep silent.
    """

    def __init__(self, parts: SplitResult, *, allow_private: bool, stall_seconds: float) -> None:
        self._secure = parts.scheme == "https"
        tcp_port = parts.port or (443 if self._secure else 80)
        assert parts.hostname is not None
        super().__init__(parts.hostname, tcp_port)
        self._allow_private = allow_private
        self._stall_seconds = stall_seconds
        # What `http.client` leaves out of the Host header.
        self.default_port = 443 if self._secure else 80

    def connect(self) -> None:
        raw = connect_checked(
            "https" if self._secure else "http",
            self.host,
            self.port,
            allow_private=self._allow_private,
            stall_seconds=self._stall_seconds,
        )
        self.sock = _context().wrap_socket(raw, server_hostname=self.host) if self._secure else raw


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        # Systems without certificates of their own: those of the package that everyone else uses.
        import certifi

        context.load_verify_locations(certifi.where())
    return context
