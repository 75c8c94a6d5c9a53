"""Delivers what a job notes, each batch exactly once, from a thread of its own (PROTOCOL.md §1 to §3).

The training thread appends to a deque and never waits here, but in `settle` and `close` for times that it names. One
request is under way at a time. A server that is away is asked again, later and later; meanwhile batches wait in the
outbox (spool.py). What both threads touch is touched under `_lock`, which nobody holds while a request is under way:
so `close` can put what is left on disk even if an answer never ends.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from .batches import EVENTS_END, Note, Row, halves, on_wire, sealed
from .http import Answer, Connection
from .settings import Settings
from .spool import Outbox, SpoolFile
from .sync import send_file, spools

log = logging.getLogger("twostep")

BATCH_STEPS = 1_000
SEND_SECONDS = 0.5
REQUEST_SECONDS = 10.0
PAUSE_FIRST = 0.1
PAUSE_MAX = 30.0
PAUSE_REFUSED = 30.0
"""Until what was refused is tried again: somebody has to change something first."""
QUEUE_STEPS = 200_000
AWAY_FAILURES = 3
"""So many failures in a row, and the server counts as away: nobody waits for it, and batches are kept on disk."""
AWAY_CLOSE_SECONDS = 1.0
NUMBERING_MAX = 3
"""Answers in a row that only ask for another number are carried out at once; more are a failure like others."""


class Reporter(threading.Thread):
    """States: new (no run yet), open, silent (the run is another's, or a fault of our own: nothing more is sent), closed."""

    def __init__(self, settings: Settings, run_options: dict[str, Any]) -> None:
        super().__init__(name="twostep-reporter", daemon=True)
        self.settings = settings
        self.options = run_options
        self.client = _new_client()
        self.state = "new"
        self.answer: dict[str, Any] | None = None
        """The newest answer, until it is taken."""
        self.dropped_steps = 0
        self._events: deque[Row | Note] = deque()
        folder = settings.spool / settings.run_id
        self._outbox = Outbox(folder / f"{self.client}.ndjson", self._header)
        self._earlier: deque[Path] = deque()
        self._sequence = 1
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._noted = 0
        self._sealed = 0
        self._delivered = 0
        self._is_asked = False
        self._failures = 0
        self._numberings = 0
        self._deadline = math.inf
        self._farewell: str | None = None
        self._most = BATCH_STEPS
        self._connection = Connection(settings.server_url, settings.token, REQUEST_SECONDS)
        self._is_connected = settings.mode == "online"
        self._has_complained = False
        self._is_refused = False

    # ---- called by the training thread

    def note(self, event: Row | Note, *, is_urgent: bool = False) -> None:
        if self.state == "silent":
            return
        if len(self._events) >= QUEUE_STEPS and isinstance(event, Row):
            self.dropped_steps += 1
            return
        self._events.append(event)
        self._noted += 1
        if is_urgent:
            self._wake.set()

    def ask(self) -> None:
        """Asks for news at once."""
        self._is_asked = True
        self._wake.set()

    @property
    def is_away(self) -> bool:
        """Nobody has answered lately, or nobody will."""
        return not self._is_connected or self.state == "silent" or self._failures >= AWAY_FAILURES

    def settle(self, seconds: float) -> bool:
        """Waits until all that was noted is delivered and answered; False if that did not come in time."""
        if not self._is_connected or self.state == "silent":
            return False
        goal = self._noted
        with self._settled:
            self.ask()
            if seconds <= 0 or self.is_away:
                return False
            return (
                self._settled.wait_for(
                    lambda: (self._delivered >= goal and not self._is_asked) or self.is_away, seconds
                )
                and not self.is_away
                and self.state == "open"
            )

    def secure(self, seconds: float) -> None:
        """What was noted so far is delivered within that time, or else on disk: a process that is killed later loses none."""
        if self.settle(seconds):
            return
        with self._lock:
            if self.state in ("silent", "closed"):
                return
            while self._events:
                self._seal()
            if len(self._outbox) > 0 and not self._outbox.persist():
                self._complain()

    def take(self) -> dict[str, Any] | None:
        """The newest answer, once."""
        if self.answer is None:
            return None
        with self._lock:
            answer, self.answer = self.answer, None
            return answer

    def close(self, farewell: str | None, seconds: float) -> None:
        """Delivers the rest within a time, else leaves it in the spool. `farewell`: why the job has stopped by itself."""
        if self.is_away:
            seconds = min(seconds, AWAY_CLOSE_SECONDS)
        self._farewell = farewell
        self._deadline = time.monotonic() + seconds
        self._closing.set()
        self._wake.set()
        try:
            self.join(seconds + 0.2)
        finally:
            # An answer that never comes, a name that is never found, a person's second Ctrl-C: what is left is kept all the same.
            with self._lock:
                if self.state != "closed":
                    self._leave()

    # ---- the thread

    def run(self) -> None:
        try:
            while self._turn():
                pass
        except Exception:
            log.exception("twostep: reporting stopped by a fault of its own; training goes on")
            self._fall_silent()

    def _turn(self) -> bool:
        """One request, or one pause; False at the end."""
        pause = self._report() if self._is_connected and self.state != "silent" else 0.0
        with self._lock:
            if self.state == "closed":
                return False
            if not self._is_connected or self.is_away or len(self._events) >= 2 * self._most:
                self._store()
            if self._closing.is_set() and (self._is_all_said() or time.monotonic() + pause >= self._deadline):
                self._leave()
                return False
        if pause > 0:
            self._rest(pause)
        elif not self._has_more():
            self._wait()
        return True

    def _has_more(self) -> bool:
        """Whether the next request is due now: what is asked for may lie in several batches."""
        if not self._is_connected or self.state == "silent":
            return False
        is_urgent = self._is_asked or self._wake.is_set() or len(self._events) >= self._most
        return self._is_asked or len(self._outbox) > 0 or (is_urgent and len(self._events) > 0)

    def _is_all_said(self) -> bool:
        if self.state == "silent" or not self._is_connected:
            return True
        return self.state == "open" and not self._events and len(self._outbox) == 0

    def _report(self) -> float:
        """One request, if there is anything to say; answers how long to pause."""
        if self.state == "new":
            return self._heed_created(self._call("POST", "/runs", self.options))
        if self._earlier:
            return self._send_earlier()
        with self._lock:
            batch = self._outbox.first() or self._next()
            if batch is None:
                return 0.0
            body = on_wire(self.client, self._sequence, batch)
        answer = self._call("POST", f"/runs/{self.settings.run_id}/telemetry", body)
        with self._lock:
            return 0.0 if self.state == "closed" else self._heed_sent(batch, answer)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        left = self._deadline - time.monotonic()
        return self._connection.call(method, path, body, None if math.isinf(left) else left)

    def _wait(self) -> None:
        if not self._closing.is_set():
            self._wake.wait(SEND_SECONDS)
        self._wake.clear()

    def _rest(self, seconds: float) -> None:
        """A pause that only closing cuts short. What is noted meanwhile is stored, so that it does not pile up."""
        until = time.monotonic() + seconds
        while (left := min(until, self._deadline) - time.monotonic()) > 0:
            if self._closing.is_set():
                time.sleep(min(left, 0.2))  # without it a job that ends would ask without a pause
                return
            self._closing.wait(min(left, SEND_SECONDS))
            with self._lock:
                if self.is_away and self.state != "closed":
                    self._store()

    # ---- batches, under the lock

    def _store(self) -> None:
        """All full batches that were noted into the outbox, and that on disk; the rest, too, if nobody will send it soon."""
        if self.state == "silent":
            self._events.clear()
            return
        least = 1 if self.is_away and self._outbox.problem is None else self._most
        while len(self._events) >= least:
            self._seal()
        if self.is_away and len(self._outbox) > 0 and not self._outbox.persist():
            self._complain()

    def _seal(self) -> None:
        batch, count = sealed(self._events, self._most)
        self._sealed += count
        dropped = self._outbox.dropped_steps
        self._outbox.add({**batch, EVENTS_END: self._sealed})
        if self._outbox.dropped_steps > dropped:
            self._complain()

    def _next(self) -> dict[str, Any] | None:
        """The next batch; an empty one asks for news."""
        if not self._events and not self._is_asked:
            return None
        self._seal()
        return self._outbox.first()

    def _complain(self) -> None:
        if not self._has_complained:
            self._has_complained = True
            log.error(
                "twostep: %s cannot be written (%s): steps for which there is no room in memory are dropped",
                self._outbox.path,
                self._outbox.problem,
            )

    def _header(self) -> dict[str, Any]:
        return {
            "client": self.client,
            "sequence": self._sequence,
            "server": self.settings.server_url,
            "run": self.options,
        }

    # ---- answers

    def _heed_created(self, answer: Answer) -> float:
        if answer.status in (200, 201) and isinstance(answer.document.get("run"), dict):
            with self._lock:
                if self.state == "closed":
                    return 0.0
                following = answer.document.get("nextSequence")
                self._renumber(following.get(self.client, 1) if isinstance(following, dict) else 1)
                self.state = "open"
                self._is_asked = self._is_asked and bool(self._events)
                if self.settings.resume:
                    folder = self.settings.spool / self.settings.run_id
                    self._earlier.extend(path for path in spools(folder) if path != self._outbox.path)
                self._is_answered(answer.document)
            return 0.0
        return self._refused(answer, "the run could not be created")

    def _send_earlier(self) -> float:
        """What an earlier process of this run has left on disk comes first."""
        path = self._earlier[0]
        try:
            file = SpoolFile(path)
        except (OSError, ValueError) as error:
            log.warning("twostep: %s is left as it is: %s", path, error)
            self._earlier.popleft()
            return 0.0
        try:
            # Its process is not the last one of this run, so its farewell is out of date.
            file.farewell = None
            done = send_file(file, self._connection)
        except OSError as error:
            done = None
            log.warning("twostep: %s: %s", path, error)
        finally:
            file.close()
        if done is not None and done.problem is not None and _is_passing(done.status):
            return self._failed(0.0)
        if done is not None and done.problem is not None:
            log.warning("twostep: %s was not sent: %s", path, done.problem)
        self._earlier.popleft()
        return 0.0

    def _heed_sent(self, batch: dict[str, Any], answer: Answer) -> float:
        code = answer.document.get("code")
        following = answer.document.get("nextSequence")
        if answer.status == 200 and type(following) is int and following > 0:
            self._numberings = 0
            self._delivered = max(self._delivered, batch.get(EVENTS_END, 0))
            self._outbox.done()
            self._sequence = following
            self._is_asked = self._is_asked and bool(self._events)
            self._is_answered(answer.document)
            return 0.0
        if answer.status == 409 and self._numberings < NUMBERING_MAX:
            expected = answer.document.get("expectedSequence")
            if code == "sequence-gap" and type(expected) is int and expected > 0:
                self._numberings += 1
                self._renumber(expected)
                return 0.0
            if code == "sequence-reused":
                self._numberings += 1
                self.client = _new_client()
                self._renumber(1)
                return 0.0
        if answer.status == 413:
            return self._split(batch, answer)
        if answer.status == 409 and code in ("sequence-gap", "sequence-reused"):
            return self._failed(answer.retry_after)
        return self._refused(answer, "a batch was refused")

    def _split(self, batch: dict[str, Any], answer: Answer) -> float:
        smaller = halves(batch)
        if len(smaller) == 1 and not batch.get("steps"):
            return self._refused(answer, "a batch was refused")
        if len(smaller) == 1:
            self.dropped_steps += 1
            smaller = [{key: value for key, value in batch.items() if key not in ("steps", "planVersion")}]
        self._most = max(1, min(self._most, len(batch.get("steps", {}).get("step", ()))) // 2)
        self._outbox.replace(smaller)
        return 0.0

    def _renumber(self, sequence: Any) -> None:
        if type(sequence) is int and sequence > 0 and sequence != self._sequence:
            self._sequence = sequence
            self._outbox.renumber()

    def _refused(self, answer: Answer, what: str) -> float:
        """How long to wait before the same again; silent where that would be in vain."""
        if _is_passing(answer.status):
            return self._failed(answer.retry_after)
        # Into a run that is another's nothing may come, now or by `twostep sync`.
        is_over = self.state == "new" and answer.status == 409
        if not self._is_refused:
            code, detail = answer.document.get("code"), answer.document.get("detail", "")
            rest = "nothing is reported" if is_over else "reports are kept and tried again now and then"
            log.error(
                "twostep: %s (%s %s): %s; training goes on, %s", what, answer.status, code, detail, rest
            )
        if is_over:
            self._fall_silent()
            return 0.0
        with self._settled:
            self._is_refused = True
            self._failures = max(self._failures, AWAY_FAILURES)
            self._settled.notify_all()
        return max(answer.retry_after, PAUSE_REFUSED)

    def _failed(self, retry_after: float) -> float:
        with self._settled:
            self._failures += 1
            if self._failures == AWAY_FAILURES:
                log.warning(
                    "twostep: no answer from %s; training goes on, and reports wait", self.settings.server_url
                )
            self._settled.notify_all()
        return max(retry_after, min(PAUSE_MAX, math.ldexp(PAUSE_FIRST, min(self._failures, 9))))

    def _is_answered(self, document: dict[str, Any]) -> None:
        if self._failures >= AWAY_FAILURES:
            log.warning("twostep: %s answers again", self.settings.server_url)
        self._failures = 0
        self._is_refused = False
        self.answer = document
        self._settled.notify_all()

    def _fall_silent(self) -> None:
        with self._settled:
            if self.state != "closed":
                self.state = "silent"
            self._settled.notify_all()
        self._connection.close()

    def _leave(self) -> None:
        """The end, under the lock: a farewell if all is delivered, else what is left goes into the spool."""
        is_silent = self.state == "silent"
        is_delivered = self.state == "open" and self._is_all_said()
        self.state = "closed"
        self._settled.notify_all()
        if is_delivered and self._farewell and threading.current_thread() is self:
            body = {"kind": "finish", "reason": self._farewell}
            self._call("POST", f"/runs/{self.settings.run_id}/commands", body)
        if not is_silent:
            while self._events:
                self._seal()
            self._keep()
        self.dropped_steps += self._outbox.dropped_steps
        if self.dropped_steps > 0:
            log.warning("twostep: %d steps found no room and were dropped", self.dropped_steps)
        if threading.current_thread() is self:
            self._connection.close()

    def _keep(self) -> None:
        try:
            count = self._outbox.leave(self._farewell)
        except OSError as error:
            log.error(
                "twostep: %d batches were not delivered, and could not be kept in %s: %s",
                len(self._outbox),
                self._outbox.path,
                error,
            )
            return
        if count > 0:
            path = self._outbox.path
            log.warning("twostep: %d batches were not delivered; `twostep sync %s` sends them", count, path)


def _new_client() -> str:
    return f"py-{os.getpid()}-{time.time_ns() // 1000:x}"


def _is_passing(status: int) -> bool:
    """Whether the same again may be answered otherwise. A 200 comes here only if it holds no answer of ours."""
    return status in (0, 200, 201, 408, 429) or status >= 500
