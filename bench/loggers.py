"""What other loggers take for the scalars of a training job, for `bench ingest`: the argument is `trackio` (local, into its
SQLite file) or `tensorboard` (TensorBoard's event file, by tensorboardX). Logs STEPS steps of SCALARS scalars, each step by one
call as a job would, waits until all is written, and prints {"stepsPerSecond"} with the version."""

import contextlib
import json
import os
import sys
import tempfile
import time
from importlib.metadata import version

STEPS = int(sys.argv[2])
SCALARS = int(sys.argv[3])


def row(step: int) -> dict[str, float]:
    return {f"scalar{i}": (1 + i) / (1 + step / 5000) for i in range(SCALARS)}


def trackio_seconds(folder: str) -> float:
    os.environ["TRACKIO_DIR"] = folder
    import trackio

    trackio.init(project="bench", name="run")
    rows = [row(step) for step in range(STEPS)]
    started = time.perf_counter()
    for step, values in enumerate(rows):
        trackio.log(values, step=step)
    trackio.finish()
    return time.perf_counter() - started


def tensorboard_seconds(folder: str) -> float:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(folder)
    rows = [row(step) for step in range(STEPS)]
    started = time.perf_counter()
    for step, values in enumerate(rows):
        for name, value in values.items():
            writer.add_scalar(name, value, step)
    writer.close()
    return time.perf_counter() - started


name = sys.argv[1]
with tempfile.TemporaryDirectory() as data, contextlib.redirect_stdout(sys.stderr):
    seconds = {"trackio": trackio_seconds, "tensorboard": tensorboard_seconds}[name](data)
package = {"trackio": "trackio", "tensorboard": "tensorboardX"}[name]
print(json.dumps({"stepsPerSecond": round(STEPS / seconds), "version": f"{package} {version(package)}"}))
# Threads of a logger that are still about would keep the process.
sys.stdout.flush()
os._exit(0)
