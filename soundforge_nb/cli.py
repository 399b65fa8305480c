"""`soundforge`: the same calls from a shell."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soundforge")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve")
    parser.parse_args(argv)
    from soundforge_nb import config
    from soundforge_nb.application.serve import AlreadyServed, serve
    from soundforge_nb.cluster.launch import ALREADY_SERVED_STATUS

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(serve(config.load()))
    except AlreadyServed:
        return ALREADY_SERVED_STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
