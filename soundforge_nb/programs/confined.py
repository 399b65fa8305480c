"""Runs a Python module that may connect to nothing but the proxy its environment names.

Whatever way it would take past the proxy (a library that reads no environment, a protocol that knows no
proxies), the interpreter itself refuses the connection; what it once watches for can't be taken back::

    python -m soundforge_nb.programs.confined yt_dlp --batch-file -
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any
from urllib.parse import urlsplit

#: How the refusal begins, for who reads the program's log.
REFUSAL = "no connection past the checked proxy"
_CONNECTING = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))


def confine(host: str, tcp_port: int) -> None:
    """Let this process connect to one address on the network only, from now on."""

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTING:
            address = arguments[1]
            # None: it is connected already. Text and bytes: a socket in the file system.
            if isinstance(address, tuple) and address[:2] != (host, tcp_port):
                raise PermissionError(f"{REFUSAL}: {address[0]}")

    sys.addaudithook(watch)


def main() -> None:
    proxy = urlsplit(os.environ["https_proxy"])
    assert proxy.hostname is not None
    assert proxy.port is not None
    confine(proxy.hostname, proxy.port)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
