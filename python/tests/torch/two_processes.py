"""A job of two processes, run by torchrun: writes what each has seen into the folder given. How it is parallel: `ddp`, `fsdp`, or
`flat` for the classic FullyShardedDataParallel."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel

import twostep

HOW = sys.argv[2]
STEPS = {"ddp": 600, "fsdp": 300, "flat": 100}[HOW]

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.set_num_threads(1)
torch.manual_seed(0)
inputs, held_out, truth = torch.randn(2048, 20), torch.randn(512, 20), torch.randn(20, 5)
labels = (inputs @ truth + 3.2 * torch.randn(2048, 5)).argmax(1)
true = (held_out @ truth + 3.2 * torch.randn(512, 5)).argmax(1)
model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5))
watched: Any = model
parallel: Any = model
if HOW == "ddp":
    parallel = DistributedDataParallel(model)
elif HOW == "flat":
    watched = parallel = FullyShardedDataParallel(model, use_orig_params=True, device_id=torch.device("cpu"))
else:
    from torch.distributed.fsdp import fully_shard  # of PyTorch 2.6

    for layer in (model[0], model):
        fully_shard(layer)
optimizer = torch.optim.SGD(parallel.parameters(), lr=0.1, momentum=0.9)
did: list[str] = []


calls = 0


def evaluate(m: nn.Module) -> Any:
    global calls
    calls += 1
    if calls == 20 and rank == 1 and HOW == "ddp":
        # A pass through a split model needs all processes, so that one which fails alone would stop the job without us, too.
        raise RuntimeError("in one process only")
    return nn.functional.cross_entropy(m(held_out), true, reduction="none").view(16, -1).mean(1)


run = twostep.init("tests", budget_steps=STEPS)
run.watch(watched, optimizer, evaluate=evaluate, batch_size=64)


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
    norm: Any = None
    if HOW == "fsdp":
        norm = nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimizer.step()
    mean = loss.detach().clone()
    dist.all_reduce(mean)
    run.step(mean / 2, gradient_norm=None if norm is None else norm.full_tensor())
run.finish()
if HOW == "fsdp":
    weights = [w.full_tensor().flatten().tolist() for w in model.state_dict().values()]
elif HOW == "ddp":
    weights = [p.detach().flatten().tolist() for p in model.parameters()]
else:
    weights = []
seen = {
    "rates": rates,
    "weights": weights,
    "did": did,
    "run": run.run_id,
    "calls": calls,
    "able": run._hands.capabilities,
}
(Path(sys.argv[1]) / f"{rank}.json").write_text(json.dumps(seen))
dist.destroy_process_group()
