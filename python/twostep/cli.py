"""`twostep` on the command line, where the Python package is installed: `twostep sync`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ._version import __version__
from .settings import SettingError, read_settings
from .sync import spools, sync


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 something is left or failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="twostep", description="Client of Twostep, the learning-rate autopilot."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sync", help="send what a run could not deliver")
    command.add_argument(
        "path", nargs="?", type=Path, help="a spool file or folder (default: TWOSTEP_SPOOL_DIR)"
    )
    command.add_argument("--server", help="another server than the one that the run was meant for")
    command.add_argument("--token", help="default: TWOSTEP_TOKEN")
    command.add_argument("--json", action="store_true", help="one line of JSON a file")
    given = parser.parse_args(arguments)
    try:
        settings = read_settings(server_url=given.server, token=given.token)
    except SettingError as error:
        parser.error(str(error))
    path: Path = given.path or settings.spool
    files = [path] if path.is_file() else list(spools(path)) if path.is_dir() else []
    if not files:
        print(f"nothing to send in {path}", file=sys.stderr)
        return 0
    status = 0
    for file in files:
        try:
            done = sync(file, given.server, settings.token)
        except (OSError, ValueError) as error:
            status = 1
            print(f"{file}: {error}", file=sys.stderr)
            continue
        if given.json:
            print(
                json.dumps({"path": str(file), "sent": done.sent, "left": done.left, "problem": done.problem})
            )
        elif done.problem is None:
            print(f"{file}: {done.sent} batches sent")
        else:
            print(f"{file}: {done.sent} batches sent, {done.left} left: {done.problem}", file=sys.stderr)
        status = status or (0 if done.problem is None else 1)
    return status


if __name__ == "__main__":
    sys.exit(main())
