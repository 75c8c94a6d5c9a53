"""Writes greedy.json: learning rates of transformers.optimization.GreedyLR on seeded loss sequences.
Run: python3 greedy.py (transformers 5.23, torch 2.15)."""

import json
from pathlib import Path

import torch
import transformers
from sequences import KINDS, changes, losses
from transformers.optimization import GreedyLR

SETTINGS = [
    {},
    {"patience": 2, "factor": 0.9, "min_lr": 1e-7},
]
COUNT, RATE = 120, 0.1

cases = []
for index, kind in enumerate(KINDS):
    for number, settings in enumerate(SETTINGS):
        sequence = {"kind": kind, "seed": 200 + 10 * index + number, "count": COUNT, "noise": [0.0, 0.02, 0.3][number % 3]}
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
        scheduler = GreedyLR(optimizer, **settings)
        rates = []
        for loss in losses(**sequence):
            scheduler.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        cases.append({"sequence": sequence, "settings": settings, "changes": changes(rates, RATE)})

text = json.dumps({"version": f"transformers {transformers.__version__}", "rate": RATE, "cases": cases})
Path(__file__).with_name("greedy.json").write_text(text + "\n")
