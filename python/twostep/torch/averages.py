"""Running means of the weights in blocks of steps (PROTOCOL.md §7, Averaged weights).

Memory: at most five copies of the trainable parameters, in float32, on the device of the parameters or on the host.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

BLOCKS = 4
STRIDE = 4
"""Blocks of eight steps or more take each fourth step, counted back from their end."""
DEFAULT_BLOCK = 10


class Block:
    """Sum of the weights at `samples` of `steps` updates."""

    __slots__ = ("samples", "steps", "total")

    def __init__(self) -> None:
        self.steps = 0
        self.samples = 0
        self.total: list[Tensor] = []


class Averages:
    """Of the last four finished blocks and the open one."""

    def __init__(self, parameters: Sequence[Tensor], host: bool = False) -> None:
        self._parameters = list(parameters)
        self._device = torch.device("cpu") if host else None
        self._is_copied = host or any(p.dtype != torch.float32 for p in self._parameters)
        self.begin_anew()

    def begin_anew(self) -> None:
        """After a restore: no window holds weights from both sides."""
        self._length = 0
        self._open = Block()
        self._blocks: deque[Block] = deque(maxlen=BLOCKS)

    @property
    def block_count(self) -> int:
        return len(self._blocks)

    @torch.no_grad()
    def add(self, length: int | None) -> None:
        """Takes the weights after an update; `length` = steps of a block."""
        length = length or DEFAULT_BLOCK
        if length != self._length:
            if self._open.samples and 2 * self._open.steps >= self._length:
                self._close()
            else:
                self._open = Block()
            self._length = length
        block = self._open
        block.steps += 1
        if length < 2 * STRIDE or (length - block.steps) % STRIDE == 0:
            if block.samples == 0:
                block.total = [self._copy(p) for p in self._parameters]
            else:
                self._accumulate(block.total)
            block.samples += 1
        if block.steps >= length:
            self._close()

    def _copy(self, parameter: Tensor) -> Tensor:
        return parameter.detach().to(device=self._device or parameter.device, dtype=torch.float32, copy=True)

    def _accumulate(self, total: list[Tensor]) -> None:
        now = [self._copy(p) for p in self._parameters] if self._is_copied else self._parameters
        torch._foreach_add_(total, now)

    def _close(self) -> None:
        if self._open.samples:
            self._blocks.append(self._open)
        self._open = Block()

    @torch.no_grad()
    def mean(self, count: int) -> tuple[int, list[Tensor]] | None:
        """Updates spanned by the newest `count` finished blocks and the mean of their samples; None if there is none."""
        newest = list(self._blocks)[-count:]
        samples = sum(block.samples for block in newest)
        if samples == 0:
            return None
        means = [total.clone() for total in newest[0].total]
        for block in newest[1:]:
            torch._foreach_add_(means, block.total)
        torch._foreach_div_(means, samples)
        return sum(block.steps for block in newest), means

    @property
    def memory_bytes(self) -> int:
        """The most that these means may take."""
        return (BLOCKS + 1) * sum(4 * p.numel() for p in self._parameters)

    @property
    def held_bytes(self) -> int:
        """What they take now."""
        return sum(4 * t.numel() for block in (self._open, *self._blocks) for t in block.total)
