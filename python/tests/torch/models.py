"""Small models and data that the tests share."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def normalised() -> nn.Sequential:
    """With normalisation over the batch and dropout: what a client must not disturb."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))


def plain() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))


def data(count: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 6, generator=draw)
    return inputs, (inputs @ torch.randn(6, 3, generator=torch.Generator().manual_seed(7))).argmax(1)


def loss_of(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def update(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], parts: int = 1
) -> Tensor:
    """One optimizer step, its gradient accumulated over parts of the batch."""
    optimizer.zero_grad()
    total = torch.zeros(())
    for inputs, labels in zip(batch[0].chunk(parts), batch[1].chunk(parts), strict=True):
        loss = loss_of(model, (inputs, labels)) / parts
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    optimizer.step()
    return total


def snapshot(*things: Any) -> list[Any]:
    """Everything that a state_dict holds, as copies."""
    found: list[Any] = []

    def walk(value: Any) -> None:
        if isinstance(value, Tensor):
            found.append(value.detach().clone())
        elif isinstance(value, dict):
            for key in value:
                walk(value[key])
        elif isinstance(value, (list, tuple)):
            for entry in value:
                walk(entry)
        else:
            found.append(value)

    for thing in things:
        walk(thing.state_dict())
    return found


def same(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(
        torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in zip(left, right, strict=True)
    )
