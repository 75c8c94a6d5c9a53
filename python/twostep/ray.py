"""Ray Train: the workers of a `TorchTrainer` are steered as one run, also after Ray has started them anew.

def train_loop(config):                                  # in every worker
    model = ray.train.torch.prepare_model(Net())
    run = twostep.ray.init("images", budget_steps=6000, server_url=config["twostep"])
    run.watch(model, optimizer, evaluate=held_out_loss)
    for batch in loader:
        ...
        run.step(loss)
        if run.finished:
            break
    run.finish()

The run's id is the experiment's name: workers that Ray starts again after a fault go on with the same run, as does a later
`fit` of the same experiment. Settings are given, as workers do not inherit the environment of the program that starts them.
"""

from __future__ import annotations

import re
from typing import Any

import ray.train  # type: ignore[import-not-found]

from . import Run
from . import init as begin

NAME_MAX = 128


def init(project: str | None = None, budget_steps: int | None = None, **settings: Any) -> Run:
    """As `twostep.init`, within a worker of Ray Train."""
    settings.setdefault("run_id", _run_id(ray.train.get_context().get_experiment_name()))
    return begin(project, budget_steps, **settings)


def _run_id(experiment: str) -> str | None:
    """The name with what a run's id may hold; None if nothing of it is left."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", experiment).lstrip("._-")[:NAME_MAX]
    return name or None
