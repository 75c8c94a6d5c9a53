"""A job of two processes, run by torchrun: writes what each has seen into the folder given."""

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

STEPS = 600

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.set_num_threads(1)
torch.manual_seed(0)
inputs, held_out, truth = torch.randn(2048, 20), torch.randn(512, 20), torch.randn(20, 5)
labels = (inputs @ truth + 3.2 * torch.randn(2048, 5)).argmax(1)
true = (held_out @ truth + 3.2 * torch.randn(512, 5)).argmax(1)
model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5))
parallel = DistributedDataParallel(model)
optimizer = torch.optim.SGD(parallel.parameters(), lr=0.1, momentum=0.9)
did: list[str] = []


calls = 0


def evaluate(m: nn.Module) -> Any:
    global calls
    calls += 1
    if rank == 1 and calls == 20:
        raise RuntimeError("in one process only")
    return nn.functional.cross_entropy(m(held_out), true, reduction="none").view(16, -1).mean(1)


run = twostep.init("tests", budget_steps=STEPS)
run.watch(model, optimizer, evaluate=evaluate, batch_size=64)


def noting(name: str) -> Any:
    real = getattr(run._hands, name)

    def noted(*args: Any) -> Any:
        did.append(name)
        return real(*args)

    return noted


for name in ("keep", "restore", "finish"):
    setattr(run._hands, name, noting(name))

rates: list[float] = []
draw = torch.Generator().manual_seed(rank)
while not run.finished and len(rates) < STEPS:
    picked = torch.randint(0, 2048, (32,), generator=draw)
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(parallel(inputs[picked]), labels[picked])
    loss.backward()
    optimizer.step()
    mean = loss.detach().clone()
    dist.all_reduce(mean)
    run.step(mean / 2)
run.finish()
weights = [p.detach().flatten().tolist() for p in model.parameters()]
seen = {"rates": rates, "weights": weights, "did": did, "run": run.run_id, "calls": calls}
(Path(sys.argv[1]) / f"{rank}.json").write_text(json.dumps(seen))
dist.destroy_process_group()
