"""Means of a model's weights over windows of blocks (blocks.py).

Memory: at most five copies of the trainable parameters, in float32, on the device of the parameters or on the host. Of
parameters that are split over processes each has the means of its own part.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..blocks import BLOCKS, Blocks, spanned
from .shards import part, parts


class Averages(Blocks[Tensor]):
    def __init__(self, parameters: Sequence[Tensor], host: bool = False) -> None:
        self._parameters = list(parameters)
        self._device = torch.device("cpu") if host else None
        self._is_copied = host or any(p.dtype != torch.float32 for p in self._parameters)
        super().__init__(self._with_present)

    @torch.no_grad()
    def _with_present(self, total: list[Tensor]) -> list[Tensor]:
        if not total:
            return [self._copy(p) for p in self._parameters]
        now = [self._copy(p) for p in self._parameters] if self._is_copied else parts(self._parameters)
        torch._foreach_add_(total, now)
        return total

    def _copy(self, parameter: Tensor) -> Tensor:
        return (
            part(parameter)
            .detach()
            .to(device=self._device or parameter.device, dtype=torch.float32, copy=True)
        )

    @property
    def block_count(self) -> int:
        return len(self._finished)

    @torch.no_grad()
    def mean(self, count: int) -> tuple[int, list[Tensor]] | None:
        """Updates spanned by the newest `count` finished blocks and the mean of their samples; None if there is none."""
        newest = self.newest(count)
        steps, samples = spanned(newest)
        if samples == 0:
            return None
        means = [total.clone() for total in newest[0].total]
        for block in newest[1:]:
            torch._foreach_add_(means, block.total)
        torch._foreach_div_(means, samples)
        return steps, means

    @property
    def memory_bytes(self) -> int:
        """The most that these means may take."""
        return (BLOCKS + 1) * sum(4 * p.numel() for p in parts(self._parameters))

    @property
    def held_bytes(self) -> int:
        """What they take now."""
        return sum(4 * total.numel() for total in self.held())
