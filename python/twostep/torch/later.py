"""Numbers that a device has not computed yet, read without making training wait.

On the host a number is read at once. From a device it is copied into pinned memory beside the stream, and read by
whoever asks once the copy is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..hands import check_whole
from .shards import part


class Coming:
    """A number that is on its way. Two threads may read it."""

    __slots__ = ("_is_done", "_known", "_read")

    def __init__(self, read: Callable[[], Any], is_done: Callable[[], bool] | None) -> None:
        self._read = read
        self._is_done = is_done
        self._known: float | None = None

    def is_ready(self) -> bool:
        """Whether reading does not wait. Where the device cannot say: once somebody has read it."""
        return self._known is not None or (self._is_done is not None and self._is_done())

    def __call__(self) -> float:
        if self._known is None:
            self._known = float(self._read())
        return self._known


def later(value: Tensor) -> float | Coming:
    """Raises TypeError where it is spread over processes."""
    check_whole(value)
    value = part(value)
    if value.is_cpu:
        return float(value.item())
    value = value.detach()
    if value.device.type != "cuda":
        # Its own copy, because training may write the tensor again before it is read.
        return Coming(value.clone().item, None)
    pinned = torch.empty((), dtype=torch.float32, pin_memory=True)
    pinned.copy_(value.float().reshape(()), non_blocking=True)
    done: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
    done.record()

    def read() -> float:
        done.synchronize()
        return float(pinned)

    return Coming(read, done.query)
