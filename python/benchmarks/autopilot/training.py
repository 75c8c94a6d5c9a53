"""How a row trains a job: rates as functions of the step, the loop, and weights kept at their best held-out loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .jobs import Batch, Job, Task

LOOKS = 40
"""How often a row that chooses by held-out loss looks at it."""
DECAY = 0.99


@dataclass(frozen=True)
class Setting:
    """What a row is given."""

    task: Task
    seed: int
    steps: int
    server: str
    found: Found | None = None
    """What ours has found on the same job; for rows that go on from there."""


@dataclass(frozen=True)
class Found:
    rate: float
    search_steps: int


@dataclass
class Outcome:
    test: float
    more: dict[str, Any]


Rate = Callable[[int], float]
Row = Callable[[Setting], Outcome]


def linear(steps: int, warm: float = 0.05) -> Rate:
    return lambda step: min(1.0, (step + 1) / max(1, warm * steps)) * (1 - step / steps)


def cosine(steps: int, warm: float = 0.05) -> Rate:
    return lambda step: (
        min(1.0, (step + 1) / max(1, warm * steps)) * (1 + math.cos(math.pi * step / steps)) / 2
    )


def constant_then(share: float, warm: float = 0.05) -> Callable[[int], Rate]:
    """Warm-up, constant, the last share linear to 0."""

    def schedule(steps: int) -> Rate:
        turn = (1 - share) * steps
        return lambda step: (
            min(1.0, (step + 1) / max(1, warm * steps)) * min(1.0, (steps - step) / max(1e-9, steps - turn))
        )

    return schedule


def trained(
    job: Job,
    task: Task,
    steps: int,
    optimizer: torch.optim.Optimizer,
    rate: Rate | None,
    base: float,
    after: Callable[[int], bool | None] = lambda step: None,
) -> int:
    """How many steps it took: all of them, unless `after` says that it is over."""
    job.model.train()
    for step in range(steps):
        if rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = base * rate(step)
        optimizer.zero_grad()
        loss = job.loss(job.model, job.batch())
        loss.backward()
        if task.clip is not None:
            nn.utils.clip_grad_norm_(job.model.parameters(), task.clip)
        optimizer.step()
        if after(step):
            return step + 1
    return steps


def remembering(job: Job) -> list[Tensor]:
    """Inputs of the last eight batches that the job draws from now on."""
    inputs: list[Tensor] = []
    batch = job.batch

    def remembered() -> Batch:
        taken = batch()
        inputs.append(taken[0])
        del inputs[:-8]
        return taken

    job.batch = remembered
    return inputs


def statistics(model: nn.Module, batches: list[Tensor]) -> None:
    """BatchNorm statistics of other weights, over some training batches."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    if not layers:
        return
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    model.train()
    with torch.no_grad():
        for inputs in batches:
            model(inputs)
    model.eval()


class Best:
    """Of the present weights and, if wished, of their exponential mean, those of the lowest held-out loss at some looks."""

    def __init__(self, job: Job, steps: int, has_mean: bool) -> None:
        self._job = job
        self._steps = steps
        self._mean = copy.deepcopy(job.model) if has_mean else None
        self._inputs = remembering(job)
        self.loss = math.inf
        self.last = math.inf
        self.model = job.model

    @torch.no_grad()
    def after(self, step: int) -> None:
        if self._mean is not None:
            for a, p in zip(self._mean.parameters(), self._job.model.parameters(), strict=True):
                a.lerp_(p, max(1 - DECAY, 1 / (step + 1)))
        if (step + 1) % max(1, self._steps // LOOKS) == 0 or step + 1 == self._steps:
            self.look()

    def look(self) -> float:
        """The held-out loss of the present weights."""
        held = self.last = self._job.score(self._job.model, self._job.held_out)
        self._offer(self._job.model, held)
        if self._mean is not None:
            scored = copy.deepcopy(self._mean)
            statistics(scored, self._inputs)
            self._offer(scored, self._job.score(scored, self._job.held_out))
        return held

    def _offer(self, model: nn.Module, loss: float) -> None:
        if loss < self.loss:
            self.loss, self.model = loss, copy.deepcopy(model)
