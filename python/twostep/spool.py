"""What could not be delivered yet, in order: in memory while the server answers, else in a file. Bounded.

A spool file belongs to one client of one run, and is whole at every moment: a job that is killed leaves it to
`twostep sync`, or to the next process of its run. Its first line says whose it is, each other line is a batch:
{"client": …, "sequence": n, "server": …, "run": {…}} and {"steps": {…}, "probes": […], "acknowledgements": […]}.
`sequence` is that of the first batch in the file, so that one that the server has stored already is not sent as another.
A line {"farewell": …} says why the job ended. While a process writes the file it holds a lock on it.

The folder may lie where others can write, as below /tmp: what is made there is readable for its owner alone, nothing that is
there already is written to, and what another user has left is sent only where a person names it (`sync.py`).
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows: no lock, so two that send the same file at once are not kept apart there
    fcntl = None  # type: ignore[assignment]

Batch = dict[str, Any]

MEMORY_BATCHES = 64
FILE_BYTES = 512 * 1024 * 1024


class Outbox:
    """Batches in the order in which they were sealed. Only one thread may use it at a time."""

    def __init__(
        self,
        path: Path,
        header: Callable[[], Batch],
        memory: int = MEMORY_BATCHES,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self.path = path
        self._header = header
        self._memory: deque[Batch] = deque()
        """Without a file all batches; beside one only the oldest, read from it or put in its place."""
        self._limit = memory
        self._file_bytes = file_bytes
        self._file: IO[bytes] | None = None
        self._written = 0
        self._read = 0
        self._waiting = 0
        self.dropped_steps = 0
        """Steps for which there was no room."""
        self.problem: OSError | None = None
        """Why the file could not be written."""

    def __len__(self) -> int:
        return len(self._memory) + self._waiting

    @property
    def is_on_disk(self) -> bool:
        return self._file is not None

    def add(self, batch: Batch) -> None:
        """Keeps a batch: in memory, else in the file, else not at all: then its steps are counted as dropped."""
        if self._file is None and len(self._memory) >= self._limit:
            self.persist()
        if self._file is None:
            if len(self._memory) < self._limit:
                self._memory.append(batch)
                return
        elif self._append(batch):
            self._waiting += 1
            return
        self.dropped_steps += len(batch.get("steps", {}).get("step", ()))

    def persist(self) -> bool:
        """Moves all there is into the file, where whatever is added goes from now on. False if it cannot be written."""
        if self._file is not None:
            return True
        try:
            _make_folder(self.path.parent)
            self._file = _new_file(self.path)
            _lock(self._file)
        except OSError as error:
            self.problem = error
            return False
        self._written = self._read = 0
        is_whole = self._append(self._header())
        self._read = self._written
        if not (is_whole and all(self._append(batch) for batch in self._memory)):
            self._remove()
            return False
        self._waiting = len(self._memory)
        self._memory.clear()
        return True

    def _append(self, entry: Batch) -> bool:
        assert self._file is not None
        line = json.dumps(entry, allow_nan=False).encode() + b"\n"
        if self._written + len(line) > self._file_bytes:
            self.problem = OSError(f"{self.path} would hold more than {self._file_bytes} bytes")
            return False
        try:
            self._file.seek(self._written)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self.problem = error
            self._cut()
            return False
        self._written += len(line)
        return True

    def _cut(self) -> None:
        """A line that found no room is taken away again, so that the next one does not follow half of it."""
        try:
            assert self._file is not None
            self._file.seek(self._written)
            self._file.truncate()
        except OSError:
            pass  # readers leave out what is no line

    def first(self) -> Batch | None:
        """The oldest batch, which stays until `done`."""
        if not self._memory and self._waiting > 0 and self._file is not None:
            try:
                self._file.seek(self._read)
                line = self._file.readline()
                self._memory.append(json.loads(line))
                self._read += len(line)
                self._waiting -= 1
            except (OSError, ValueError) as error:
                self.problem = error if isinstance(error, OSError) else OSError(str(error))
                self._waiting = 0
                self._remove()
        return self._memory[0] if self._memory else None

    def done(self) -> None:
        """The oldest batch has been delivered. It may have been moved into the file meanwhile."""
        if self.first() is not None:
            self._memory.popleft()
        if self._file is not None and not self._memory and self._waiting == 0:
            self._remove()

    def replace(self, batches: list[Batch]) -> None:
        """Other batches in place of the oldest: it was too large."""
        if self.first() is not None:
            self._memory.popleft()
        self._memory.extendleft(reversed(batches))
        self.renumber()

    def renumber(self) -> None:
        """The file was written for other numbers, another name or other batches: writes it anew."""
        if self._file is None:
            return
        batches: list[Batch] = []
        while (batch := self.first()) is not None:
            batches.append(batch)
            self._memory.popleft()
        self._remove()
        self._memory.extend(batches)
        self.persist()

    def leave(self, farewell: str | None) -> int:
        """At the end: all that is left into the file; answers the number of batches. Raises OSError."""
        count = len(self)
        if count == 0:
            self._remove()
            return 0
        if not self.persist():
            raise self.problem or OSError(f"{self.path} cannot be written")
        if farewell:
            self._append({"farewell": farewell})
        assert self._file is not None
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
            self._file = None
        return count

    def _remove(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self.problem = error


def _make_folder(folder: Path) -> None:
    """With those above it; each that is made is its owner's alone."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _new_file(path: Path) -> IO[bytes]:
    """Made anew, so that it is no link that somebody laid to a file of ours, nor a file that somebody else holds open."""
    path.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w+b")


def _lock(file: IO[bytes]) -> bool:
    """False where another process holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True


class SpoolFile:
    """
    A file that a process has left behind, held while it is sent. Raises ValueError where it is no spool, or another user's and
    `of_anybody` does not say that this is right; OSError.
    """

    def __init__(self, path: Path, of_anybody: bool = False) -> None:
        self.path = path
        self._file = path.open("rb")
        try:
            self.is_own = not hasattr(os, "geteuid") or os.fstat(self._file.fileno()).st_uid == os.geteuid()
            if not (self.is_own or of_anybody):
                raise ValueError(f"{path} is another user's: `twostep sync {path} --server URL` sends it")
            if not _lock(self._file):
                raise ValueError(f"{path} is being written or sent by a process that is running")
            lines = self._file.read().split(b"\n")
            self.header = _header(path, lines[0])
            self.farewell: str | None = None
            self.batches: list[Batch] = []
            for line in lines[1:]:
                entry = _entry(line)
                if entry is None:
                    break
                if "farewell" in entry:
                    self.farewell = str(entry["farewell"])
                else:
                    self.batches.append(entry)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()


def _header(path: Path, line: bytes) -> Batch:
    header = _entry(line)
    if header is None or not {"client", "sequence", "server", "run"} <= header.keys():
        raise ValueError(f"{path} is no spool: its first line must hold client, sequence, server and run")
    return header


def _entry(line: bytes) -> Batch | None:
    """A line; None where it was cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
