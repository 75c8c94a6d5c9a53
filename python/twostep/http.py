"""One connection to the server, kept open. Never raises: no answer is status 0."""

from __future__ import annotations

import gzip
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ._version import __version__

GZIP_FROM = 32_768
ANSWER_BYTES_MAX = 16 * 1024 * 1024


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

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        data = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        headers = dict(self._headers)
        if data is not None and len(data) >= GZIP_FROM:
            data = gzip.compress(data, 1)
            headers["Content-Encoding"] = "gzip"
        # A connection that was kept open may have been closed by the server meanwhile: then once more on a new one.
        for is_fresh in (self._open is None, True):
            try:
                if self._open is None:
                    kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
                    self._open = kind(self._host, self._port, timeout=self._timeout)
                self._open.request(method, self._base + path, data, headers)
                response = self._open.getresponse()
                return _answer_of(response, response.read(ANSWER_BYTES_MAX + 1))
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if is_fresh:
                    break
            except (OSError, http.client.HTTPException, ValueError):
                self.close()
                break
        return Answer(0, {})

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _answer_of(response: http.client.HTTPResponse, text: bytes) -> Answer:
    wait = response.headers.get("Retry-After", "")
    after = float(wait) if wait.isdigit() else 0.0
    try:
        document = json.loads(text) if len(text) <= ANSWER_BYTES_MAX else None
    except ValueError:
        document = None
    if isinstance(document, dict):
        return Answer(response.status, document, after)
    # What is no document is no answer of ours, whatever its status says.
    return Answer(0 if response.status < 300 else response.status, {}, after)
