"""What a user could pick for a job: schedules at its default rate, optimizers that need none, and Twostep.

Each row trains one job and answers the test loss of the weights that it would hand over. Steps are equal for all; what a
row spends on searching and probing is part of them, or is told in seconds.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import twostep

from .tasks import Job, Task

LOOKS = 40
"""How often a row that chooses by held-out loss looks at it."""


@dataclass
class Outcome:
    test: float
    seconds: float
    more: dict[str, Any]


Rate = Callable[[int], float]
Row = Callable[[Task, int, int, str], Outcome]


def linear(steps: int, warm: float = 0.05) -> Rate:
    return lambda step: min(1.0, (step + 1) / max(1, warm * steps)) * (1 - step / steps)


def cosine(steps: int, warm: float = 0.05) -> Rate:
    return lambda step: (
        min(1.0, (step + 1) / max(1, warm * steps)) * (1 + math.cos(math.pi * step / steps)) / 2
    )


def constant_then(steps: int, share: float = 0.2, warm: float = 0.05) -> Rate:
    """Warm-up, constant, the last share linear to 0."""
    turn = (1 - share) * steps
    return lambda step: (
        min(1.0, (step + 1) / max(1, warm * steps)) * min(1.0, (steps - step) / (steps - turn))
    )


def _trained(
    job: Job,
    task: Task,
    steps: int,
    optimizer: torch.optim.Optimizer,
    rate: Rate | None,
    base: float,
    after: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
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
        after(step, loss)


def scheduled(schedule: Callable[[int], Rate], factor: float = 1.0) -> Row:
    def run(task: Task, seed: int, steps: int, _server: str) -> Outcome:
        job, began = task.build(seed), time.perf_counter()
        base = factor * task.default_rate
        _trained(job, task, steps, task.optimizer(job.model.parameters(), base), schedule(steps), base)
        return Outcome(job.score(job.model, job.test), time.perf_counter() - began, {})

    return run


def _statistics(job: Job, model: nn.Module, batches: list[Tensor]) -> None:
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


def five_lines(factor: float = 1.0, decay: float = 0.99) -> Row:
    """Warm-up, constant, last fifth linear, an exponential mean of the weights beside; the better of both is kept by held-out loss."""

    def run(task: Task, seed: int, steps: int, _server: str) -> Outcome:
        job, began = task.build(seed), time.perf_counter()
        base = factor * task.default_rate
        mean = copy.deepcopy(job.model)
        best: list[Any] = [math.inf, None]
        inputs: list[Tensor] = []
        batch = job.batch

        def remembered() -> tuple[Tensor, Tensor]:
            taken = batch()
            inputs.append(taken[0])
            del inputs[:-8]
            return taken

        job.batch = remembered

        @torch.no_grad()
        def after(step: int, loss: float) -> None:
            for a, p in zip(mean.parameters(), job.model.parameters(), strict=True):
                a.lerp_(p, max(1 - decay, 1 / (step + 1)))
            if (step + 1) % max(1, steps // LOOKS) and step + 1 < steps:
                return
            for model in (job.model, mean):
                scored = copy.deepcopy(model)
                _statistics(job, scored, inputs)
                held = job.score(scored, job.held_out)
                if held < best[0]:
                    best[:] = [held, scored]

        optimizer = task.optimizer(job.model.parameters(), base)
        _trained(job, task, steps, optimizer, constant_then(steps), base, after)
        return Outcome(job.score(best[1] or job.model, job.test), time.perf_counter() - began, {})

    return run


def plateau(task: Task, seed: int, steps: int, _server: str) -> Outcome:
    """ReduceLROnPlateau by a tenth with patience 2 over the looks, best held-out weights kept."""
    job, began = task.build(seed), time.perf_counter()
    optimizer = task.optimizer(job.model.parameters(), task.default_rate)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
    best: list[Any] = [math.inf, None]

    def after(step: int, loss: float) -> None:
        if (step + 1) % max(1, steps // LOOKS):
            return
        held = job.score(job.model, job.held_out)
        scheduler.step(held)
        if held < best[0]:
            best[:] = [held, copy.deepcopy(job.model.state_dict())]

    _trained(job, task, steps, optimizer, None, task.default_rate, after)
    if best[1] is not None:
        job.model.load_state_dict(best[1])
    return Outcome(job.score(job.model, job.test), time.perf_counter() - began, {})


def prodigy(task: Task, seed: int, steps: int, _server: str) -> Outcome:
    from prodigyopt import Prodigy

    job, began = task.build(seed), time.perf_counter()
    _trained(job, task, steps, Prodigy(job.model.parameters(), lr=1.0), cosine(steps), 1.0)
    return Outcome(job.score(job.model, job.test), time.perf_counter() - began, {})


def schedule_free(task: Task, seed: int, steps: int, _server: str) -> Outcome:
    from schedulefree import AdamWScheduleFree

    job, began = task.build(seed), time.perf_counter()
    optimizer = AdamWScheduleFree(job.model.parameters(), lr=0.0025, warmup_steps=int(0.05 * steps))
    optimizer.train()
    inputs = [job.batch()[0] for _ in range(8)]
    _trained(job, task, steps, optimizer, None, 0.0)
    optimizer.eval()
    _statistics(job, job.model, inputs)
    return Outcome(job.score(job.model, job.test), time.perf_counter() - began, {})


def ours(evaluates: bool = True, factor: float = 1.0) -> Row:
    """Steered through the client. `evaluates`: held-out losses, averages, states; else the loss alone."""

    def run(task: Task, seed: int, steps: int, server: str) -> Outcome:
        job, began = task.build(seed), time.perf_counter()
        optimizer = task.optimizer(job.model.parameters(), factor * task.default_rate)
        steered = twostep.init("autopilot", steps, name=f"{task.name}-{seed}", server_url=server)
        evaluate = job.held_out_parts if evaluates else None
        steered.watch(
            job.model, optimizer, evaluate, examples=task.held_out_count, batch_size=task.batch_size,
            data=job.order, checkpoints=evaluates,
        )  # fmt: skip
        job.model.train()
        taken = 0
        while taken < steps and not steered.finished:
            optimizer.zero_grad()
            loss = job.loss(job.model, job.batch())
            loss.backward()
            norm = None if task.clip is None else nn.utils.clip_grad_norm_(job.model.parameters(), task.clip)
            optimizer.step()
            steered.step(loss, gradient_norm=norm)
            taken += 1
        steered.finish()
        seconds = time.perf_counter() - began
        return Outcome(job.score(job.model, job.test), seconds, {"run": steered.run_id, "steps": taken})

    return run


ROWS: dict[str, Row] = {
    "ours": ours(),
    "ours, loss alone": ours(evaluates=False),
    "five lines": five_lines(),
    "linear": scheduled(linear),
    "cosine": scheduled(cosine),
    "constant, last 20 % linear": scheduled(constant_then),
    "plateau, best kept": plateau,
    "Prodigy, cosine": prodigy,
    "Schedule-Free AdamW": schedule_free,
    "ours, rate / 10": ours(factor=0.1),
    "five lines, rate / 10": five_lines(0.1),
    "linear, rate / 10": scheduled(linear, 0.1),
    "linear, rate / 3": scheduled(linear, 1 / 3),
    "linear, rate x 3": scheduled(linear, 3.0),
    "ours, rate x 10": ours(factor=10.0),
    "five lines, rate x 10": five_lines(10.0),
    "linear, rate x 10": scheduled(linear, 10.0),
}
