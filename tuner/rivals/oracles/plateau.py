"""Writes plateau.json: learning rates of torch.optim.lr_scheduler.ReduceLROnPlateau on seeded loss sequences.
Run: python3 plateau.py (torch 2.15)."""

import json
from pathlib import Path

import torch
from sequences import KINDS, changes, losses

SETTINGS = [
    {},
    {"patience": 2, "factor": 0.5},
]
COUNT, RATE = 120, 0.1

cases = []
for index, kind in enumerate(KINDS):
    for number, settings in enumerate(SETTINGS):
        sequence = {"kind": kind, "seed": 100 + 10 * index + number, "count": COUNT, "noise": [0.0, 0.02, 0.3][number % 3]}
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
        rates = []
        for loss in losses(**sequence):
            scheduler.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        cases.append({"sequence": sequence, "settings": settings, "changes": changes(rates, RATE)})

text = json.dumps({"version": f"torch {torch.__version__}", "rate": RATE, "cases": cases})
Path(__file__).with_name("plateau.json").write_text(text + "\n")
