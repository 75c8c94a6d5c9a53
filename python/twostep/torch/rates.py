"""Writes a rate into an optimizer's parameter groups, each by its own ratio to the first."""

from __future__ import annotations

import torch
from torch import Tensor


class Rates:
    """`initial`: the rate of the first group as the job has set it."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        # A scheduler that was made before may have begun a warm-up, whose first rate may be 0.
        rates = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
        self.initial = rates[0]
        self._ratios = [rate / rates[0] if rates[0] > 0 else 1.0 for rate in rates]
        self._filled: dict[int, tuple[float, int]] = {}

    def write(self, rate: float) -> None:
        for group, ratio in zip(self._optimizer.param_groups, self._ratios):
            if isinstance(group["lr"], Tensor):
                self._fill(group["lr"], rate * ratio)
            else:
                group["lr"] = rate * ratio

    def _fill(self, own: Tensor, rate: float) -> None:
        """In place: a compiled step sees the same tensor, and is not compiled anew. Not read: that would wait for a device."""
        if self._filled.get(id(own)) != (rate, own._version):
            own.fill_(rate)
            self._filled[id(own)] = (rate, own._version)
