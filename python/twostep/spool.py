"""What could not be delivered yet, in order: some in memory, the rest in a file. Bounded; what finds no room is counted.

A spool file belongs to one client of one run. Its first line says which, the others are batches:
{"client": …, "sequence": n, "server": …, "run": {…}} and {"steps": {…}, "probes": […], "acknowledgements": […]}.
`sequence` is that of the first batch in the file, so that one that the server may have stored already is not stored twice.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Any

Batch = dict[str, Any]

MEMORY_BATCHES = 256
FILE_BYTES = 512 * 1024 * 1024


class Outbox:
    """Batches in the order in which they were sealed. Only one thread may use it."""

    def __init__(self, path: Path, memory: int = MEMORY_BATCHES, file_bytes: int = FILE_BYTES) -> None:
        self._memory: deque[Batch] = deque()
        self._path = path
        self._limit = memory
        self._file_bytes = file_bytes
        self._written = 0
        self._read = 0
        self._waiting = 0
        self.dropped_steps = 0
        """Steps for which there was no room."""

    def __len__(self) -> int:
        return len(self._memory) + self._waiting

    def add(self, batch: Batch) -> None:
        """Keeps a batch: in memory, else in the file, else not at all: then its steps are counted as dropped."""
        if self._waiting == 0 and len(self._memory) < self._limit:
            self._memory.append(batch)
            return
        line = json.dumps(batch, allow_nan=False).encode() + b"\n"
        if self._written + len(line) > self._file_bytes or not self._append(line):
            self.dropped_steps += len(batch.get("steps", {}).get("step", ()))
            return
        self._written += len(line)
        self._waiting += 1

    def _append(self, line: bytes) -> bool:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.seek(self._written)
                file.truncate()
                file.write(line)
            return True
        except OSError:
            return False

    def first(self) -> Batch | None:
        """The oldest batch, which stays until `done`."""
        if not self._memory:
            self._refill()
        return self._memory[0] if self._memory else None

    def done(self) -> None:
        """The oldest batch has been delivered."""
        self._memory.popleft()

    def replace(self, batches: list[Batch]) -> None:
        """Other batches in place of the oldest: it was too large."""
        self._memory.popleft()
        self._memory.extendleft(reversed(batches))

    def _refill(self) -> None:
        if self._waiting == 0:
            return
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                while self._waiting and len(self._memory) < self._limit:
                    line = file.readline()
                    self._read += len(line)
                    self._waiting -= 1
                    self._memory.append(json.loads(line))
        except (OSError, ValueError):
            # Gone or damaged: what it held cannot be told from here.
            self._waiting = 0
        if self._waiting == 0:
            self._written = self._read = 0
            self._path.unlink(missing_ok=True)

    def save(self, path: Path, header: Batch) -> int:
        """Writes all there is for `twostep sync`; answers the number of batches. Raises OSError, e.g. on a full disk."""
        count = len(self)
        if count == 0:
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        with partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps(header) + "\n")
            while (batch := self.first()) is not None:
                file.write(json.dumps(batch, allow_nan=False) + "\n")
                self.done()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return count


def read_spool(path: Path) -> tuple[Batch, list[Batch]]:
    """Header and batches of a file; a last line that was cut off is left out. Raises ValueError where it is no spool."""
    with path.open(encoding="utf-8") as file:
        lines = file.read().split("\n")
    header = json.loads(lines[0])
    if not isinstance(header, dict) or not {"client", "sequence", "server", "run"} <= header.keys():
        raise ValueError(f"{path} is no spool: its first line must hold client, sequence, server and run")
    batches = []
    for line in lines[1:]:
        try:
            batches.append(json.loads(line))
        except ValueError:
            break
    return header, batches
