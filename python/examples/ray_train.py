"""A TorchTrainer of Ray with two workers whose learning rate Twostep steers. `--usual`: the same with a cosine schedule instead."""

import os
import sys

import ray.train
import torch
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, prepare_model
from torch import nn
from torch.nn import functional as F

import twostep.ray

STEPS, RATE, BATCH = 4000, 0.05, 32


# Data made here: a noisy teacher. Replace it by your own.
def data(count, seed):
    draw = torch.Generator().manual_seed(seed)
    teacher = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    x = torch.randn(count, 20, generator=draw)
    return x, (x @ teacher + 3 * torch.randn(count, 5, generator=draw)).argmax(1)


def train_loop(config):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rank, size = ray.train.get_context().get_world_rank(), ray.train.get_context().get_world_size()
    inputs, labels = data(4096, 1)
    held_out = data(1024, 2)
    model = prepare_model(nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5)))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    # Every worker makes the run; the first one speaks with the server, rates and restores happen in all of them.
    run = twostep.ray.init(
        "ray-example",
        STEPS,
        server_url=config["server"],
        mode="disabled" if config["usual"] else "online",
    )
    run.watch(
        model,
        optimizer,
        evaluate=lambda m: F.cross_entropy(m(held_out[0]), held_out[1]),
        batch_size=size * BATCH,
    )
    usual = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS) if config["usual"] else None
    draw = torch.Generator().manual_seed(rank)
    for _ in range(STEPS):
        rows = torch.randint(0, len(inputs), (BATCH,), generator=draw)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        mean = loss.detach().clone()
        torch.distributed.all_reduce(mean)
        run.step(mean / size)
        if usual is not None:
            usual.step()
        if run.finished:
            break
    run.finish()
    test = data(4096, 3)
    with torch.no_grad():
        result = F.cross_entropy(model(test[0]), test[1]).item()
    if rank == 0:
        print(f"test loss {result:.4f} after {run.step_count} steps")


if __name__ == "__main__":
    server = os.environ.get("TWOSTEP_SERVER_URL", "http://127.0.0.1:7317")
    trainer = TorchTrainer(
        train_loop,
        train_loop_config={"server": server, "usual": "--usual" in sys.argv},
        scaling_config=ScalingConfig(num_workers=2),
        run_config=RunConfig(name=os.environ.get("EXPERIMENT")),
    )
    trainer.fit()
