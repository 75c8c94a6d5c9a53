"""Writes sasa.json: the steps at which the package statopt's SASA drops its rate on noisy quadratics.
Run: python3 sasa.py (statopt 0.2, torch 2.15, SciPy 1.17), with tuner/rivals/oracles on PYTHONPATH.

statopt writes Tensor.add_(number, tensor), which torch no longer takes; below it is given its old meaning back."""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from sequences import sfc32
from statopt import SASA

plain_add = torch.Tensor.add_
torch.Tensor.add_ = lambda self, first, *rest: (
    plain_add(self, rest[0], alpha=first) if rest else plain_add(self, first)
)

CURVATURES = [1.0, 0.3, 0.1, 0.03]
SETTINGS = [
    {"minN_stats": 100, "testfreq": 10, "warmup": 50},
    {"minN_stats": 100, "testfreq": 7, "warmup": 50, "var_mode": "bm", "leak_ratio": 2},
    {"minN_stats": 150, "testfreq": 25, "warmup": 1200, "var_mode": "bm", "momentum": 0.9, "leak_ratio": 4},
    {"minN_stats": 100, "testfreq": 10, "warmup": 0, "momentum": 0.5, "drop_factor": 3, "leak_ratio": 4},
]
COUNT, RATE, START = 2000, 0.1, 3.0

cases = []
for number in range(24):
    settings = SETTINGS[number % 4]
    noise = [0.5, 2.0, 0.05][number // 4 % 3]
    draw = sfc32(400 + number)
    weights = torch.nn.Parameter(torch.full((4,), START, dtype=torch.float64))
    given = {name: value for name, value in settings.items() if name != "var_mode"}
    optimizer = SASA([weights], lr=RATE, **given)
    # The constructor refuses "bm", the one name of batch means that its test knows.
    optimizer.state["var_mode"] = settings.get("var_mode", "mb")
    rates = []
    for _ in range(COUNT):
        kicks = torch.tensor([noise * (next(draw) + next(draw) - 1) for _ in CURVATURES], dtype=torch.float64)
        weights.grad = torch.tensor(CURVATURES, dtype=torch.float64) * weights.detach() + kicks
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
    drops = [[k, rates[k]] for k in range(COUNT) if rates[k] != (rates[k - 1] if k else RATE)]
    cases.append({"seed": 400 + number, "noise": noise, "settings": settings, "changes": drops})

setup = {"curvatures": CURVATURES, "count": COUNT, "rate": RATE, "start": START}
text = json.dumps({"version": f"statopt {version('statopt')}", **setup, "cases": cases})
Path(__file__).with_name("sasa.json").write_text(text + "\n")
