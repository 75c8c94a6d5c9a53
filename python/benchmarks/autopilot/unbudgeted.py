"""Rows that end by themselves: no number of steps is given, only one (`Setting.steps`) at which a run is cut off.

Rivals look at the held-out loss as often as in the table with a budget: 40 times in the task's short number of steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from .jobs import Batch, Job
from .training import LOOKS, Best, Outcome, Row, Setting, trained

FLOOR = 1e-3
"""A rule that lowers the rate has ended once it is below this share of where it began."""
PATIENCE = 10
"""Looks: the default of ReduceLROnPlateau, of GreedyLR and of Keras' ReduceLROnPlateau."""

Looked = Callable[[int, Best], bool]
"""What a rule does after a step; true where it has ended."""


def _ended_by(rule: Callable[[Setting, Job, torch.optim.Optimizer], Looked], has_mean: bool = False) -> Row:
    """A constant rate with the usual warm-up of a twentieth of the short steps, then the rule; best held-out weights kept."""

    def run(setting: Setting) -> Outcome:
        task = setting.task
        job = task.build(setting.seed)
        every = _every(setting)
        best = Best(job, every * LOOKS, has_mean)
        optimizer = task.optimizer(job.model.parameters(), task.default_rate)
        looked = rule(setting, job, optimizer)
        warm = max(1, task.steps[0] // 20)

        def after(step: int) -> bool:
            if step + 1 <= warm:
                for group in optimizer.param_groups:
                    group["lr"] = task.default_rate * min(1.0, (step + 2) / warm)
            best.after(step)
            return step + 1 > warm and looked(step, best)

        for group in optimizer.param_groups:
            group["lr"] = task.default_rate / warm
        taken = trained(job, task, setting.steps, optimizer, None, task.default_rate, after)
        return Outcome(job.score(best.model, job.test), {"steps": taken})

    return run


def _every(setting: Setting) -> int:
    """Steps between two looks."""
    return max(1, setting.task.steps[0] // LOOKS)


def _rate(optimizer: torch.optim.Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def _plateau(setting: Setting, job: Job, optimizer: torch.optim.Optimizer) -> Looked:
    every = _every(setting)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=PATIENCE)

    def looked(step: int, best: Best) -> bool:
        if (step + 1) % every == 0:
            scheduler.step(best.last)
        return _rate(optimizer) < FLOOR * setting.task.default_rate

    return looked


def _greedy(setting: Setting, job: Job, optimizer: torch.optim.Optimizer) -> Looked:
    """GreedyLR (arXiv 2512.14527) with its defaults: x .95 after 10 looks without a new best, / .95 after 10 with one. It does not
    end by itself: here it does after 20 looks without a new best."""
    every, lowest, good, bad, since = _every(setting), float("inf"), 0, 0, 0

    def looked(step: int, best: Best) -> bool:
        nonlocal lowest, good, bad, since
        if (step + 1) % every != 0:
            return False
        is_better = best.last < lowest - 1e-6
        lowest = min(lowest, best.last)
        good, bad, since = (good + 1, 0, 0) if is_better else (0, bad + 1, since + 1)
        factor = 1 / 0.95 if good > PATIENCE else 0.95 if bad > PATIENCE else 1.0
        if factor != 1.0:
            good, bad = 0, 0
            for group in optimizer.param_groups:
                group["lr"] *= factor
        return since > 2 * PATIENCE

    return looked


def _patience(setting: Setting, job: Job, optimizer: torch.optim.Optimizer) -> Looked:
    """Early stopping at a constant rate, of the present weights and of their mean."""
    every, lowest, since = _every(setting), float("inf"), 0

    def looked(step: int, best: Best) -> bool:
        nonlocal lowest, since
        if (step + 1) % every == 0:
            since = 0 if best.loss < lowest else since + 1
            lowest = best.loss
        return since > PATIENCE

    return looked


def _dlib(setting: Setting, job: Job, optimizer: torch.optim.Optimizer) -> Looked:
    """dlib's rule: a tenth of the rate once a line through the last training losses no longer falls with probability .51, and
    neither does the one without their largest tenth. Its 2,000 losses are a third of the short steps here, if those are fewer."""
    length = min(2_000, setting.task.steps[0] // 3)
    window: list[float] = []
    loss_of = job.loss

    def told(model: nn.Module, batch: Batch) -> Tensor:
        loss = loss_of(model, batch)
        window.append(loss.item())
        del window[:-length]
        return loss

    job.loss = told

    def looked(step: int, best: Best) -> bool:
        if len(window) == length and (step + 1) % max(1, length // 200) == 0:
            losses = np.asarray(window)
            kept = losses <= np.quantile(losses, 0.9)
            if not _falls(np.arange(length), losses) and not _falls(np.arange(length)[kept], losses[kept]):
                del window[: length // 5 + length // 10]
                for group in optimizer.param_groups:
                    group["lr"] *= 0.1
        return _rate(optimizer) < FLOOR * setting.task.default_rate

    return looked


def _falls(steps: np.ndarray, losses: np.ndarray) -> bool:
    """Whether the slope of a line lies below 0 with probability .51 or more."""
    x = steps - steps.mean()
    slope = float(x @ losses / (x @ x))
    scatter = losses - losses.mean() - slope * x
    error = float(np.sqrt(scatter @ scatter / (len(x) - 2) / (x @ x)))
    return -slope / max(error, 1e-300) >= 0.02506890825871106


UNBUDGETED: dict[str, Row] = {
    "plateau until a thousandth, best kept": _ended_by(_plateau),
    "GreedyLR, best kept": _ended_by(_greedy),
    "dlib's rule, best kept": _ended_by(_dlib),
    "early stopping, mean and best kept": _ended_by(_patience, has_mean=True),
}
