"""A run: the loop of PROTOCOL.md's first page, turned inside out so that a job calls it once a step."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from .batches import METRICS_MAX, Row
from .columns import Columns, Lookout
from .follow import COMMON_RATE, START_SECONDS, Follower
from .hands import Hands, NoHands
from .plan import Segment, end_of_budget, own_plan
from .ranks import find_ranks, rank_of_this_process
from .reporter import Reporter
from .settings import BUDGET_MIN, Settings

log = logging.getLogger("twostep")

P = ParamSpec("P")
R = TypeVar("R")

FAULTS_MAX = 3
CLOSE_SECONDS = 10.0
SECURE_SECONDS = 0.25
"""A checkpoint waits that long for the delivery of what came before it, else it is written to disk."""


def harmless(method: Callable[P, R]) -> Callable[P, R]:
    """A fault of ours is told and raises nothing; after three the run only answers and applies rates."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception:  # noqa: BLE001 the promise of this module
            cast(Run, args[0])._stumbled(method.__name__)
            return cast(R, None)

    return guarded


class Run(Follower):
    """Made by `twostep.init`. All methods are for the training thread of one process; none raises.

    Attributes: `step_count`, the steps taken (the next step's number; with `tokens_per_step` a step is so many tokens); `learning_rate`, the rate of the next step;
    `finished`, whether the run is told to take no more steps.
    """

    def __init__(self, settings: Settings | None) -> None:
        super().__init__(settings)
        self._is_on = settings is not None and settings.mode != "disabled"
        self._process = os.getpid()
        self._is_begun = False
        self._is_closed = False
        self._left_at: float | None = None
        self._faults = 0
        self._columns = Columns()
        self._lookout = Lookout()
        self._logged: dict[str, Any] = {}
        self._told_step = -1
        self._followed: tuple[Any, Segment] = (self._plan, self._plan.segment(self.step_count))
        """The plan and its segment of the last step: the next one is nearly always of the same."""
        _runs.add(self)

    # ---- what a job calls

    @property
    def run_id(self) -> str | None:
        return None if self._settings is None else self._settings.run_id

    @property
    def learning_rate(self) -> float:
        """Of the next step, for the first parameter group."""
        rate = self._plan.rate(self.step_count)
        wire = self._plan.tripwire
        return min(rate, wire.then_rate) if wire is not None and self._is_tripped else rate

    @property
    def momentum(self) -> float | None:
        """Of the next step; None = the job's own."""
        return self._plan.segment(self.step_count).momentum

    @property
    def has_begun(self) -> bool:
        """Whether something is watched, or a step was taken: nothing of the start can be changed any more."""
        return self._is_begun

    @property
    def is_branching(self) -> bool:
        """Whether the steps now taken are those of a copy, of which nothing is reported: `step` and `log` do nothing."""
        return self._branching.is_on

    @harmless
    def expect(self, *, budget_steps: int, first_step: int | None = None) -> None:
        """For adapters: what a trainer knows of the steps to come, where the job did not say it. Before the beginning."""
        settings = self._settings
        if settings is None or self._is_begun:
            return
        if settings.budget_steps is None and budget_steps >= BUDGET_MIN:
            settings = replace(settings, budget_steps=budget_steps)
        if first_step is not None and settings.first_step == 0 and self._clock is None:
            settings = replace(settings, first_step=first_step)
            self.step_count = max(self.step_count, first_step)
        self._settings = settings

    @harmless
    def watch(self, *args: Any, **kwargs: Any) -> None:
        """`watch(model, optimizer, evaluate=…)` of a PyTorch job: see `twostep.torch.watch`, which this calls."""
        from .torch import watch

        watch(self, *args, **kwargs)

    @harmless
    def take(self, hands: Hands) -> None:
        """Begins the run with these hands, once, before the first step."""
        if self._is_begun or self._is_closed:
            log.warning("twostep: the run has begun; what is watched stays as it was")
            hands.close()
            return
        if not self._is_here():
            # Nothing is measured and nothing applied; the rate is the job's own.
            self._plan = own_plan(hands.initial_rate or COMMON_RATE, None)
            hands.close()
            return
        self._hands = hands
        self._columns.read = hands.number
        self._begin()

    @harmless
    def step(
        self,
        loss: Any = None,
        *,
        metrics: dict[str, Any] | None = None,
        gradient_norm: Any = None,
        learning_rate: float | None = None,
        skipped: bool | None = None,
        batch_size: int | None = None,
        tokens: int | None = None,
        objective: str | None = None,
    ) -> None:
        """Call once after each optimizer step.

        `loss`: mean training loss of the step's batch, before the update, a number or a tensor of one. `gradient_norm`:
        Euclidean, before clipping (what `clip_grad_norm_` returns). `learning_rate`: as applied, where nothing is
        watched and it is not the run's. `skipped`: mixed precision left the update out. `batch_size`: examples in the
        batch, over all ranks and accumulated parts. `tokens`: seen so far, by all ranks; where they are the run's clock and it is
        not told, this update took as many as the one before. `objective`: what the loss measures; where
        it changes, nothing before is compared with anything after.
        """
        if self._branching.is_on:
            return
        if not self._is_on or self.finished:
            self._only_count(tokens)
            return
        now = time.perf_counter()
        if not self._is_begun:
            self._begin()
        step, reporter, clock = self.step_count, self._reporter, self._clock
        following = self._after(step, tokens)
        try:
            columns = self._seen_of(step)
            columns["step"] = step
            if self._left_at is not None:
                columns["stepSeconds"] = now - self._left_at
            if following - step > 1:
                # Times are of one step.
                for name in ("stepSeconds", "signalSeconds"):
                    if name in columns:
                        columns[name] /= following - step
            if loss is not None:
                columns["loss"] = self._columns.number("loss", loss)
            if learning_rate is not None:
                columns["learningRate"] = float(learning_rate)
            elif "learningRate" not in columns and self._is_steered:
                columns["learningRate"] = self.learning_rate
            if gradient_norm is not None:
                columns["gradientNormSquared"] = self._columns.squared("gradient_norm", gradient_norm)
            if skipped is not None:
                columns["skipped"] = 1 if skipped else 0
            if batch_size is not None or tokens is not None or objective is not None:
                self._columns.more(columns, batch_size, tokens, objective)
            if reporter is not None:
                self._lookout.look(step, columns, self._restored_at, self._see)
            # Of several updates within one step, as tokens count it, the first is told.
            if reporter is not None and step != self._told_step:
                self._told_step = step
                if self._logged:
                    metrics, self._logged = {**self._logged, **(metrics or {})}, {}
                own = None if metrics is None else self._columns.metrics(metrics)
                reporter.note(Row(self._plan.version, columns, own))
        except Exception:  # noqa: BLE001 the step counts, and is due for a meeting, all the same
            self._stumbled("step")
        self.step_count, self._stride = following, following - step
        block = self._plan.cadence.block
        self._hands.average(block if clock is None else clock.updates_in(block))
        if self.step_count >= self._next_due or (
            reporter is not None and reporter.answer is not None and self._ranks.meets_each is None
        ):
            self._before_step()
        if self._is_steered:
            self._apply()
        self._left_at = time.perf_counter()

    @harmless
    def log(self, metrics: Mapping[str, Any]) -> None:
        """For loggers: metrics of the job's own, which are told with the next step."""
        if self._is_here() and not self._branching.is_on and len(self._logged) < METRICS_MAX:
            self._logged.update(metrics)

    @harmless
    def finish(self, reason: str | None = None) -> None:
        """Call once at the end, in every process of the job: sends the rest (within 10 s, else `twostep sync` does),
        and puts the weights that the evidence says to keep into the model. `reason`: why the job stops before the plan.
        """
        if self._is_closed or not self._is_begun or os.getpid() != self._process:
            self._is_closed = True
            return
        try:
            if not self.finished and self._is_on and self._is_steered and self.step_count >= self._plan.end:
                self._at_end()
        finally:
            farewell = None if self.finished else (reason or f"the job ended after step {self.step_count}")
            self._close(farewell and farewell[:1000])

    def state_dict(self) -> dict[str, Any]:
        """What a job keeps in its own checkpoint, so that a later process goes on with this run and its plan.

        What was reported so far is then delivered (waits at most .25 s) or in the spool: a job that is killed and goes
        on from this checkpoint leaves no gap before it.
        """
        if self._reporter is not None and self._is_here() and not self._is_closed:
            self._reporter.secure(SECURE_SECONDS)
        return {
            "run_id": self.run_id,
            "step": self.step_count,
            "restored_at": self._restored_at,
            "plan": self._plan_document,
            **({} if self._clock is None else {"tokens": self._clock.tokens}),
        }

    @harmless
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Before the first step: goes on from there. The run must have been made with the same `run_id`."""
        step, restored_at = int(state["step"]), int(state.get("restored_at", 0))
        if self._clock is not None:
            self._clock.begin_at(int(state.get("tokens", step * self._clock.tokens_per_step)))
            step = self._clock.step
        self.step_count, self._restored_at, self._next_due = step, restored_at, step
        if state.get("run_id") != self.run_id:
            log.warning(
                "twostep: the state is of run %s, this is %s: give run_id=%r to init to go on with it",
                *(state.get("run_id"), self.run_id, state.get("run_id")),
            )
        elif not self._is_planned:
            self._take_plan(state.get("plan"))
        if self._is_begun and self._is_on and self._is_steered:
            self._apply()

    def __enter__(self) -> Run:  # noqa: PYI034 typing.Self is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """After an exception the run is left open, so that a later process can go on with it."""
        if kind is None:
            self.finish()
        else:
            self._leave_open()

    # ---- inside

    def _is_here(self) -> bool:
        return self._is_on and os.getpid() == self._process

    def _begin(self) -> None:
        settings = self._settings
        self._is_begun = True
        if settings is None:
            return
        if not self._is_planned:
            rate, first, budget = self._hands.initial_rate, settings.first_step, settings.budget_steps
            steps = None if budget is None else end_of_budget(first, budget) - first
            self._plan = own_plan(COMMON_RATE if rate is None else rate, steps, first)
        if not self._is_gathered(settings):
            return
        if self._ranks.leads:
            self._reporter = Reporter(settings, self._options(settings))
            self._reporter.start()
        atexit.register(self._leave_open)
        if settings.mode == "online":
            if self._ranks.leads:
                self._wait(START_SECONDS)
            self._before_step()
        if self._is_steered:
            self._apply()

    def _is_gathered(self, settings: Settings) -> bool:
        """Finds the other processes of the job. Whether this one goes on."""
        if isinstance(self._hands, NoHands):
            # Without a watched model there is nothing to agree on: the first process speaks, and may be the only one.
            self._is_on = rank_of_this_process() == 0
            return self._is_on
        ranks = find_ranks()
        if ranks is None:
            log.error(
                "twostep: not every process of the job watches its model; nothing is reported, training goes on"
            )
            self._is_on = False
            return False
        self._ranks = ranks
        own = {"runId": settings.run_id, "isSteered": self._is_steered, "step": self.step_count}
        order = ranks.share({**own, "plan": self._plan_document})
        self._settings = replace(settings, run_id=order["runId"])
        self._is_steered, self.step_count = bool(order["isSteered"]), int(order["step"])
        self._take_plan(order["plan"])
        return True

    def _options(self, settings: Settings) -> dict[str, Any]:
        options = {
            "runId": settings.run_id,
            "resume": "allow",
            "project": settings.project,
            # What is sent afterwards has followed the job's own plan.
            "mode": "advisory" if settings.mode == "offline" and self._is_steered else settings.steering,
            "capabilities": list(self._hands.capabilities),
            "optimizer": self._hands.optimizer or None,
            "learningRate": {"initial": self._hands.initial_rate},
            "framework": getattr(self._hands, "framework", "python"),
            "firstStep": settings.first_step,
            "warmupSteps": settings.warmup_steps,
            "tokensPerStep": settings.tokens_per_step,
            "budgetSteps": settings.budget_steps,
            "name": settings.name,
            "tags": list(settings.tags),
            "settings": dict(settings.config),
        }
        return {key: value for key, value in options.items() if value is not None}

    def _seen_of(self, step: int) -> dict[str, Any]:
        """Columns of the update just taken. Hands count updates."""
        micro_batch, clock = self._plan.cadence.micro_batch, self._clock
        if clock is None:
            return self._hands.columns(step, micro_batch)
        return self._hands.columns(clock.updates - 1, clock.updates_in(micro_batch))

    def _apply(self) -> None:
        """The rates of the next step."""
        step, (plan, segment) = self.step_count, self._followed
        if plan is not self._plan or not segment.from_step <= step < segment.to_step:
            segment = self._plan.segment(step)
            self._followed = self._plan, segment
        self._hands.apply(self.learning_rate if self._is_tripped else segment.rate(step), segment.momentum)

    def _after(self, step: int, tokens: Any) -> int:
        """The number of the step after an update that was of this one."""
        return step + 1 if self._clock is None else self._clock.count(tokens)

    def _only_count(self, tokens: Any) -> None:
        if self.finished:
            return
        self.step_count = self._after(self.step_count, tokens)
        if self._faults >= FAULTS_MAX and self._is_steered and os.getpid() == self._process:
            self._apply()

    def _see(self, loss: float | None, norm: float | None) -> None:
        if self._wire.see(self._plan.tripwire, loss, norm) and self._reporter is not None:
            self._is_tripped = self._ranks.meets_each is None
            self._reporter.ask()

    def _close(self, farewell: str | None) -> None:
        reporter, self._reporter = self._reporter, None
        self._is_closed = self.finished = True
        atexit.unregister(self._leave_open)
        try:
            self._hands.close()
        finally:
            if reporter is not None:
                reporter.close(farewell, CLOSE_SECONDS)

    @harmless
    def _leave_open(self) -> None:
        """At an end that nobody has told: delivers the rest without a farewell, so that the run can be gone on with."""
        if not self._is_closed and self._is_begun and os.getpid() == self._process:
            self._close(None)

    def _stumbled(self, where: str) -> None:
        self._faults += 1
        log.exception("twostep: a fault in %s; training goes on", where)
        if self._faults == FAULTS_MAX and self._ranks.meets_each is None:
            log.error("twostep: three faults; nothing more is reported, the plan at hand is followed")
            self._is_on = False


_runs: weakref.WeakSet[Run] = weakref.WeakSet()


def _forked() -> None:
    """In a child, such as a worker that loads data: nothing is reported or applied there."""
    for run in _runs:
        run._is_on = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
