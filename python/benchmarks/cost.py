"""What the client costs a training of 5 ms a step, with servers that are up, down, slow, refusing or answer rubbish.

Two jobs take turns, step by step: one without the client, one with it, so that both see the same machine. Told are, per
condition: the median time of a call of `run.step` at which nothing is measured, within the training, whose work has pushed
the client's code and data out of the processor's caches, and `alone`, call after call; the share of the training's time spent in
all such calls, waits for answers included (the first wait, before the first step, is told by itself); the share of CPU that
the client's own thread takes beside the training (all of it is counted as lost, though a second core may do it); and the
difference that a clock sees between the two jobs, which holds the hooks within the optimizer's step, and the noise of the
machine. `total` is calls + thread.

    python -m benchmarks.cost [--steps 400] [--milliseconds 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import twostep
from tests.servers import RATE, Request, Server

CONDITIONS = ("up", "probes", "down", "slow", "refusing", "rubbish")
SLOW_SECONDS = 5.0


def serve(condition: str, pipe: Any) -> None:
    """A server in a process of its own; ends when it is told to."""

    def behave(request: Request) -> str | None:
        if condition == "slow":
            time.sleep(SLOW_SECONDS)
        if condition == "refusing":
            return "422 invalid-request"
        return "html" if condition == "rubbish" else None

    server = Server(behave)
    line = {"fromStep": 0, "toStep": 10**6, "shape": "linear", "from": RATE, "to": 0.0}
    probes = {"valleySteps": 100, "microBatchSteps": None} if condition == "probes" else {}
    server.plan = {"version": 1, "segments": [line], "cadence": {"blockSteps": 10, **probes}}
    pipe.send(server.url)
    pipe.recv()
    pipe.send(len(set(server.stored)))
    server.close()


class Job:
    """A model, and as much further work as fills a step."""

    def __init__(self, work: int) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.inputs, self.labels = torch.randn(64, 64), torch.randint(0, 10, (64,))
        self.held_out = torch.randn(512, 64), torch.randint(0, 10, (512,))
        self.square = torch.randn(96, 96)
        self.work = work

    def step(self) -> torch.Tensor:
        for _ in range(self.work):
            self.square @ self.square
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(self.inputs), self.labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()

    def evaluate(self, model: nn.Module) -> torch.Tensor:
        return nn.functional.cross_entropy(model(self.held_out[0]), self.held_out[1])


def timed(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def calibrated(seconds: float) -> int:
    """How much further work makes a step of so many seconds."""
    job = Job(0)
    least = statistics.median(timed(job.step) for _ in range(50))
    job.work = 200
    each = (statistics.median(timed(job.step) for _ in range(30)) - least) / 200
    return max(0, round((seconds - least) / each))


def measured(condition: str, steps: int, work: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = None
    if condition == "down":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
    else:
        child = context.Process(target=serve, args=(condition, there), daemon=True)
        child.start()
        url = here.recv()
    folder = tempfile.mkdtemp(prefix="twostep-cost-")
    bare, watched = Job(work), Job(work)
    for _ in range(20):
        bare.step()
        watched.step()
    run = twostep.init("cost", budget_steps=10**6, server_url=url, spool_dir=folder)
    begin = timed(
        lambda: run.watch(watched.model, watched.optimizer, evaluate=watched.evaluate, batch_size=64)
    )
    without, within, calls = [], [], []
    cpu, own = time.process_time(), time.thread_time()
    for _ in range(steps):
        without.append(timed(bare.step))
        began = time.perf_counter()
        loss = watched.step()
        between = time.perf_counter()
        run.step(loss)
        ended = time.perf_counter()
        within.append(ended - began)
        calls.append(ended - between)
    beside = (time.process_time() - cpu) - (time.thread_time() - own)
    alone = [timed(lambda: run.step(loss)) for _ in range(1000)]
    end = timed(run.finish)
    stored = None
    if child is not None:
        here.send("stop")
        stored = here.recv() if here.poll(2 * SLOW_SECONDS) else None
        child.join(2 * SLOW_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    whole = sum(without)
    return {
        "condition": condition,
        "stepMilliseconds": 1e3 * statistics.median(without),
        "callMicroseconds": 1e6 * statistics.median(calls),
        "aloneMicroseconds": 1e6 * statistics.median(alone),
        "callMicrosecondsWorst": 1e6 * max(calls),
        "calls": sum(calls) / whole,
        "thread": beside / whole,
        "total": (sum(calls) + beside) / whole,
        "difference": statistics.median(within) / statistics.median(without) - 1,
        "beginSeconds": begin,
        "endSeconds": end,
        "stored": stored,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--milliseconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.getLogger("twostep").setLevel(logging.CRITICAL)
    torch.set_num_threads(1)
    work = calibrated(given.milliseconds / 1e3)
    rows = [measured(condition, given.steps, work) for condition in CONDITIONS]
    if given.json:
        print(json.dumps({"torch": torch.__version__, "steps": given.steps, "rows": rows}))
        return 0
    print(
        f"{'server':<10}{'step ms':>9}{'alone µs':>9}{'call µs':>9}{'worst µs':>10}{'calls':>8}{'thread':>8}{'total':>8}",
        end="",
    )
    print(f"{'clock':>8}{'begin s':>9}{'end s':>7}")
    for row in rows:
        print(
            f"{row['condition']:<10}{row['stepMilliseconds']:>9.2f}{row['aloneMicroseconds']:>9.1f}{row['callMicroseconds']:>9.1f}",
            end="",
        )
        print(f"{row['callMicrosecondsWorst']:>10.0f}", end="")
        for key in ("calls", "thread", "total", "difference"):
            print(f"{100 * row[key]:>7.2f}%", end="")
        print(f"{row['beginSeconds']:>9.2f}{row['endSeconds']:>7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
