"""A server in a thread that keeps the promises of PROTOCOL.md §3, until a test makes it misbehave."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RATE = 0.05


class Request:
    def __init__(self, number: int, path: str, body: dict[str, Any]) -> None:
        self.number = number
        """Of all requests, from 1."""
        self.path = path
        self.body = body

    @property
    def is_telemetry(self) -> bool:
        return self.path.endswith("/telemetry")


Behave = Callable[[Request], str | None]
"""What to do with a request; None = what is right. See `_Handler.misbehave`."""


class Server:
    """Keeps what it is told; `stored`: steps of each run in the order in which they came."""

    def __init__(self, behave: Behave | None = None, port: int = 0) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.batches: list[dict[str, Any]] = []
        self.commands: list[dict[str, Any]] = []
        self.actions: list[dict[str, Any]] = []
        self.plan: dict[str, Any] = {
            "version": 1,
            "segments": [{"fromStep": 0, "toStep": 10**6, "shape": "constant", "from": RATE, "to": RATE}],
        }
        self.phase = "large"
        self.duplicates = 0
        self.release = threading.Event()
        """Ends what is slow."""
        self._seen: dict[tuple[str, str], list[str]] = {}
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"server_of_test": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def port(self) -> int:
        return self._http.server_port

    def close(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Server:  # noqa: PYI034 typing.Self is of Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stored(self) -> list[int]:
        return [step for batch in self.batches for step in batch.get("steps", {}).get("step", [])]

    def column(self, name: str) -> list[Any]:
        found: list[Any] = []
        for batch in self.batches:
            steps = batch.get("steps", {})
            found += steps.get(name) or [None] * len(steps.get("step", []))
        return found

    def notes(self, kind: str) -> list[dict[str, Any]]:
        return [entry for batch in self.batches for entry in batch.get(kind, [])]

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Waits for something that the client does by itself."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        """What is right."""
        with self._lock:
            if request.path.endswith("/runs"):
                run = self.runs.setdefault(request.body.get("runId", "made-here"), request.body)
                following = {
                    client: len(seen) + 1 for (r, client), seen in self._seen.items() if r == run["runId"]
                }
                summary = {"id": run["runId"], "mode": run.get("mode", "auto"), "phase": self.phase}
                return 201, {**self._steering(), "run": summary, "nextSequence": following}
            if request.path.endswith("/commands"):
                self.commands.append(request.body)
                return 202, {}
            return self._apply(request.path.split("/")[-2], request.body)

    def _steering(self) -> dict[str, Any]:
        return {"plan": self.plan, "actions": self.actions, "phase": self.phase}

    def _apply(self, run: str, batch: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if run not in self.runs:
            return 404, {"code": "run-not-found", "detail": "no such run"}
        seen = self._seen.setdefault((run, batch["clientId"]), [])
        number, text = batch["sequence"], json.dumps(batch, sort_keys=True)
        following = {"nextSequence": len(seen) + 1}
        if number > len(seen) + 1:
            return 409, {"code": "sequence-gap", "expectedSequence": len(seen) + 1}
        if number <= len(seen):
            if seen[number - 1] != text:
                return 409, {"code": "sequence-reused", "expectedSequence": len(seen) + 1}
            self.duplicates += 1
            return 200, {**self._steering(), **following, "duplicate": True}
        seen.append(text)
        self.batches.append(batch)
        done = {entry["actionId"] for entry in batch.get("acknowledgements", [])}
        self.actions = [action for action in self.actions if action["id"] not in done]
        return 200, {**self._steering(), "nextSequence": number + 1, "duplicate": False}


class _Handler(BaseHTTPRequestHandler):
    server_of_test: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        server = self.server_of_test
        request = Request(len(server.requests) + 1, self.path, json.loads(data))
        server.requests.append(request)
        how = server.behave(request) if server.behave is not None else None
        try:
            if how is None:
                self.reply(*server.answer(request))
            else:
                self.misbehave(how, request)
        except OSError:
            self.close_connection = True

    def misbehave(self, how: str, request: Request) -> None:
        server = self.server_of_test
        if how == "slow":
            server.release.wait(30)
            self.reply(*server.answer(request))
        elif how == "html":
            self.send(200, b"<html>Sign in to the hotel's network</html>", "text/html")
        elif how == "half":
            self.send(200, json.dumps(server.answer(request)[1]).encode()[:-9], "application/json")
        elif how == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"plan": ')
            self.close_connection = True
        elif how == "endless":
            self.send_response(200)
            self.end_headers()
            while not server.release.wait(0.01):
                self.wfile.write(b" " * 1000)
            self.close_connection = True
        elif how == "lost":
            server.answer(request)
            self.close_connection = True
        elif how == "hang up":
            self.close_connection = True
        else:
            status, code, after = (*how.split(" "), "", "")[:3]
            self.reply(
                int(status), {"status": int(status), "code": code, "detail": f"{code} for a test"}, after
            )

    def reply(self, status: int, document: dict[str, Any], retry_after: str = "") -> None:
        self.send(status, json.dumps(document).encode(), "application/json", retry_after)

    def send(self, status: int, text: bytes, kind: str, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass
