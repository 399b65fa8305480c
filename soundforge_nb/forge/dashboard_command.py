"""The subcommand `soundforge dashboard`."""

from __future__ import annotations

import argparse
import json

from soundforge_nb import config as configuration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="let nobody cancel, retry or steer anything")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    parser.add_argument(
        "--port", type=int, metavar="N", help="TCP port on this machine (8866, else a free one)"
    )
    parser.add_argument("--theme", choices=("light", "dark"), default="light")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    from soundforge_nb.forge.dashboard_page import open_in_browser, serve_page

    def ready(address: str) -> None:
        told = f"The dashboard is at {address}\nStop it with Ctrl-C; the jobs go on."
        print(json.dumps({"address": address}) if arguments.json else told, flush=True)
        if not arguments.no_browser:
            open_in_browser(address)

    serve_page(
        configuration.load(arguments.data_folder),
        read_only=arguments.read_only,
        theme=arguments.theme,
        tcp_port=arguments.port,
        ready=ready,
    )
    return 0
