"""A job of two processes that anneals a copy in turn, and the same training without one; writes what it ended with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import twostep

STEPS = 50
folder = Path(sys.argv[1])
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.set_num_threads(1)


def trained(branched: bool) -> tuple[list[Any], int]:
    torch.manual_seed(0)
    inputs, labels = torch.randn(256, 6), torch.randint(0, 3, (256,))
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(parallel.parameters(), lr=0.05, momentum=0.9)
    torch.manual_seed(rank)
    copies = 0
    run: twostep.Run | None = None

    def step() -> None:
        nonlocal copies
        picked = torch.randint(0, 256, (16,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(parallel(inputs[picked]), labels[picked])
        loss.backward()
        optimizer.step()
        if run is not None:
            copies += run.is_branching
            run.step(loss)

    if branched:
        run = twostep.init("tests", budget_steps=1000)
        run.watch(
            *(model, optimizer),
            evaluate=lambda m: nn.functional.cross_entropy(m(inputs), labels),
            branch=twostep.Branch(step=step, keep=folder / "copies"),
        )
    for _ in range(STEPS):
        step()
    if run is not None:
        run.finish()
    return [p.detach().flatten().tolist() for p in model.parameters()], copies


expected, _ = trained(False)
weights, copies = trained(True)
dist.barrier()
seen = {
    "weights": weights,
    "expected": expected,
    "copies": copies,
    "files": sorted(path.name for path in (folder / "copies").iterdir()),
}
(folder / f"{rank}.json").write_text(json.dumps(seen))
dist.destroy_process_group()
