"""One job, and what the client costs it: prints one line of JSON.

    python -m benchmarks.gpu.job --server URL --model mlp|cnn|gpt --mode plain|loss|measured|steered --steps 2000 --seed 1

`plain`: without the client. `loss`: steered by the training loss alone. `measured`: advice only, so that all is measured and no
rate is changed. `steered`: by all that the client can offer.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path

import torch

import twostep

from .tasks import Task, task

MODES = ("plain", "loss", "measured", "steered")
WARM_UP = 50
PARTS = 20


def begun(given: argparse.Namespace, job: Task) -> twostep.Run:
    steering = "advisory" if given.mode == "measured" else "auto"
    run = twostep.init(
        "gpu-check",
        given.steps,
        run_id=given.run_id,
        steering=steering,
        server_url=given.server,
        mode="disabled" if given.mode == "plain" else "online",
        spool_dir=str(given.spool),
        config={"model": given.model, "mode": given.mode, "seed": given.seed},
    )
    inputs, targets = job.held_out
    if given.mode == "loss":
        run.watch(job.model, job.optimizer, batch_size=job.batch_size, checkpoints=False)
    elif given.mode != "plain":
        run.watch(
            job.model,
            job.optimizer,
            evaluate=lambda model: job.loss(model, inputs, targets),
            examples=len(targets),
            batch_size=job.batch_size,
        )
    return run


def trained(given: argparse.Namespace) -> dict[str, object]:
    job = task(given.model, given.device, given.seed)
    is_card = given.device.startswith("cuda")
    settle = torch.cuda.synchronize if is_card else (lambda: None)
    run = begun(given, job)
    order = torch.Generator(device=given.device).manual_seed(given.seed)
    # The clock is read where the card has caught up, at a few places: reading it at each step would make it wait.
    every = max(1, (given.steps - WARM_UP) // PARTS)
    marks: list[float] = []
    for step in range(given.steps):
        if step >= WARM_UP and (step - WARM_UP) % every == 0:
            settle()
            marks.append(time.perf_counter())
        rows = torch.randint(0, job.examples, (job.batch_size,), device=given.device, generator=order)
        inputs, targets = job.batch(rows)
        job.optimizer.zero_grad(set_to_none=True)
        loss = job.loss(job.model, inputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        job.optimizer.step()
        run.step(loss.detach())
        if run.finished:
            break
    settle()
    marks.append(time.perf_counter())
    run.finish()
    with torch.no_grad():
        held_out = float(job.loss(job.model.eval(), *job.held_out))
    # The last part is shorter than the others.
    parts = [(later - earlier) / every for earlier, later in itertools.pairwise(marks[:-1])]
    counted = max(1, run.step_count - WARM_UP) if given.mode != "plain" else given.steps - WARM_UP
    return {
        "model": given.model,
        "mode": given.mode,
        "seed": given.seed,
        "device": torch.cuda.get_device_name() if is_card else "cpu",
        "torch": torch.__version__,
        "parameters": sum(p.numel() for p in job.model.parameters()),
        "steps": given.steps if given.mode == "plain" else run.step_count,
        "millisecondsPerStep": 1_000 * (marks[-1] - marks[0]) / counted,
        "millisecondsPerStepMedian": 1_000 * statistics.median(parts) if parts else None,
        "heldOutLoss": held_out,
        "runId": run.run_id,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.job")
    parser.add_argument("--server", default="http://127.0.0.1:7317")
    parser.add_argument("--model", choices=("mlp", "cnn", "gpt"), default="mlp")
    parser.add_argument("--mode", choices=MODES, default="steered")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--run-id")
    parser.add_argument("--spool", type=Path, default=Path(".twostep/spool"))
    print(json.dumps(trained(parser.parse_args())), flush=True)


if __name__ == "__main__":
    main()
