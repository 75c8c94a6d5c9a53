"""Sends what an earlier process could not deliver (`twostep sync`), under its old name and in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .http import Answer, Connection
from .reporter import EVENTS
from .spool import Batch, read_spool


@dataclass(frozen=True)
class Synced:
    """`left` = batches that are still in the file, and why."""

    path: Path
    sent: int
    left: int
    problem: str | None


def spools(folder: Path) -> Iterator[Path]:
    """All spool files in a folder and below it, oldest first."""
    yield from sorted(folder.glob("**/*.ndjson"), key=lambda path: path.stat().st_mtime)


def sync(path: Path, server_url: str | None = None, token: str | None = None) -> Synced:
    """Sends one file and removes it once all of it is stored; what is left stays in it. Raises ValueError, OSError."""
    header, batches = read_spool(path)
    connection = Connection(server_url or str(header["server"]), token)
    try:
        return _sent(path, header, batches, connection)
    finally:
        connection.close()


def _sent(path: Path, header: Batch, batches: list[Batch], connection: Connection) -> Synced:
    run = {**header["run"], "resume": "allow"}
    created = connection.call("POST", "/runs", run)
    if created.status not in (200, 201):
        return Synced(path, 0, len(batches), _problem(created))
    # The server knows what has arrived: of a batch that was under way when the process ended the answer may be missing.
    following = created.document.get("nextSequence")
    known = following.get(header["client"], 1) if isinstance(following, dict) else 1
    stored = max(0, min(known - int(header["sequence"]), len(batches)))
    for index, batch in enumerate(batches[stored:], stored):
        body: dict[str, Any] = {
            "clientId": header["client"],
            "sequence": int(header["sequence"]) + index,
            **batch,
        }
        body.pop(EVENTS, None)
        answer = connection.call("POST", f"/runs/{run['runId']}/telemetry", body)
        if answer.status != 200:
            return Synced(path, index, len(batches) - index, _problem(answer))
    if header.get("farewell"):
        body = {"kind": "finish", "reason": header["farewell"]}
        connection.call("POST", f"/runs/{run['runId']}/commands", body)
    path.unlink()
    return Synced(path, len(batches), 0, None)


def _problem(answer: Answer) -> str:
    if answer.status == 0:
        return "the server does not answer"
    return f"{answer.status} {answer.document.get('code', '')}: {answer.document.get('detail', '')}".strip()
