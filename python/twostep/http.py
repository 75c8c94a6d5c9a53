"""One connection to the server, kept open. Never raises: no answer is status 0."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ._version import __version__

GZIP_FROM = 32_768
ANSWER_BYTES_MAX = 16 * 1024 * 1024
RETRY_AFTER_MAX = 300.0
"""Longer pauses than this are not believed."""


@dataclass(frozen=True)
class Answer:
    """Status (0 = none came), document ({} if it was none), and the seconds after which to ask again."""

    status: int
    document: dict[str, Any]
    retry_after: float = 0.0


class Connection:
    """Requests to one server, one at a time."""

    def __init__(self, server_url: str, token: str | None, timeout: float = 10.0) -> None:
        parts = urlsplit(server_url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._base = parts.path.rstrip("/") + "/api/v1"
        self._is_secure = parts.scheme == "https"
        self._timeout = timeout
        self._headers = {"User-Agent": f"twostep-python/{__version__}", "Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._open: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, seconds: float | None = None
    ) -> Answer:
        """`seconds`: how long to wait for the whole answer, if less than usual."""
        limit = max(0.05, self._timeout if seconds is None else min(seconds, self._timeout))
        until = time.monotonic() + limit
        # A connection that was kept open may have been closed by the server meanwhile: then once more on a new one.
        for is_fresh in (self._open is None, True):
            try:
                data, headers = self._encoded(body)
                connection = self._connected(limit)
                connection.request(method, self._base + path, data, headers)
                response = connection.getresponse()
                return _answer_of(response, _read(response, until))
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if is_fresh:
                    break
            except (OSError, http.client.HTTPException, ValueError, OverflowError):
                self.close()
                break
        return Answer(0, {})

    def _encoded(self, body: dict[str, Any] | None) -> tuple[bytes | None, dict[str, str]]:
        if body is None:
            return None, self._headers
        data = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        if len(data) < GZIP_FROM:
            return data, self._headers
        return gzip.compress(data, 1, mtime=0), {**self._headers, "Content-Encoding": "gzip"}

    def _connected(self, limit: float) -> http.client.HTTPConnection:
        if self._open is None:
            kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
            self._open = kind(self._host, self._port, timeout=limit)
        elif self._open.sock is not None:
            self._open.sock.settimeout(limit)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    """The body, if it ends within bounds of size and time: each piece may come in time, and the whole never end."""
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65_536):
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES_MAX or time.monotonic() > until:
            raise ValueError("the answer does not end")
    if response.length:
        raise ValueError("the answer was cut off")
    response.close()
    return b"".join(parts)


def _answer_of(response: http.client.HTTPResponse, text: bytes) -> Answer:
    wait = response.headers.get("Retry-After", "")
    after = min(float(wait), RETRY_AFTER_MAX) if wait.isascii() and wait.isdigit() else 0.0
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return Answer(response.status, document, after)
    # What is no document is no answer of ours, whatever its status says.
    return Answer(0 if response.status < 300 else response.status, {}, after)
