"""Models whose parameters are split over the processes of a job.

DTensors (`fully_shard`, tensor parallelism): each process averages, keeps and puts back its own part, and nothing is sent
to do so. On parameters that the classic FullyShardedDataParallel has flattened nothing is measured: its `state_dict` is of
gathered copies, and no public call makes it forget what it has gathered before other weights are put in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def is_split(tensor: Tensor) -> bool:
    return hasattr(tensor, "to_local")


def part(tensor: Tensor) -> Tensor:
    """What this process has of a split tensor, in the same memory; any other tensor is whole."""
    if not is_split(tensor):
        return tensor
    split: Any = tensor
    with torch.no_grad():
        own: Tensor = split.to_local()
    return own


def parts(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [part(tensor) for tensor in tensors]


class Piece:
    """A copy of this process's part, which can become such a split tensor again."""

    __slots__ = ("_how", "_make", "own")

    def __init__(self, split: Any, copied: Tensor) -> None:
        self.own = copied
        self._make = type(split).from_local
        self._how = {
            "device_mesh": split.device_mesh,
            "placements": split.placements,
            "shape": split.shape,
            "stride": split.stride(),
        }

    def joined(self, device: torch.device) -> Tensor:
        again: Tensor = self._make(self.own.to(device, copy=True), run_check=False, **self._how)
        return again


def forget_gathered(model: nn.Module) -> None:
    """Before weights are written, or a model's parameters read: after a pass without gradients `fully_shard` keeps the
    whole ones of the outermost module, and would go on with them."""
    for module in model.modules():
        if any(base.__name__ == "FSDPModule" for base in type(module).__mro__):
            module.reshard()  # type: ignore[operator]


def are_flattened(parameters: Iterable[Tensor]) -> bool:
    """Whether the classic FullyShardedDataParallel has them."""
    return any(getattr(p, "_fsdp_flattened", False) for p in parameters)
