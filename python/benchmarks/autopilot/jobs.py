"""What a job is: a model, its usual optimizer and rate, its data and what it is scored by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import data

Batch = tuple[Tensor, Tensor]
PARTS = 16


class Order:
    """Which examples the next batches hold; its whole state is one number, so it can go back."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._number = 0
        self._epoch = -1
        self._order = torch.empty(0)

    def next(self) -> Tensor:
        per_epoch = self._count // self._size
        epoch, place = divmod(self._number, per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            own = torch.Generator().manual_seed(1_000_003 * self._seed + epoch)
            self._order = torch.randperm(self._count, generator=own)
        self._number += 1
        return self._order[place * self._size : (place + 1) * self._size]

    def generator(self) -> torch.Generator:
        """For a stream: the next batch's own numbers."""
        self._number += 1
        return torch.Generator().manual_seed(1_000_003 * self._seed + self._number)

    def state_dict(self) -> dict[str, Any]:
        return {"number": self._number}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._number = int(state["number"])


@dataclass
class Job:
    """One job with its seed: built anew for each row."""

    model: nn.Module
    order: Order
    batch: Callable[[], Batch]
    loss: Callable[[nn.Module, Batch], Tensor]
    losses: Callable[[nn.Module, Batch], Tensor]
    held_out: Batch
    test: Batch

    def held_out_parts(self, model: nn.Module) -> list[float]:
        return self._scored(model, self.held_out)

    def score(self, model: nn.Module, on: Batch) -> float:
        was_training = model.training
        model.eval()
        parts = self._scored(model, on)
        model.train(was_training)
        return sum(parts) / len(parts)

    @torch.no_grad()
    def _scored(self, model: nn.Module, on: Batch) -> list[float]:
        losses = torch.cat(
            [self.losses(model, (x, y)) for x, y in zip(on[0].split(512), on[1].split(512), strict=True)]
        )
        return [float(part.mean()) for part in losses.tensor_split(PARTS)]


@dataclass(frozen=True)
class Task:
    name: str
    default_rate: float
    optimizer: Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]
    steps: tuple[int, int]
    batch_size: int
    build: Callable[[int], Job]
    clip: float | None = None
    held_out_count: int = 1_024
    more: dict[str, Any] = field(default_factory=dict)


def sgd(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, rate, momentum=0.9, weight_decay=5e-4)


def adam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, rate)


def adamw(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, rate, weight_decay=0.1, betas=(0.9, 0.95))


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    scores = model(batch[0])
    losses = F.cross_entropy(scores.flatten(0, -2), batch[1].flatten(), reduction="none")
    return losses.view(len(batch[1]), -1).mean(1)


def squares(model: nn.Module, batch: Batch) -> Tensor:
    return (model(batch[0]) - batch[1]).square().mean(1)


def hinge(model: nn.Module, batch: Batch) -> Tensor:
    scores = model(batch[0])
    right = scores.gather(-1, batch[1].unsqueeze(-1))
    others = (1 + scores - right).clamp_(min=0).scatter(-1, batch[1].unsqueeze(-1), 0)
    return others.sum(-1).mean(1)


def made(
    seed: int,
    model: Callable[[], nn.Module],
    source: data.Data,
    batch_size: int,
    losses: Callable[[nn.Module, Batch], Tensor],
    changed: Callable[[Tensor], Tensor] = lambda inputs: inputs,
) -> Job:
    torch.manual_seed(seed)
    inputs, targets = source.training
    order = Order(len(inputs), batch_size, seed)

    def batch() -> Batch:
        chosen = order.next()
        return changed(inputs[chosen]), targets[chosen]

    return Job(model(), order, batch, lambda m, b: losses(m, b).mean(), losses, source.held_out, source.test)


def streamed(
    seed: int,
    model: Callable[[], nn.Module],
    examples: Callable[[torch.Generator, int], data.Split],
    losses: Callable[[nn.Module, Batch], Tensor],
    *,
    other_seed: int,
) -> Job:
    """A job that never sees an example twice. `other_seed`: of what is held out and of the test."""
    torch.manual_seed(seed)
    order = Order(10**9, 64, seed)
    own = torch.Generator().manual_seed(other_seed)
    held_out, test = examples(own, 1_024), examples(own, 4_096)

    def batch() -> Batch:
        return examples(order.generator(), 64)

    return Job(model(), order, batch, lambda m, b: losses(m, b).mean(), losses, held_out, test)


def pretrain(job: Job, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """From the optimizer's rate linearly to 0, for a job that begins with trained weights."""
    base = optimizer.param_groups[0]["lr"]
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = base * (1 - step / steps)
        optimizer.zero_grad()
        job.loss(job.model, job.batch()).backward()
        optimizer.step()
