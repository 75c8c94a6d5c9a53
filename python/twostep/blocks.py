"""Running sums of the weights in blocks of steps (PROTOCOL.md §7, Averaged weights). Knows no framework.

Memory: at most five copies of what is summed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

W = TypeVar("W")

BLOCKS = 4
STRIDE = 4
"""Blocks of eight steps or more take each fourth step, counted back from their end."""
DEFAULT_BLOCK = 10
WINDOWS = (1, 2, 4)
"""A window is so many of the last finished blocks."""


class Block(Generic[W]):
    """Sum of the weights at `samples` of `steps` updates, one entry a parameter."""

    __slots__ = ("samples", "steps", "total")

    def __init__(self) -> None:
        self.steps = 0
        self.samples = 0
        self.total: list[W] = []


class Blocks(Generic[W]):
    """The last four finished blocks and the open one. `added(total)`: a sum with the present weights; of [] a copy of them."""

    def __init__(self, added: Callable[[list[W]], list[W]]) -> None:
        self._added = added
        self.begin_anew()

    def begin_anew(self) -> None:
        """After a restore: no window holds weights from both sides."""
        self._length = 0
        self._open: Block[W] = Block()
        self._finished: deque[Block[W]] = deque(maxlen=BLOCKS)

    def add(self, length: int | None) -> None:
        """Takes the weights after an update; `length` = steps of a block."""
        length = length or DEFAULT_BLOCK
        if length != self._length:
            if self._open.samples and 2 * self._open.steps >= self._length:
                self._finished.append(self._open)
            self._open, self._length = Block(), length
        block = self._open
        block.steps += 1
        if length < 2 * STRIDE or (length - block.steps) % STRIDE == 0:
            block.total = self._added(block.total)
            block.samples += 1
        if block.steps >= length:
            self._finished.append(block)
            self._open = Block()

    def windows(self, which: str) -> tuple[int, ...]:
        """Of "all" windows, or of the "longest", those for which there are blocks enough."""
        counts = tuple(count for count in WINDOWS if count <= len(self._finished))
        return counts if which == "all" else counts[-1:]

    def newest(self, count: int) -> list[Block[W]]:
        """The newest finished blocks, at most so many, oldest first."""
        return list(self._finished)[-count:]

    def held(self) -> list[W]:
        """All sums that are kept."""
        return [entry for block in (self._open, *self._finished) for entry in block.total]


def spanned(blocks: list[Block[Any]]) -> tuple[int, int]:
    """Updates and samples of some blocks together."""
    return sum(block.steps for block in blocks), sum(block.samples for block in blocks)
