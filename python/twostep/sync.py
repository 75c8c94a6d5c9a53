"""Sends what an earlier process could not deliver (`twostep sync`), under its old name and in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .batches import halves, on_wire
from .http import Answer, Connection
from .spool import SpoolFile


@dataclass(frozen=True)
class Synced:
    """Batches that were sent, that are still in the file, and why. `status`: of the last answer; 0 = none came."""

    path: Path
    sent: int
    left: int
    problem: str | None
    status: int = 200


def spools(folder: Path) -> Iterator[Path]:
    """All spool files in a folder and below it, oldest first."""
    found = []
    for path in folder.glob("**/*.ndjson"):
        try:
            found.append((path.stat().st_mtime, path))
        except OSError:
            continue  # its process has just delivered it
    yield from (path for _, path in sorted(found))


def sync(path: Path, server_url: str | None = None, token: str | None = None) -> Synced:
    """
    Sends one file and removes it once all of it is stored; what is left stays in it. Raises ValueError, OSError. A file of another
    user's is sent to a server that is named here alone: the one that it names could be there to get the token.
    """
    file = SpoolFile(path, of_anybody=server_url is not None)
    connection = Connection(server_url or str(file.header["server"]), token)
    try:
        return send_file(file, connection)
    finally:
        connection.close()
        file.close()


def send_file(file: SpoolFile, connection: Connection) -> Synced:
    total = len(file.batches)
    run, client = {**file.header["run"], "resume": "allow"}, file.header["client"]
    created = connection.call("POST", "/runs", run)
    if created.status not in (200, 201):
        return Synced(file.path, 0, total, _problem(created), created.status)
    # The server knows what has arrived: of a batch that was under way when the process ended the answer may be missing.
    following = created.document.get("nextSequence")
    # It names the newest clients only: of another one the file knows the number, and what is stored is not stored again.
    first = int(file.header["sequence"])
    number = following.get(client, first) if isinstance(following, dict) else first
    is_renumbered = False
    stored = max(0, min(number - first, total))
    path = f"/runs/{run['runId']}/telemetry"
    for index, batch in enumerate(file.batches[stored:], stored):
        parts = deque([batch])
        while parts:
            answer = connection.call("POST", path, on_wire(client, number, parts[0]))
            if answer.status == 413 and len(smaller := halves(parts[0])) == 2:
                parts.popleft()
                parts.extendleft(reversed(smaller))
            elif (expected := _expected(answer)) is not None and not is_renumbered:
                number, is_renumbered = expected, True
            elif answer.status == 200 and "nextSequence" in answer.document:
                parts.popleft()
                number += 1
            else:
                return Synced(file.path, index, total - index, _problem(answer), answer.status)
    if file.farewell:
        body: dict[str, Any] = {"kind": "finish", "reason": file.farewell}
        connection.call("POST", f"/runs/{run['runId']}/commands", body)
    file.path.unlink(missing_ok=True)
    return Synced(file.path, total, 0, None)


def _expected(answer: Answer) -> int | None:
    """The number from which a server that knows nothing of this client counts."""
    expected = answer.document.get("expectedSequence")
    is_gap = answer.status == 409 and answer.document.get("code") == "sequence-gap"
    return expected if is_gap and type(expected) is int and expected > 0 else None


def _problem(answer: Answer) -> str:
    if answer.status in (0, 200):
        return "the server does not answer"
    return f"{answer.status} {answer.document.get('code', '')}: {answer.document.get('detail', '')}".strip()
