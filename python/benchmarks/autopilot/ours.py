"""The row that is judged: a job steered through the client."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from torch import nn

import twostep

from .training import Outcome, Row, Setting


def ours(evaluates: bool = True, factor: float = 1.0, keeps: bool = True, has_budget: bool = True) -> Row:
    """`evaluates`: held-out losses and averages; `keeps`: states to go back to; without both the loss alone. Without a budget a
    run ends by itself, or is cut off after `Setting.steps`."""

    def run(setting: Setting) -> Outcome:
        task, steps = setting.task, setting.steps
        job = task.build(setting.seed)
        optimizer = task.optimizer(job.model.parameters(), factor * task.default_rate)
        steered = twostep.init(
            "autopilot",
            steps if has_budget else None,
            name=f"{task.name}-{setting.seed}",
            server_url=setting.server,
        )
        evaluate = job.held_out_parts if evaluates else None
        steered.watch(
            job.model, optimizer, evaluate, examples=task.held_out_count, batch_size=task.batch_size,
            data=job.order, checkpoints=keeps,
        )  # fmt: skip
        job.model.train()
        taken = 0
        while taken < steps and not steered.finished:
            optimizer.zero_grad()
            loss = job.loss(job.model, job.batch())
            loss.backward()
            norm = None if task.clip is None else nn.utils.clip_grad_norm_(job.model.parameters(), task.clip)
            optimizer.step()
            steered.step(loss, gradient_norm=norm)
            taken += 1
        steered.finish()
        decisions = _decisions(setting.server, str(steered.run_id))
        more = {"run": steered.run_id, "steps": taken, **_found(decisions, factor * task.default_rate)}
        told = [[d["step"], d["kind"], d["reason"]["key"]] for d in decisions if d["kind"] != "hold"]
        return Outcome(job.score(job.model, job.test), {**more, "decisions": told})

    return run


def _decisions(server: str, run: str) -> list[Any]:
    """None of them where the server does not answer."""
    try:
        with urllib.request.urlopen(f"{server}/api/v1/runs/{run}/decisions?limit=500", timeout=10) as answer:
            return list(json.load(answer)["decisions"])
    except (OSError, ValueError, KeyError):
        return []


def _found(decisions: list[Any], given: float) -> dict[str, Any]:
    """The rate after the search and the steps that it took: the last one that planned a search, or changed the rate by it."""
    search = [d for d in decisions if d["phase"]["from"] == "warmup"]
    if not search:
        return {"foundRate": given, "searchSteps": 0}
    last = search[-1]
    rates = [s["to"] for s in last["plan"]["segments"] if s["phase"] == "large"]
    return {"foundRate": rates[-1] if rates else given, "searchSteps": last["step"]}
