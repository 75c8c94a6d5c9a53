"""A job of two processes: the hands of a model split by `fully_shard` beside those of a whole one that sees both batches."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard

from tests.torch.models import data, loss_of
from twostep.hands import NoHands
from twostep.torch.hands import TorchHands

dist.init_process_group("gloo")
rank = dist.get_rank()
torch.set_num_threads(1)
held_out = data(64, seed=2)


def evaluate(model: nn.Module) -> Tensor:
    losses = nn.functional.cross_entropy(model(held_out[0]), held_out[1], reduction="none")
    return losses.view(8, -1).mean(1)


class Job:
    """AdamW with clipping; `is_split`: over both processes, each of which then has half of each batch."""

    def __init__(self, is_split: bool, **more: Any) -> None:
        torch.manual_seed(0)
        # The last layer has three outputs, which two processes cannot share evenly.
        self.model = nn.Sequential(
            nn.Linear(6, 17), nn.Tanh(), nn.Linear(17, 16), nn.Tanh(), nn.Linear(16, 3)
        )
        if is_split:
            for layer in self.model[:3]:
                fully_shard(layer)
            fully_shard(self.model)
        self.is_split = is_split
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.hands = TorchHands(self.model, self.optimizer, evaluate, **more)
        self.number = 0
        self.columns: list[str] = []

    def train(self, steps: int) -> None:
        for _ in range(steps):
            inputs, labels = data(32, seed=100 + self.number)
            half = slice(16 * rank, 16 * rank + 16) if self.is_split else slice(32)
            self.model.train()
            self.optimizer.zero_grad()
            loss_of(self.model, (inputs[half], labels[half])).backward()  # type: ignore[no-untyped-call]
            norm: Any = nn.utils.clip_grad_norm_(self.model.parameters(), 0.5)
            self.norm = norm
            self.optimizer.step()
            self.columns += self.hands.columns(self.number, None)
            self.hands.average(5)
            self.number += 1

    def weights(self) -> list[float]:
        named = self.model.state_dict().values()
        return [x for w in named for x in (w.full_tensor() if self.is_split else w).flatten().tolist()]  # type: ignore[operator]


def both(of: Any) -> list[Any]:
    """The same of the split model and of the whole one."""
    return [of(split), of(whole)]


split, whole = Job(True), Job(False)
seen: dict[str, Any] = {"capabilities": both(lambda job: job.hands.capabilities)}
both(lambda job: job.train(12))
both(lambda job: job.hands.keep("early", False))
# Training goes on from the weights that a probe has found, not from those that it scored last.
seen["first"] = both(lambda job: job.hands.valley("all", None))
both(lambda job: job.train(10))
seen["trained"] = both(Job.weights)
seen["valley"] = both(lambda job: job.hands.valley("all", ["early"]))
both(lambda job: job.hands.keep("mean", True))
seen["after averaged"] = both(Job.weights)
full = split.norm.full_tensor()
seen["norm"] = [split.hands.number(full), whole.hands.number(whole.norm)]
seen["columns"] = both(lambda job: sorted(set(job.columns)))
seen["memory"] = both(lambda job: job.hands.memory_bytes)
seen["held"] = both(lambda job: job.hands._averages.held_bytes)

# Goes on bit by bit, also where the optimizer has nothing at the time.
split.number = 30
split.hands.keep("fork", False)
split.train(3)
seen["bits"] = [split.weights()]
split.optimizer.state.clear()
split.hands.restore("fork", False, 0)
split.number = 30
split.train(3)
seen["bits"].append(split.weights())

both(lambda job: job.hands.restore("mean", False, 0))
seen["mean"] = both(Job.weights)
split.number = whole.number
both(lambda job: job.train(6))
both(lambda job: job.hands.finish("averaged", None))
seen["averaged"] = both(Job.weights)
both(lambda job: job.hands.finish("checkpoint", "early"))
seen["early"] = both(Job.weights)

on_host = Job(True, host_averages=True, host=False)
on_host.train(12)
on_host.hands.keep("early", False)
seen["on host"] = [on_host.hands.valley("all", None), seen["first"][0]]
spread = split.model[0].weight.grad.square().sum()  # type: ignore[union-attr]
seen["spread"] = []
for hands in (split.hands, NoHands()):
    try:
        seen["spread"].append(hands.number(spread))
    except TypeError as error:
        seen["spread"].append(str(error))
(Path(sys.argv[1]) / f"{rank}.json").write_text(json.dumps(seen))
dist.destroy_process_group()
