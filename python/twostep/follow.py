"""Follows a plan: what is due before a step, in rounds, and the waits between them (PROTOCOL.md, first page, §4, §6).

Of a job of several processes one, the leader, reports and hears; at meetings, of which all know the step, it gives the
others its orders, and all carry them out alike (ranks.py).
"""

from __future__ import annotations

import logging
import time
from typing import Any, get_args

from .batches import Note, wire_value
from .branch import Anneal, Beside, Branching, told
from .clock import TokenClock
from .guard import Watch
from .hands import Hands, NoHands, Unsupported
from .plan import PlanError, Shape, own_plan, parse_plan
from .ranks import Alone, Order, Ranks
from .reporter import Reporter
from .settings import Settings

log = logging.getLogger("twostep")

AWAIT_SECONDS = 10.0
ACTION_SECONDS = 1.0
START_SECONDS = 2.0
WAIT_GRACE = 12.0
WAIT_SHARE = 0.01
"""Waiting for answers takes at most the grace and this share of the time since the start."""
ROUNDS = 16
PAUSE_SECONDS = 60.0
POLL_SECONDS = 1.0
END_SECONDS = 30.0
EVALUATE_FAULTS_MAX = 3
BEAT_SECONDS = 10.0
COMMON_RATE = 0.001

NEVER = 2**62


class Follower:
    """The state of a run between two steps. The public half is `Run`."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._hands: Hands = NoHands()
        self._ranks: Ranks = Alone()
        self._reporter: Reporter | None = None
        self.step_count = settings.first_step if settings else 0
        self.finished = False
        self._plan = own_plan(COMMON_RATE, None)
        self._plan_document: Any = None
        self._is_planned = False
        self._is_steered = settings is not None and settings.steering in ("auto", "approve")
        self._wire = Watch()
        self._is_tripped = False
        self._actions: list[dict[str, Any]] = []
        self._done: set[str] = set()
        self._restored_at = 0
        self._probed_at = -1
        self._awaited = -1
        self._began = time.monotonic()
        self._waited = 0.0
        self._patience = 1.0
        self._paused_since: float | None = None
        self._next_due = 0
        self._evaluate_faults = 0
        self._clock: TokenClock | None = None
        if settings is not None and settings.tokens_per_step is not None:
            self._clock = TokenClock(settings.tokens_per_step)
        self._stride = 1
        """Steps that the last update has taken: with tokens as the clock a step may be passed, and not stood on."""
        self._branching = Branching()
        self._beat_at = 0.0

    # ---- rounds

    def _before_step(self) -> None:
        """All that is due before the next step. Between two rounds the leader waits for an answer."""
        turn = 0
        while True:
            order = self._ranks.share(self._order(turn) if self._ranks.leads else {})
            self._obey(order)
            if self.finished or not order.get("again"):
                break
            turn += 1
            if turn >= ROUNDS and not order.get("paused"):
                break
            self._linger(order)
        self._next_due = int(self._ranks.share({"next": self._due()}).get("next", NEVER))

    def _order(self, turn: int) -> Order:
        """What all are to do now, by what the leader knows."""
        self._hear()
        step, cadence = self.step_count, self._plan.cadence
        ended = self._branching.ended({action["id"] for action in self._actions}, step)
        if ended is not None:
            self._note(Note("acknowledgements", wire_value(ended)))
        distance = step - self._restored_at
        await_at = self._plan.await_at
        is_awaited = (
            await_at is not None and step - self._stride < await_at <= step and await_at != self._awaited
        )
        if is_awaited and await_at is not None:
            self._awaited = await_at
        due = [a for a in self._actions if a["atStep"] <= step and a["id"] not in self._done]

        def asks(every: int | None, capability: str) -> bool:
            is_due = turn == 0 and bool(
                every and distance > 0 and distance % every < min(self._stride, distance)
            )
            return is_due and capability in self._hands.capabilities and not self._is_measuring_over

        # One probe serves where action and cadence fall together.
        is_served = any(
            a["kind"] == "probe" and a.get("probe") != "line" and not a.get("checkpoints") for a in due
        )
        order: Order = {
            "actions": sorted(due, key=lambda action: int(action["atStep"])),
            "valley": asks(cadence.valley, "heldOutLoss") and not is_served and self._probed_at != step,
            "line": asks(cadence.line, "lineProbe"),
            "await": is_awaited,
            "paused": self._paused_since is not None,
        }
        # Whether there is another round is the leader's to say: a process in which something fails must not fall out of step.
        again = any(order.values())
        return {
            **order,
            "again": again,
            "plan": self._plan_document,
            "tripped": self._wire.tripped,
            "finished": self.finished,
        }

    @property
    def _is_measuring_over(self) -> bool:
        return self._evaluate_faults >= EVALUATE_FAULTS_MAX

    def _obey(self, order: Order) -> None:
        """Carries an order out, each action once."""
        if not self._ranks.leads:
            self._take_plan(order.get("plan"))
            self.finished = self.finished or bool(order.get("finished"))
        self._is_tripped = bool(order.get("tripped"))
        for action in order.get("actions", ()):
            self._carry_out(action)
        if self.finished:
            return
        if order.get("valley"):
            self._probe(self._measure_valley, "longest", None)
        if order.get("line"):
            self._probe(self._measure_line)

    def _linger(self, order: Order) -> None:
        """The leader's wait between two rounds; the others wait for its next order."""
        if not self._ranks.leads or self._reporter is None:
            return
        if not order.get("paused"):
            self._wait(AWAIT_SECONDS if order.get("await") else ACTION_SECONDS)
            return
        # A person has paused the run: an empty batch each second; a minute without an answer ends it.
        if self._paused_since is None:
            return
        if self._reporter.settle(POLL_SECONDS):
            self._paused_since = time.monotonic()
        elif time.monotonic() - self._paused_since > PAUSE_SECONDS:
            self._paused_since = None
            return
        time.sleep(POLL_SECONDS)

    def _due(self) -> int:
        """The next step before which there is something to do, as far as is known."""
        step = self.step_count
        due = [
            max(step + 1, int(action["atStep"])) for action in self._actions if action["id"] not in self._done
        ]
        distance = step - self._restored_at
        for every, capability in (
            (self._plan.cadence.valley, "heldOutLoss"),
            (self._plan.cadence.line, "lineProbe"),
        ):
            if every is not None and capability in self._hands.capabilities:
                due.append(step + every - distance % every)
        if self._plan.await_at is not None and self._plan.await_at > step:
            due.append(self._plan.await_at)
        if self._is_steered and self._is_planned:
            due.append(max(step + 1, self._plan.end))
        if self._ranks.meets_each is not None:
            due.append(step + self._ranks.meets_each)
        return min(due, default=NEVER)

    def _at_end(self) -> None:
        """At the end of the plan: measures, sends, and hears which weights to keep."""
        until = time.monotonic() + END_SECONDS
        pause = 0.05
        while True:
            if self._ranks.leads and not (
                self._reporter is not None and self._reporter.settle(self._left(until))
            ):
                until = 0.0
            order = self._ranks.share({**self._order(1), "ends": until == 0.0} if self._ranks.leads else {})
            self._obey(order)
            if self.finished or order.get("ends", True):
                break
            if self._ranks.leads and not order.get("actions"):
                time.sleep(min(pause, self._left(until)))
                pause = min(2 * pause, POLL_SECONDS)

    def _left(self, until: float) -> float:
        return max(0.0, min(5.0, until - time.monotonic()))

    # ---- answers

    def _wait(self, seconds: float) -> None:
        """Waits for an answer to all that was noted, for a time that is bounded over the whole run as well.

        After a wait in vain the next is half as long, until an answer comes in time.
        """
        if self._reporter is None:
            return
        began = time.monotonic()
        allowed = WAIT_GRACE + WAIT_SHARE * (began - self._began) - self._waited
        is_settled = self._reporter.settle(min(seconds * self._patience, allowed))
        self._patience = 1.0 if is_settled else max(self._patience / 2, 1 / 64)
        self._waited += time.monotonic() - began

    def _hear(self) -> None:
        """Takes the newest answer: its plan unless that is older, and all its actions."""
        document = None if self._reporter is None else self._reporter.take()
        if document is None:
            return
        self._take_plan(document.get("plan"))
        run = document.get("run")
        if isinstance(run, dict) and run.get("mode") is not None:
            self._is_steered = run["mode"] in ("auto", "approve")
        actions = document.get("actions")
        if isinstance(actions, list):
            self._actions = [action for action in actions if _is_action(action)]
            self._done &= {action["id"] for action in self._actions}
        self._wire.tripped = False
        phase = document.get("phase") or (run.get("phase") if isinstance(run, dict) else None)
        if phase == "done" and not self._actions:
            self.finished = True

    def _take_plan(self, document: Any) -> None:
        if document is None or document is self._plan_document or document == self._plan_document:
            return
        try:
            plan = parse_plan(document)
        except PlanError as error:
            log.warning("twostep: the plan is kept: %s", error)
            return
        if plan.version >= self._plan.version:
            self._plan, self._plan_document, self._is_planned = plan, document, True

    # ---- actions and probes

    def _carry_out(self, action: dict[str, Any]) -> None:
        status, detail = "done", ""
        more: Anneal | Beside | None = None
        try:
            more = self._act(action)
        except Unsupported as error:
            status, detail = "unsupported", str(error)[:1000]
        except Exception as error:  # noqa: BLE001 whatever goes wrong is the answer
            status, detail = "failed", f"{type(error).__name__}: {error}"[:1000]
            log.warning("twostep: %s was not done: %s", action["kind"], detail)
        failure = self._ranks.agree(detail if status != "done" else None)
        if failure is not None and status == "done":
            status, detail = "failed", failure[:1000]
            if action["kind"] == "checkpoint":
                # Kept by some and not by others it could be restored by none.
                self._hands.drop(str(action.get("checkpoint")))
        self._done.add(action["id"])
        if status == "done" and isinstance(more, Beside):
            self._branching.await_it(action["id"], int(action["steps"]), more)
            return
        body = {"actionId": action["id"], "status": status, "step": self.step_count, "detail": detail}
        if status == "done" and isinstance(more, Anneal):
            body["branch"] = wire_value(told(more, int(action["steps"])))
        self._note(Note("acknowledgements", body, closes=action["kind"] == "restore"))

    def _note(self, note: Note) -> None:
        if self._reporter is not None:
            self._reporter.note(note, is_urgent=True)

    def _act(self, action: dict[str, Any]) -> Anneal | Beside | None:
        kind, name = action["kind"], action.get("checkpoint")
        if kind == "checkpoint":
            self._hands.keep(str(name), action.get("weights") == "averaged")
        elif kind == "restore":
            rewind = bool(action.get("rewindData"))
            self._hands.restore(str(name), rewind, int(action.get("skipBatches") or 0))
            self._has_restored()
        elif kind == "drop":
            self._hands.drop(str(name))
        elif kind == "probe":
            if action.get("probe") == "line":
                self._measure_line()
            else:
                self._measure_valley("all", action.get("checkpoints"))
        elif kind in ("pause", "resume"):
            self._paused_since = time.monotonic() if kind == "pause" else None
        elif kind == "finish":
            self.finished = True
            keep = action.get("keep", "last")
            if isinstance(keep, dict):
                self._hands.finish("checkpoint", str(keep.get("checkpoint")))
            else:
                self._hands.finish(str(keep), None)
        elif kind == "branch":
            return self._branch(action)
        else:
            raise Unsupported(f"an action of kind {kind}")
        return None

    def _branch(self, action: dict[str, Any]) -> Anneal | Beside:
        """Anneals a copy; its steps are none of the run's."""
        segment = self._plan.segment(self.step_count)
        rate = segment.rate(self.step_count)
        shape: Any = action.get("shape")
        if shape not in get_args(Shape) or shape == "exponential":
            raise Unsupported(f"an anneal to 0 of shape {shape}")
        steps = int(action["steps"])
        updates = steps if self._clock is None else self._clock.updates_in(steps) or 1
        anneal = Anneal(action["id"], self.step_count, updates, shape, rate, segment.momentum)
        self._beat_at = time.monotonic() + BEAT_SECONDS
        with self._branching.at_work():
            return self._hands.branch(anneal, self._beat)

    def _beat(self) -> None:
        """Shows that the job is alive, while the run stands still."""
        if self._reporter is not None and time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_SECONDS
            self._reporter.ask()

    def _has_restored(self) -> None:
        self._wire.begin_anew()
        self._is_tripped = False
        self._restored_at = self.step_count

    def _probe(self, measure: Any, *how: Any) -> None:
        """A probe that the cadence asks for. One that fails is left out; after three none is asked for any more."""
        try:
            measure(*how)
            self._evaluate_faults = 0
        except Unsupported as error:
            log.debug("twostep: a probe was left out: %s", error)
        except Exception:
            self._evaluate_faults += 1
            log.exception("twostep: a probe failed; training goes on")
            if self._evaluate_faults == EVALUATE_FAULTS_MAX:
                log.error("twostep: three probes failed; held-out losses are not measured any more")

    def _measure_valley(self, windows: str, checkpoints: Any) -> None:
        began = time.perf_counter()
        names = [str(name) for name in checkpoints] if isinstance(checkpoints, list) else None
        probe = self._hands.valley(windows, names)
        if self._clock is not None:
            for window in probe.get("averaged", ()):
                window["windowSteps"] = self._clock.steps_in(window["windowSteps"])
        if names is None:
            self._probed_at = self.step_count
        self._note_probe({"kind": "valley", "step": self.step_count, "set": "held-out", **probe}, began)

    def _measure_line(self) -> None:
        began = time.perf_counter()
        probe = self._hands.line()
        self._note_probe({"kind": "line", "step": self.step_count, **probe}, began)

    def _note_probe(self, probe: dict[str, Any], began: float) -> None:
        self._note(Note("probes", wire_value({**probe, "seconds": time.perf_counter() - began})))


def _is_action(action: Any) -> bool:
    return (
        isinstance(action, dict)
        and isinstance(action.get("id"), str)
        and isinstance(action.get("kind"), str)
        and isinstance(action.get("atStep"), int)
    )
