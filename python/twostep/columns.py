"""What a call of `run.step` becomes on the wire, and what the tripwire sees of it. Numbers may still be on a device: they are
read when they are there, never waited for."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from .batches import METRICS_MAX, NAME_MAX

log = logging.getLogger("twostep")

PENDING_MAX = 1_000
TOLD_MAX = 100


class Columns:
    """Values as a job gives them, made columns; what is no number is left out, and told once."""

    def __init__(self) -> None:
        self.read: Callable[[Any], Any] = float
        """How the hands make a number, or what gives it later, of a value."""
        self._metric_names: set[str] = set()
        self._told: set[str] = set()

    def number(self, name: str, value: Any) -> Any:
        """A number, or what gives it later; None where it is none: the step is reported all the same."""
        if type(value) is float:
            return value
        try:
            return self.read(value)
        except Exception as error:  # noqa: BLE001 a tensor of many numbers, a text, a deleted buffer
            self._tell_once(f"{name} of step() must be one number, got {type(value).__name__}: {error}")
            return None

    def squared(self, name: str, value: Any) -> Any:
        number = self.number(name, value)
        if callable(number):
            return Squared(number)
        return None if number is None else number * number

    def more(
        self, columns: dict[str, Any], batch_size: int | None, tokens: int | None, objective: str | None
    ) -> None:
        for name, key, value in (("batch_size", "batchSize", batch_size), ("tokens", "tokens", tokens)):
            number = None if value is None else self.number(name, value)
            if isinstance(number, (int, float)) and number >= 0:
                columns[key] = number
            elif value is not None:
                self._tell_once(f"{name} of step() must be 0 or more, got {value!r}")
        if objective is not None and str(objective):
            columns["objective"] = str(objective)[:NAME_MAX]

    def metrics(self, given: dict[str, Any]) -> dict[str, Any]:
        own = {}
        for key, value in given.items():
            name = str(key)[:NAME_MAX] or "metric"
            if name not in self._metric_names:
                if len(self._metric_names) >= METRICS_MAX:
                    self._tell_once(f"a run has at most {METRICS_MAX} metrics of its own; more are left out")
                    continue
                self._metric_names.add(name)
            own[name] = self.number(f"metric {name}", value)
        return own

    def _tell_once(self, text: str) -> None:
        if text not in self._told and len(self._told) < TOLD_MAX:
            self._told.add(text)
            log.warning("twostep: %s", text)


class Lookout:
    """Shows the tripwire each step, or, where the device has its loss only later, an earlier one."""

    def __init__(self) -> None:
        self._pending: deque[tuple[int, Any, Any, Any]] = deque()

    def look(
        self,
        step: int,
        columns: dict[str, Any],
        since_step: int,
        see: Callable[[float | None, float | None], None],
    ) -> None:
        """`see(loss, gradient norm)` for each step from `since_step` on that is known by now and was not skipped."""
        loss, squared, skipped = (
            columns.get("loss"),
            columns.get("gradientNormSquared"),
            columns.get("skipped"),
        )
        pending = self._pending
        if type(loss) is float and squared is None and skipped is None and not pending:
            see(loss, None)  # what most steps are
            return
        if not pending and not (callable(loss) or callable(squared) or callable(skipped)):
            if not skipped:
                see(loss, _root(squared))
            return
        pending.append((step, loss, squared, skipped))
        if len(pending) > PENDING_MAX:
            pending.popleft()
        while pending and all(_is_ready(value) for value in pending[0][1:]):
            at, loss, squared, skipped = pending.popleft()
            if at >= since_step and not _now(skipped):
                see(_now(loss), _root(_now(squared)))


class Squared:
    """The square of a number that the device has only later."""

    __slots__ = ("_value",)

    def __init__(self, value: Callable[[], float]) -> None:
        self._value = value

    def is_ready(self) -> bool:
        return _is_ready(self._value)

    def __call__(self) -> float:
        return self._value() ** 2


def _root(squared: float | None) -> float | None:
    return math.sqrt(squared) if squared is not None and squared >= 0 else None


def _is_ready(value: Any) -> bool:
    return not callable(value) or not hasattr(value, "is_ready") or bool(value.is_ready())


def _now(value: Any) -> float | None:
    return None if value is None else float(value() if callable(value) else value)
