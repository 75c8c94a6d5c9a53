"""Delivers what a job notes, each batch exactly once, from a thread of its own (PROTOCOL.md §1 to §3).

The training thread appends to a deque and never waits here, but in `settle` for a time that it names. One request is under
way at a time. A server that is away is asked again, later and later; meanwhile batches wait in the outbox (spool.py).
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .http import Answer, Connection
from .settings import Settings
from .spool import Outbox

log = logging.getLogger("twostep")

BATCH_STEPS = 1_000
SEND_SECONDS = 0.5
PAUSE_MAX = 30.0
QUEUE_STEPS = 200_000
EVENTS = "_events"
"""How many notes a batch was made of; not sent."""


class Row(NamedTuple):
    """One step as noted: columns by name (None = not known), and the version of the plan that it followed."""

    plan_version: int
    columns: dict[str, Any]
    metrics: dict[str, float] | None


class Note(NamedTuple):
    """A probe or an acknowledgement. `closes`: what comes after it belongs into the next batch."""

    kind: str
    body: dict[str, Any]
    closes: bool = False


def wire_number(value: Any) -> Any:
    """Nine digits; numbers that JSON does not have travel as names."""
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    if math.isfinite(value):
        return float(f"{value:.9g}")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


class Reporter(threading.Thread):
    """States: new (no run yet), open, silent (refused for good: nothing more is sent), closed."""

    def __init__(self, settings: Settings, run_options: dict[str, Any], seen: Callable[[Row], None]) -> None:
        super().__init__(name="twostep-reporter", daemon=True)
        self.settings = settings
        self.options = run_options
        self.client = f"py-{os.getpid()}-{time.time_ns() // 1000:x}"
        self.state = "new"
        self.answer: dict[str, Any] | None = None
        """The newest answer, until it is taken."""
        self.dropped_steps = 0
        self._seen = seen
        self._events: deque[Row | Note] = deque()
        self._outbox = Outbox(settings.spool / settings.run_id / f"{self.client}.queue")
        self._sequence = 1
        self._wake = threading.Event()
        self._settled = threading.Condition()
        self._noted = 0
        self._delivered = 0
        self._failures = 0
        self._is_closing = False
        self._deadline = math.inf
        self._farewell: str | None = None
        self._most = BATCH_STEPS
        self._connection = Connection(settings.server_url, settings.token)
        self._is_connected = settings.mode == "online"

    # ---- called by the training thread

    def note(self, event: Row | Note, *, is_urgent: bool = False) -> None:
        if len(self._events) >= QUEUE_STEPS:
            self.dropped_steps += 1
            return
        self._events.append(event)
        self._noted += 1
        if is_urgent:
            self._wake.set()

    def ask(self) -> None:
        """Asks for news at once."""
        self._wake.set()

    def settle(self, seconds: float) -> bool:
        """Waits until all that was noted is delivered and answered; False if that did not come in time."""
        if not self._is_connected or self.state == "silent" or seconds <= 0:
            return False
        goal = self._noted
        with self._settled:
            self._goal_asked = True
            self._wake.set()
            return (
                self._settled.wait_for(
                    lambda: (self._delivered >= goal and not self._goal_asked) or self.state == "silent",
                    seconds,
                )
                and self.state == "open"
            )

    _goal_asked = False

    def take(self) -> dict[str, Any] | None:
        """The newest answer, once."""
        answer, self.answer = self.answer, None
        return answer

    def close(self, farewell: str | None, seconds: float) -> None:
        """Delivers the rest within a time, else leaves it in the spool. `farewell`: why the job has stopped by itself."""
        self._farewell = farewell
        self._deadline = time.monotonic() + seconds
        self._is_closing = True
        self._wake.set()
        self.join(seconds + 5)

    # ---- the thread

    def run(self) -> None:
        try:
            while self._turn():
                pass
        except Exception:  # the job must not learn of it by anything but a log line
            log.exception("twostep: reporting stopped by a fault of its own; training goes on")
            self._end("silent")

    def _turn(self) -> bool:
        """One request, or one pause; False at the end."""
        if self.state == "silent":
            return False
        pause = 0.0
        if not self._is_connected:
            self._seal()
            self._wait(SEND_SECONDS)
            return not self._is_closing or self._leave()
        if self.state == "new":
            self._seal(only_full=True)
            pause = self._heed_created(self._connection.call("POST", "/runs", self.options))
        else:
            batch = self._outbox.first() or self._seal_one()
            if batch is not None:
                pause = self._heed_sent(batch, self._send(batch))
        if self._is_closing and (
            (self.state == "open" and not self._events and len(self._outbox) == 0)
            or time.monotonic() + pause > self._deadline
        ):
            return self._leave()
        if pause > 0:
            self._wake.clear()
            self._sleep(pause)
        elif not self._events or (len(self._events) < self._most and not self._wake.is_set()):
            self._wait(SEND_SECONDS)
        return True

    def _wait(self, seconds: float) -> None:
        if not self._is_closing:
            self._wake.wait(seconds)
        self._wake.clear()

    def _sleep(self, seconds: float) -> None:
        """A pause that only closing cuts short."""
        until = min(time.monotonic() + seconds, self._deadline)
        while not self._is_closing and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        if self._is_closing:
            time.sleep(max(0.0, min(until - time.monotonic(), 0.2)))

    def _send(self, batch: dict[str, Any]) -> Answer:
        body = {"clientId": self.client, "sequence": self._sequence, **batch}
        body.pop(EVENTS, None)
        return self._connection.call("POST", f"/runs/{self.settings.run_id}/telemetry", body)

    def _seal(self, *, only_full: bool = False) -> None:
        """All that was noted, or all full batches of it, as batches of the outbox."""
        while len(self._events) >= (self._most if only_full else 1):
            batch = self._sealed()
            if batch is None:
                return
            self._outbox.add(batch)

    def _seal_one(self) -> dict[str, Any] | None:
        batch = self._sealed()
        if batch is None and not self._goal_asked:
            return None
        # An empty batch asks for news.
        self._outbox.add(batch or {})
        return self._outbox.first()

    def _sealed(self) -> dict[str, Any] | None:
        """A batch of the oldest events: steps of one plan, and nothing that was measured after a restore."""
        batch: dict[str, Any] = {}
        rows: list[Row] = []
        count = 0
        while self._events and count < self._most:
            event = self._events[0]
            if isinstance(event, Row):
                if rows and event.plan_version != rows[0].plan_version:
                    break
                self._seen(event)
                rows.append(event)
            else:
                batch.setdefault(event.kind, []).append(event.body)
            self._events.popleft()
            count += 1
            if isinstance(event, Note) and event.closes:
                break
        if count == 0:
            return None
        if rows:
            batch["planVersion"] = rows[0].plan_version
            batch["steps"] = _columns(rows)
        batch[EVENTS] = count
        return batch

    def _heed_created(self, answer: Answer) -> float:
        if answer.status in (200, 201) and isinstance(answer.document.get("run"), dict):
            self._failures = 0
            following = answer.document.get("nextSequence")
            self._sequence = following.get(self.client, 1) if isinstance(following, dict) else 1
            self.state = "open"
            self._tell(answer.document)
            return 0.0
        return self._refused(answer, "the run could not be created")

    def _heed_sent(self, batch: dict[str, Any], answer: Answer) -> float:
        code = answer.document.get("code")
        if answer.status == 200 and isinstance(answer.document.get("nextSequence"), int):
            self._failures = 0
            self._sequence = answer.document["nextSequence"]
            self._outbox.done()
            self._delivered += batch.get(EVENTS, 0)
            self._goal_asked = False
            self._tell(answer.document)
            return 0.0
        if answer.status == 409 and code == "sequence-gap":
            self._sequence = answer.document.get("expectedSequence", 1)
            return 0.0
        if answer.status == 409 and code == "sequence-reused":
            self.client, self._sequence = f"py-{os.getpid()}-{time.time_ns() // 1000:x}", 1
            return 0.0
        if answer.status == 413 and self._most > 1:
            self._most = max(1, self._most // 2)
            self._outbox.replace(_halves(batch))
            return 0.0
        return self._refused(answer, "a batch was refused")

    def _refused(self, answer: Answer, what: str) -> float:
        """How long to wait before the same again; silent where that would be in vain."""
        if answer.status in (0, 408, 429) or answer.status >= 500 or answer.status == 200:
            self._failures += 1
            if self._failures == 3:
                log.warning(
                    "twostep: no answer from %s; training goes on, and reports wait", self.settings.server_url
                )
            with self._settled:
                self._settled.notify_all()
            return max(answer.retry_after, min(PAUSE_MAX, 0.1 * 2 ** min(self._failures, 9)))
        detail = answer.document.get("detail", "")
        log.error(
            "twostep: %s (%s %s): %s; nothing more is reported, training goes on",
            what,
            answer.status,
            answer.document.get("code"),
            detail,
        )
        self._end("silent")
        return 0.0

    def _tell(self, document: dict[str, Any]) -> None:
        with self._settled:
            self.answer = document
            self._settled.notify_all()

    def _end(self, state: str) -> None:
        with self._settled:
            self.state = state
            self._settled.notify_all()
        self._connection.close()

    def _leave(self) -> bool:
        """The end: a farewell if all is delivered, else what is left goes into the spool."""
        if self._is_connected and self.state == "open" and self._farewell and not self._events:
            body = {"kind": "finish", "reason": self._farewell}
            self._connection.call("POST", f"/runs/{self.settings.run_id}/commands", body)
        self._seal()
        header = {
            "client": self.client,
            "sequence": self._sequence,
            "server": self.settings.server_url,
            "run": self.options,
            "farewell": self._farewell,
        }
        path = self.settings.spool / self.settings.run_id / f"{self.client}.ndjson"
        try:
            count = self._outbox.save(path, header)
            if count > 0:
                log.warning(
                    "twostep: %d batches were not delivered; `twostep sync %s` sends them", count, path
                )
        except OSError as error:
            log.error("twostep: what was not delivered could not be kept in %s: %s", path, error)
        self.dropped_steps += self._outbox.dropped_steps
        if self.dropped_steps > 0:
            log.warning("twostep: %d steps found no room and were dropped", self.dropped_steps)
        self._end("closed")
        return False


def _columns(rows: list[Row]) -> dict[str, Any]:
    names = dict.fromkeys(name for row in rows for name in row.columns)
    steps: dict[str, Any] = {}
    for name in names:
        column = [wire_number(_value(row.columns.get(name))) for row in rows]
        if any(value is not None for value in column):
            steps[name] = column
    own = dict.fromkeys(name for row in rows if row.metrics for name in row.metrics)
    if own:
        steps["metrics"] = {
            name: [wire_number(_value((row.metrics or {}).get(name))) for row in rows] for name in own
        }
    return steps


def _value(value: Any) -> Any:
    """A number, or what gives one once the device has it."""
    return value() if callable(value) else value


def _halves(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as two batches, so that each is smaller; what is no step stays with the second."""
    steps = batch.get("steps", {})
    length = len(steps.get("step", ()))
    middle = length // 2
    if middle == 0:
        return [{key: value for key, value in batch.items() if key != "steps"}]

    def part(columns: dict[str, Any], first: int, last: int) -> dict[str, Any]:
        return {
            name: part(value, first, last) if name == "metrics" else value[first:last]
            for name, value in columns.items()
        }

    count = batch.get(EVENTS, 0)
    head = {"planVersion": batch["planVersion"], "steps": part(steps, 0, middle), EVENTS: middle}
    tail = {**batch, "steps": part(steps, middle, length), EVENTS: count - middle}
    return [head, tail]
