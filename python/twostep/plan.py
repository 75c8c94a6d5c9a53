"""The plan: learning rates ahead, which a job evaluates by itself (PROTOCOL.md §4).

Golden values: protocol/examples/plans.json, which the TypeScript side passes as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

Shape = Literal["constant", "linear", "cosine", "oneMinusSqrt", "exponential"]


class PlanError(ValueError):
    """A plan that cannot be followed; the text names the field, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rates of the steps from `from_step` up to, not including, `to_step`."""

    from_step: int
    to_step: int
    shape: Shape
    start: float
    end: float
    momentum: float | None = None

    def rate(self, step: int) -> float:
        """The learning rate of a step; before the segment its first, after it its last."""
        if self.shape == "constant":
            return self.start
        z = (step - self.from_step) / (self.to_step - self.from_step)
        if z >= 1:
            return self.end
        if z <= 0:
            return self.start
        if self.shape == "exponential":
            return self.start * math.pow(self.end / self.start, z)
        gone = z
        if self.shape == "cosine":
            gone = (1 - math.cos(math.pi * z)) / 2
        elif self.shape == "oneMinusSqrt":
            gone = math.sqrt(z)
        return self.start * (1 - gone) + self.end * gone


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often to measure, in steps; None = not asked for."""

    block: int | None = None
    valley: int | None = None
    line: int | None = None
    micro_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Tripwire:
    """Limits that a job obeys between two answers (PROTOCOL.md §5); None = not watched."""

    loss_above: float | None
    gradient_norm_above: float | None
    then_rate: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments in order and without gaps, and what else a job needs until the next answer."""

    version: int
    segments: tuple[Segment, ...]
    cadence: Cadence = Cadence()
    tripwire: Tripwire | None = None
    await_at: int | None = None

    def segment(self, step: int) -> Segment:
        """The segment in force: the first one before the plan, the last one after it."""
        for segment in self.segments:
            if step < segment.to_step:
                return segment
        return self.segments[-1]

    def rate(self, step: int) -> float:
        """The planned learning rate of a step, of the first parameter group."""
        return self.segment(step).rate(step)

    @property
    def end(self) -> int:
        """One past the last planned step."""
        return self.segments[-1].to_step


def end_of_budget(first_step: int, budget_steps: int) -> int:
    """One past the last step of a run whose counter began at `first_step`, as the server reads a budget (PROTOCOL.md §2)."""
    return budget_steps if first_step > 1 and budget_steps > first_step else first_step + budget_steps


def own_plan(rate: float, steps: int | None, first_step: int = 0) -> Plan:
    """What a job does while nobody has answered: its rate for 75 % of the steps, then linear to 0 (PROTOCOL.md, the fallback plan); without a budget the rate."""
    if steps is None or steps < 2:
        return Plan(0, (Segment(first_step, first_step + 1, "constant", rate, rate),))
    turn = first_step + max(1, int(0.75 * steps + 0.5))
    end = max(turn + 1, first_step + steps)
    return Plan(
        0,
        (Segment(first_step, turn, "constant", rate, rate), Segment(turn, end, "linear", rate, 0.0)),
    )


def parse_plan(document: Any) -> Plan:
    """A plan of an answer. Raises PlanError where it cannot be followed: the one at hand is then kept."""
    if not isinstance(document, dict):
        raise PlanError(f"plan must be an object, got {type(document).__name__}")
    segments = document.get("segments")
    if not isinstance(segments, list) or not segments:
        raise PlanError("plan.segments must hold at least one segment, got none")
    parsed: list[Segment] = []
    for i, entry in enumerate(segments):
        parsed.append(_segment(f"plan.segments[{i}]", entry, parsed[-1].to_step if parsed else None))
    return Plan(
        _whole("plan.version", document.get("version", 0)),
        tuple(parsed),
        _cadence(document.get("cadence")),
        _tripwire(document.get("tripwire")),
        None if document.get("awaitAtStep") is None else _whole("plan.awaitAtStep", document["awaitAtStep"]),
    )


def _segment(at: str, entry: Any, expected: int | None) -> Segment:
    if not isinstance(entry, dict):
        raise PlanError(f"{at} must be an object, got {type(entry).__name__}")
    first = _whole(f"{at}.fromStep", entry.get("fromStep"))
    stop = entry.get("toStep")
    if type(stop) is not int or stop <= first:
        raise PlanError(f"{at}.toStep must be a whole number above fromStep {first}, got {stop}")
    if expected is not None and expected != first:
        raise PlanError(f"{at}.fromStep must be {expected}, the end of the segment before it, got {first}")
    shape: Any = entry.get("shape")
    rates = []
    for key in ("from", "to"):
        rate = _finite(entry.get(key))
        if rate is None or not (rate > 0 or (rate == 0 and shape != "exponential")):
            allowed = "above 0" if rate == 0 else ">= 0"
            raise PlanError(f"{at}.{key} must be a finite rate {allowed}, got {entry.get(key)}")
        rates.append(rate)
    if shape == "constant" and rates[0] != rates[1]:
        raise PlanError(f"{at}.to must equal from {entry['from']} in a constant segment, got {entry['to']}")
    if shape not in get_args(Shape):
        raise PlanError(f"{at}.shape is unknown: {shape}")
    momentum = _finite(entry.get("momentum"))
    is_coefficient = momentum is not None and 0 <= momentum < 1
    return Segment(first, stop, shape, rates[0], rates[1], momentum if is_coefficient else None)


def _finite(value: Any) -> float | None:
    """A number that a rate may be; None for all else, also for one too large for a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _whole(at: str, value: Any) -> int:
    if type(value) is not int:
        raise PlanError(f"{at} must be a whole number, got {value!r}")
    return value


def _cadence(document: Any) -> Cadence:
    if not isinstance(document, dict):
        return Cadence()

    def steps(key: str) -> int | None:
        value = document.get(key)
        return value if type(value) is int and value > 0 else None

    return Cadence(steps("blockSteps"), steps("valleySteps"), steps("lineSteps"), steps("microBatchSteps"))


def _tripwire(document: Any) -> Tripwire | None:
    if not isinstance(document, dict):
        return None

    rate = _finite(document.get("thenLearningRate"))
    if rate is None or rate < 0:
        return None
    return Tripwire(_finite(document.get("lossAbove")), _finite(document.get("gradientNormAbove")), rate)
