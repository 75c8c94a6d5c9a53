"""A loop with accelerate whose learning rate Twostep steers. `--usual`: the same with a cosine schedule instead.

Runs alone, or in several processes: accelerate launch --cpu --num_processes 2 accelerate_loop.py
"""

import sys

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import twostep
from twostep.accelerate import Steering

STEPS, RATE, ACCUMULATED = 6000, 0.003, 2
torch.set_num_threads(1)
set_seed(1)
teacher = torch.randn(16, 4) / 2


# Data made here: a noisy function of sixteen numbers. Replace it by your own.
def examples(count):
    x = torch.randn(count, 16)
    y = torch.sin(x @ teacher).sum(1) / 2 + torch.cos(x[:, 0] * x[:, 1])
    return x, y + 0.5 * torch.randn(count)


train, held_out, test = examples(65536), examples(1024), examples(16384)
usual = "--usual" in sys.argv
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATED)
model = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
loader = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True, drop_last=True)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)


def held_out_loss(model):
    """16 means over equal parts of a fixed set: the same loss as in training."""
    errors = model(held_out[0])[:, 0] - held_out[1]
    return errors.square().view(16, -1).mean(1)


run = twostep.init(project="accelerate", budget_steps=STEPS, mode="disabled" if usual else None)
batch_size = 32 * ACCUMULATED * accelerator.num_processes
if usual:
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer.optimizer, STEPS)
else:
    steering = Steering(
        run, accelerator, model, optimizer, held_out_loss, examples=1024, batch_size=batch_size
    )
while not run.finished and run.step_count < STEPS:
    for x, y in loader:
        with accelerator.accumulate(model):
            loss = F.mse_loss(model(x)[:, 0], y)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            if not usual:
                steering.step(loss)
            elif accelerator.sync_gradients:
                cosine.step()
                run.step(loss)
        if run.finished or run.step_count >= STEPS:
            break
run.finish()

with torch.no_grad():
    accelerator.print(f"test loss {F.mse_loss(accelerator.unwrap_model(model)(test[0])[:, 0], test[1]):.4f}")
