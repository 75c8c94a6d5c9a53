"""A run: the loop of PROTOCOL.md's first page, turned inside out so that a job calls it once a step."""

from __future__ import annotations

import atexit
import functools
import logging
import math
import os
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar, cast

from .guard import Watch
from .hands import Hands, NoHands, Unsupported
from .plan import Plan, PlanError, own_plan, parse_plan
from .reporter import Note, Reporter, Row
from .settings import BUDGET_MIN, Settings

log = logging.getLogger("twostep")

P = ParamSpec("P")
R = TypeVar("R")

AWAIT_SECONDS = 10.0
ACTION_SECONDS = 1.0
START_SECONDS = 2.0
WAIT_GRACE = 12.0
WAIT_SHARE = 0.01
"""Waiting for answers takes at most the grace and this share of the time since the start."""
ROUNDS = 16
PAUSE_SECONDS = 60.0
END_SECONDS = 30.0
FAULTS_MAX = 3
COMMON_RATE = 0.001

NEVER = 2**62


def harmless(fallback: Any = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A fault of ours is told once a kind and raises nothing; after three the run only answers rates."""

    def wrap(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(*args, **kwargs)
            except Exception:
                cast(Run, args[0])._stumbled(method.__name__)
                return cast(R, fallback)

        return guarded

    return wrap


class Run:
    """Made by `twostep.init`. All methods are for the training thread of one process; none raises.

    Attributes: `step_count`, the steps taken (the next step's number); `learning_rate`, the rate of the next step;
    `finished`, whether the run is told to take no more steps.
    """

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._hands: Hands = NoHands()
        self._reporter: Reporter | None = None
        self._is_on = settings is not None and settings.mode != "disabled"
        self._process = os.getpid()
        self.step_count = settings.first_step if settings else 0
        self.finished = False
        self._plan = own_plan(COMMON_RATE, None)
        self._is_planned = False
        self._is_steered = self._is_on and settings is not None and settings.steering in ("auto", "approve")
        self._wire = Watch()
        self._actions: list[dict[str, Any]] = []
        self._done: set[str] = set()
        self._restored_at = 0
        self._probed_at = -1
        self._awaited = -1
        self._waited = 0.0
        self._paused_since: float | None = None
        self._ended_since: float | None = None
        self._next_due = 0
        self._began = time.monotonic()
        self._left_at: float | None = None
        self._faults = 0
        self._kept: str | None = None
        self._closes = weakref.finalize(self, lambda: None)

    # ---- what a job calls

    @property
    def run_id(self) -> str | None:
        return None if self._settings is None else self._settings.run_id

    @property
    def learning_rate(self) -> float:
        """Of the next step, for the first parameter group."""
        rate = self._plan.rate(self.step_count)
        wire = self._plan.tripwire
        return min(rate, wire.then_rate) if wire is not None and self._wire.tripped else rate

    @property
    def momentum(self) -> float | None:
        """Of the next step; None = the job's own."""
        return self._plan.segment(self.step_count).momentum

    @property
    def has_begun(self) -> bool:
        """Whether something is watched, or a step was taken, so that nothing of the start can be changed any more."""
        return self._reporter is not None

    @harmless()
    def expect(self, *, budget_steps: int, first_step: int | None = None) -> None:
        """For adapters: what the trainer knows of the steps to come, where the job did not say it. Before the beginning."""
        settings = self._settings
        if settings is None or self.has_begun:
            return
        if settings.budget_steps is None and budget_steps >= BUDGET_MIN:
            settings = replace(settings, budget_steps=budget_steps)
        if first_step is not None and settings.first_step == 0:
            settings = replace(settings, first_step=first_step)
            self.step_count = max(self.step_count, first_step)
        self._settings = settings

    @harmless()
    def watch(self, *args: Any, **kwargs: Any) -> None:
        """`watch(model, optimizer, evaluate=…)` of a PyTorch job: see `twostep.torch.watch`, which this calls."""
        from .torch import watch

        watch(self, *args, **kwargs)

    @harmless()
    def take(self, hands: Hands) -> None:
        """Begins the run with these hands, once, before the first step."""
        if self._reporter is not None:
            log.warning("twostep: the run has begun; what is watched stays as it was")
            return
        self._hands = hands
        self._begin()

    @harmless()
    def step(
        self,
        loss: Any = None,
        *,
        metrics: dict[str, float] | None = None,
        gradient_norm: float | None = None,
        skipped: bool = False,
        batch_size: int | None = None,
        tokens: int | None = None,
        objective: str | None = None,
    ) -> None:
        """Call once after each optimizer step.

        `loss`: mean training loss of the step's batch, before the update, a number or a tensor of one. `gradient_norm`:
        Euclidean, before clipping (what `clip_grad_norm_` returns). `skipped`: mixed precision left the update out.
        `batch_size`: examples in the batch, over all ranks and accumulated parts. `tokens`: seen so far. `objective`:
        what the loss measures; where it changes, nothing before is compared with anything after.
        """
        if not self._is_on or self.finished or os.getpid() != self._process:
            if not self.finished:
                self.step_count += 1
            return
        now = time.perf_counter()
        if self._reporter is None:
            self._begin()
        columns = self._seen_columns(loss, gradient_norm, skipped, batch_size, tokens, objective)
        if self._left_at is not None:
            columns["stepSeconds"] = now - self._left_at
        reporter = cast(Reporter, self._reporter)
        row = Row(self._plan.version, columns, metrics)
        reporter.note(row)
        self.step_count += 1
        self._hands.average(self._plan.cadence.block)
        if self.step_count >= self._next_due or reporter.answer is not None:
            self._before_step()
        self._hands.apply(self.learning_rate, self.momentum)
        self._left_at = time.perf_counter()

    @harmless()
    def finish(self, reason: str | None = None) -> None:
        """Call once at the end: sends the rest (within 10 s, else `twostep sync` does), and puts the weights that the
        evidence says to keep into the model. `reason`: why the job stops before the plan does."""
        reporter, self._reporter = self._reporter, None
        if reporter is None or os.getpid() != self._process:
            return
        if not self.finished and self._is_steered and self.step_count >= self._plan.end:
            self._reporter = reporter
            self._wait_for_end()
            self._reporter = None
        farewell = None if self.finished else (reason or f"the job ended after step {self.step_count}")
        self.finished = True
        reporter.close(farewell, 10.0)
        atexit.unregister(self._at_exit)

    def state_dict(self) -> dict[str, Any]:
        """What a job keeps in its own checkpoint, so that a later process goes on with this run."""
        return {"run_id": self.run_id, "step": self.step_count, "restored_at": self._restored_at}

    @harmless()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Before the first step: goes on from there. The run must have been made with the same `run_id`."""
        self.step_count = int(state["step"])
        self._restored_at = int(state.get("restored_at", 0))

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, _trace: Any) -> None:
        self.finish(None if kind is None else f"{kind.__name__}: {error}"[:1000])

    # ---- inside

    def _begin(self) -> None:
        settings = self._settings
        if settings is None or not self._is_on:
            return
        rate = self._hands.initial_rate
        left = settings.budget_steps
        if left is not None and left > settings.first_step:
            left -= settings.first_step
        self._plan = own_plan(COMMON_RATE if rate is None else rate, left, settings.first_step)
        self._reporter = Reporter(settings, self._options(settings), self._seen_later)
        self._reporter.start()
        atexit.register(self._at_exit)
        if settings.mode == "online":
            self._wait(START_SECONDS)
            self._before_step()
        self._hands.apply(self.learning_rate, self.momentum)

    def _options(self, settings: Settings) -> dict[str, Any]:
        budget = None if settings.budget_steps is None else {"budgetSteps": settings.budget_steps}
        options = {
            "runId": settings.run_id,
            "resume": "allow",
            "project": settings.project,
            "mode": settings.steering,
            "capabilities": list(self._hands.capabilities),
            "optimizer": self._hands.optimizer or None,
            "learningRate": {"initial": self._hands.initial_rate},
            "framework": getattr(self._hands, "framework", "python"),
            "firstStep": settings.first_step,
            "warmupSteps": settings.warmup_steps,
            "name": settings.name,
            "tags": list(settings.tags),
            "settings": {key: _plain(value) for key, value in settings.config.items()},
            **(budget or {}),
        }
        return {key: value for key, value in options.items() if value is not None}

    def _seen_columns(
        self,
        loss: Any,
        gradient_norm: float | None,
        skipped: bool,
        batch_size: int | None,
        tokens: int | None,
        objective: str | None,
    ) -> dict[str, Any]:
        columns: dict[str, Any] = {"step": self.step_count, "learningRate": self.learning_rate}
        columns.update(self._hands.columns(self.step_count, self._plan.cadence.micro_batch))
        value = self._hands.number(loss)
        if value is not None:
            columns["loss"] = value
        if gradient_norm is not None:
            norm = self._hands.number(gradient_norm)
            columns["gradientNormSquared"] = norm * norm if isinstance(norm, float) else _squared(norm)
        for name, given in (("batchSize", batch_size), ("tokens", tokens), ("objective", objective)):
            if given is not None:
                columns[name] = given
        if skipped:
            columns["skipped"] = 1
        elif isinstance(value, float):
            squared = columns.get("gradientNormSquared")
            norm_now = math.sqrt(squared) if isinstance(squared, float) and squared >= 0 else None
            self._see(value, norm_now)
        return columns

    def _see(self, loss: float, norm: float | None) -> None:
        if self._wire.see(self._plan.tripwire, loss, norm) and self._reporter is not None:
            self._reporter.ask()

    def _seen_later(self, row: Row) -> None:
        """In the reporter's thread: a loss that only the device knew when the step was noted."""
        loss = row.columns.get("loss")
        if callable(loss) and not row.columns.get("skipped"):
            self._see(float(loss()), None)

    def _before_step(self) -> None:
        """All that is due before the next step (PROTOCOL.md, first page)."""
        for turn in range(ROUNDS):
            self._hear()
            has_acted = self._carry_out()
            if turn == 0 and not self.finished:
                has_acted = self._probe() or has_acted
            is_awaited = self._plan.await_at == self.step_count != self._awaited
            if not (has_acted or is_awaited):
                break
            if is_awaited:
                self._awaited = self.step_count
            self._wait(AWAIT_SECONDS if is_awaited else ACTION_SECONDS)
            if self.finished:
                break
        self._pause()
        self._next_due = self._due()

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
        return min(due, default=NEVER)

    def _wait(self, seconds: float) -> None:
        """Waits for an answer to all that was noted, for a time that is bounded over the whole run as well."""
        if self._reporter is None:
            return
        began = time.monotonic()
        allowed = WAIT_GRACE + WAIT_SHARE * (began - self._began) - self._waited
        self._reporter.settle(min(seconds, allowed))
        self._waited += time.monotonic() - began
        self._hear()

    def _hear(self) -> None:
        """Takes the newest answer: its plan unless that is older, and all its actions."""
        document = None if self._reporter is None else self._reporter.take()
        if document is None:
            return
        try:
            plan = parse_plan(document.get("plan"))
            if plan.version >= self._plan.version:
                self._plan, self._is_planned = plan, True
        except PlanError as error:
            log.warning("twostep: the plan is kept: %s", error)
        run = document.get("run")
        if isinstance(run, dict) and run.get("mode") is not None:
            self._is_steered = run["mode"] in ("auto", "approve")
        actions = document.get("actions")
        if isinstance(actions, list):
            self._actions = [action for action in actions if _is_action(action)]
            open_ids = {action["id"] for action in self._actions}
            self._done &= open_ids
        self._wire.tripped = False
        phase = document.get("phase") or (run.get("phase") if isinstance(run, dict) else None)
        if phase == "done" and not self._actions:
            self.finished = True

    def _carry_out(self) -> bool:
        """Does the actions that are due, each once; whether there were any."""
        due = [a for a in self._actions if a["atStep"] <= self.step_count and a["id"] not in self._done]
        for action in sorted(due, key=lambda action: int(action["atStep"])):
            status, detail = "done", ""
            try:
                self._act(action)
            except Unsupported as error:
                status, detail = "unsupported", str(error)
            except Exception as error:
                status, detail = "failed", f"{type(error).__name__}: {error}"[:1000]
                log.warning("twostep: %s was not done: %s", action["kind"], detail)
            self._done.add(action["id"])
            body = {"actionId": action["id"], "status": status, "step": self.step_count, "detail": detail}
            self._note(Note("acknowledgements", body, closes=action["kind"] == "restore"))
        return bool(due)

    def _note(self, note: Note) -> None:
        if self._reporter is not None:
            self._reporter.note(note, is_urgent=True)

    def _act(self, action: dict[str, Any]) -> None:
        kind, name = action["kind"], action.get("checkpoint")
        if kind == "checkpoint":
            self._hands.keep(str(name), action.get("weights") == "averaged")
        elif kind == "restore":
            self._hands.restore(
                str(name), bool(action.get("rewindData")), int(action.get("skipBatches") or 0)
            )
            self._wire.begin_anew()
            self._restored_at = self.step_count
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
            keep = action.get("keep", "last")
            self.finished = True
            if isinstance(keep, dict):
                self._hands.finish("checkpoint", str(keep.get("checkpoint")))
            else:
                self._hands.finish(str(keep), None)
        else:
            raise Unsupported(f"an action of kind {kind}")

    def _probe(self) -> bool:
        """The probes that the cadence asks for before this step; one that an action asked for serves."""
        distance, cadence, able = (
            self.step_count - self._restored_at,
            self._plan.cadence,
            self._hands.capabilities,
        )
        is_valley = bool(
            cadence.valley and distance > 0 and distance % cadence.valley == 0 and "heldOutLoss" in able
        )
        is_line = bool(cadence.line and distance > 0 and distance % cadence.line == 0 and "lineProbe" in able)
        if is_valley and self._probed_at != self.step_count:
            self._measure_valley("longest", None)
        if is_line:
            self._measure_line()
        return is_valley or is_line

    def _measure_valley(self, windows: str, checkpoints: Any) -> None:
        began = time.perf_counter()
        names = [str(name) for name in checkpoints] if isinstance(checkpoints, list) else None
        probe = self._hands.valley(windows, names)
        if names is None:
            self._probed_at = self.step_count
        head = {"kind": "valley", "step": self.step_count, "set": "held-out"}
        self._note(Note("probes", {**head, **_named(probe), "seconds": time.perf_counter() - began}))

    def _measure_line(self) -> None:
        began = time.perf_counter()
        probe = self._hands.line()
        head = {"kind": "line", "step": self.step_count}
        self._note(Note("probes", {**head, **_named(probe), "seconds": time.perf_counter() - began}))

    def _pause(self) -> None:
        """Waits while a person has paused the run; a minute without an answer ends that."""
        while self._paused_since is not None and self._reporter is not None and not self.finished:
            if self._reporter.settle(1.0):
                self._paused_since = time.monotonic()
                time.sleep(1.0)
            elif time.monotonic() - self._paused_since > PAUSE_SECONDS:
                self._paused_since = None
            self._hear()
            self._carry_out()

    def _wait_for_end(self) -> None:
        """At the end of the plan: measures, sends, and hears which weights to keep."""
        until = time.monotonic() + END_SECONDS
        while not self.finished and self._reporter is not None and time.monotonic() < until:
            if not self._reporter.settle(min(5.0, until - time.monotonic())):
                break
            self._hear()
            self._carry_out()

    def _stumbled(self, where: str) -> None:
        self._faults += 1
        log.exception("twostep: a fault in %s; training goes on", where)
        if self._faults >= FAULTS_MAX:
            log.error("twostep: three faults; nothing more is reported, the plan at hand is followed")
            self._is_on = False

    def _at_exit(self) -> None:
        self.finish()


def _is_action(action: Any) -> bool:
    return (
        isinstance(action, dict)
        and isinstance(action.get("id"), str)
        and isinstance(action.get("kind"), str)
        and isinstance(action.get("atStep"), int)
    )


def _squared(later: Callable[[], float]) -> Callable[[], float]:
    return lambda: later() ** 2


def _plain(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)[:1000]


def _named(value: Any) -> Any:
    """Floats that JSON does not have as names, at any depth."""
    from .reporter import wire_number

    if isinstance(value, dict):
        return {key: _named(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(entry) for entry in value]
    return wire_number(value)
