"""A PyTorch loop whose learning rate Twostep steers. `--usual`: the same with a cosine schedule instead."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

import twostep

STEPS, BATCH, RATE = 8000, 64, 0.1
torch.set_num_threads(1)
torch.manual_seed(1)


teacher = torch.randn(20, 5)


# Data made here: classes of random points, a fifth of the labels wrong. Replace it by your own.
def examples(count):
    x = torch.randn(count, 20)
    y = (x @ teacher + torch.sin(3 * x[:, :5])).argmax(1)
    return x, torch.where(torch.rand(count) < 0.2, torch.randint(0, 5, (count,)), y)


train, held_out, test = examples(8192), examples(1024), examples(8192)
model = nn.Sequential(nn.Linear(20, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 5))
optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)


def held_out_loss(model):
    """16 means over equal parts of a fixed set: the same loss as in training."""
    return F.cross_entropy(model(held_out[0]), held_out[1], reduction="none").view(16, -1).mean(1)


usual = "--usual" in sys.argv
run = twostep.init(project="pytorch-loop", budget_steps=STEPS, mode="disabled" if usual else None)
if usual:
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
else:
    run.watch(model, optimizer, evaluate=held_out_loss, examples=1024, batch_size=BATCH)

for _ in range(STEPS):
    index = torch.randint(0, len(train[0]), (BATCH,))
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(train[0][index]), train[1][index])
    loss.backward()
    optimizer.step()
    if usual:
        cosine.step()
    run.step(loss)  # reports, and sets the rate of the next step
    if run.finished:
        break
run.finish()

model.eval()
with torch.no_grad():
    print(f"test loss {F.cross_entropy(model(test[0]), test[1]):.4f} after {run.step_count} steps")
