"""What a user could pick instead: schedules at some rate, rules that look at the held-out loss, optimizers that need no rate."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .training import (
    LOOKS,
    Best,
    Outcome,
    Rate,
    Row,
    Setting,
    constant_then,
    cosine,
    linear,
    remembering,
    statistics,
    trained,
)


def scheduled(schedule: Callable[[int], Rate], factor: float = 1.0) -> Row:
    """A schedule from `factor` times the default rate; the last weights count."""

    def run(setting: Setting) -> Outcome:
        task, steps = setting.task, setting.steps
        job = task.build(setting.seed)
        base = factor * task.default_rate
        trained(job, task, steps, task.optimizer(job.model.parameters(), base), schedule(steps), base)
        return Outcome(job.score(job.model, job.test), {})

    return run


def _start(setting: Setting, factor: float, from_found: bool) -> tuple[int, float]:
    """Steps and rate: all of them and a multiple of the default rate, or what ours has left after its search, and its rate."""
    if from_found and setting.found is not None:
        return setting.steps - setting.found.search_steps, setting.found.rate
    return setting.steps, factor * setting.task.default_rate


def kept(share: float, factor: float = 1.0, has_mean: bool = True, from_found: bool = False) -> Row:
    """Warm-up, constant, the last share linear; of weights and mean the best held-out ones count.

    With a fifth and the mean these are the five lines of Python that everybody could write. `from_found`: a fresh start at
    the rate that ours has found, with as many steps as its search has left.
    """

    def run(setting: Setting) -> Outcome:
        task = setting.task
        steps, base = _start(setting, factor, from_found)
        job = task.build(setting.seed)
        best = Best(job, steps, has_mean)
        optimizer = task.optimizer(job.model.parameters(), base)
        trained(job, task, steps, optimizer, constant_then(share)(steps), base, best.after)
        return Outcome(job.score(best.model, job.test), {})

    return run


def plateau(factor: float = 1.0, from_found: bool = False) -> Row:
    """ReduceLROnPlateau by a tenth with patience 2 over the looks, best held-out weights kept."""

    def run(setting: Setting) -> Outcome:
        task = setting.task
        steps, base = _start(setting, factor, from_found)
        job = task.build(setting.seed)
        best = Best(job, steps, has_mean=False)
        optimizer = task.optimizer(job.model.parameters(), base)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)

        def after(step: int) -> None:
            if (step + 1) % max(1, steps // LOOKS) == 0:
                scheduler.step(best.look())

        trained(job, task, steps, optimizer, None, base, after)
        return Outcome(job.score(best.model, job.test), {})

    return run


def tuned(setting: Setting) -> Outcome:
    """Three trials of a third of the steps each, a factor three apart, linear; the best held-out one counts."""
    task, steps = setting.task, setting.steps // 3
    outcomes = []
    for factor in (1 / 3, 1.0, 3.0):
        job = task.build(setting.seed)
        base = factor * task.default_rate
        trained(job, task, steps, task.optimizer(job.model.parameters(), base), linear(steps), base)
        outcomes.append((job.score(job.model, job.held_out), job.score(job.model, job.test)))
    return Outcome(min(outcomes)[1], {})


def prodigy(setting: Setting) -> Outcome:
    from prodigyopt import Prodigy

    task, steps = setting.task, setting.steps
    job = task.build(setting.seed)
    trained(job, task, steps, Prodigy(job.model.parameters(), lr=1.0), cosine(steps), 1.0)
    return Outcome(job.score(job.model, job.test), {})


def schedule_free(setting: Setting) -> Outcome:
    from schedulefree import AdamWScheduleFree

    task, steps = setting.task, setting.steps
    job = task.build(setting.seed)
    optimizer = AdamWScheduleFree(job.model.parameters(), lr=0.0025, warmup_steps=int(0.05 * steps))
    inputs = remembering(job)
    optimizer.train()
    trained(job, task, steps, optimizer, None, 0.0)
    optimizer.eval()
    statistics(job.model, inputs)
    return Outcome(job.score(job.model, job.test), {})
