"""Two processes that score held-out data: writes what each has heard of it into the folder given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from twostep.torch.heldout import HeldOut

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.set_num_threads(1)


def loader(count: int, is_shared: bool) -> Any:
    """Batches of 8 of the numbers 0, 1, …; the mask is of ones everywhere."""
    data = TensorDataset(torch.ones(count, 3), torch.arange(float(count)))
    sampler = DistributedSampler(data, shuffle=False) if is_shared else None
    return DataLoader(data, batch_size=8, sampler=sampler)


def mean(batch: list[Tensor]) -> Tensor:
    return batch[1].mean()


def failing(batch: list[Tensor]) -> Tensor:
    if rank == 1:
        raise ArithmeticError("in one process only")
    return mean(batch)


seen: dict[str, Any] = {}
for name, count, is_shared, examples in (
    ("shared", 64, True, 1024),
    ("shared, not even", 100, True, 1024),
    ("shared, the first", 640, True, 64),
    ("shared, many", 600, True, 1024),
    ("the same", 64, False, 1024),
    ("the same, one batch", 8, False, 1024),
    ("less than a batch each", 8, True, 1024),
):
    held_out = HeldOut(loader(count, is_shared), examples)
    try:
        held_out.score(failing)
    except (ArithmeticError, RuntimeError) as error:
        seen[f"{name} failing"] = f"{type(error).__name__}: {error}"
    seen[name] = held_out.score(mean)
(Path(sys.argv[1]) / f"{rank}.json").write_text(json.dumps(seen))
dist.destroy_process_group()
