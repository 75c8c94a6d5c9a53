"""Numbers that a device has not computed yet, read without making training wait.

On the host a number is read at once. From a device it is copied into pinned memory beside the stream, and read by
whoever asks once the copy is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Later:
    def __call__(self, value: Tensor) -> float | Callable[[], float]:
        value = value.detach()
        if value.device.type == "cpu":
            return float(value)
        if value.device.type != "cuda":
            return _once(value.clone().item)
        pinned = torch.empty((), dtype=torch.float32, pin_memory=True)
        pinned.copy_(value.float().reshape(()), non_blocking=True)
        done = torch.cuda.Event()
        done.record()

        def read() -> float:
            done.synchronize()
            return float(pinned)

        return _once(read)


def _once(read: Callable[[], Any]) -> Callable[[], float]:
    known: list[float] = []

    def value() -> float:
        if not known:
            known.append(float(read()))
        return known[0]

    return value
