"""What a card says: the cost of the client and its signals a step, and a training by the built-in trainer through WebGPU.

    python -m benchmarks.gpu --app FOLDER --out FOLDER [--models mlp,cnn,gpt] [--seconds 480]

Needs PyTorch; the server and the trainer come out of the folder that bundle.sh has packed (Node among it), so neither Node nor a
network is needed. Rounds of all modes in turn, as the clock of a card drifts, until the time is used up; rows go to
`OUT/jobs.ndjson`, the trainer's summaries to `OUT/trainer.ndjson`, what the machine is to `OUT/machine.txt`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .job import MODES

PACKAGE = Path(__file__).resolve().parents[2]
STEPS = {"mlp": 2_000, "cnn": 2_000, "gpt": 400}
TRAININGS = (("digits", "mlp", 300), ("mnist", "cnn", 600), ("mnist", "mlp", 1_500))
JOB_SECONDS, TRAINER_SECONDS = 150, 120
CARD_DRIVER = "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json"


def environment() -> dict[str, str]:
    """Without what somebody has set for a server of theirs; with the card's Vulkan driver, where containers hide it."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("TWOSTEP_")}
    if Path(CARD_DRIVER).exists():
        own.setdefault("VK_DRIVER_FILES", CARD_DRIVER)
    return own


class App:
    """Node with the built program."""

    def __init__(self, folder: Path) -> None:
        self.node = str(folder / "node")
        self.command = [self.node, str(folder / "dist/server/cli/twostep.js")]

    def call(self, *words: str, cwd: str, seconds: float = 60) -> tuple[int, str]:
        try:
            done = subprocess.run(
                [*self.command, *words],
                capture_output=True,
                text=True,
                timeout=seconds,
                env=environment(),
                cwd=cwd,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, f"did not end within {seconds} s\n"
        return done.returncode, done.stdout + done.stderr

    @contextlib.contextmanager
    def server(self, folder: str) -> Iterator[str]:
        words = [*self.command, "serve", "--port", "0", "--json", "--data-dir", folder]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env=environment(), cwd=folder
        ) as process:
            try:
                assert process.stdout is not None
                yield json.loads(process.stdout.readline())["url"]
            finally:
                process.terminate()


def machine(app: App, folder: str) -> str:
    lines = [f"python {sys.version.split()[0]}", subprocess.getoutput(f"{app.node} --version")]
    program = "import torch; print('torch', torch.__version__, torch.cuda.is_available())"
    lines.append(subprocess.getoutput(f'{sys.executable} -c "{program}"'))
    lines.append(subprocess.getoutput("nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv"))
    return "\n".join([*lines, app.call("doctor", "--port", "0", cwd=folder)[1]]) + "\n"


def trainings(app: App, url: str, folder: str) -> Iterator[dict[str, Any]]:
    for task, model, steps in TRAININGS:
        for backend in ("webgpu", "wasm"):
            if (backend, model) == ("wasm", "cnn"):
                continue
            words = (
                "--backend",
                backend,
                "--task",
                task,
                "--model",
                model,
                "--steps",
                str(steps),
                "--server",
                url,
            )
            status, said = app.call("train", *words, "--events", seconds=TRAINER_SECONDS, cwd=folder)
            lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
            summary = next((line for line in lines if line.get("event") == "summary"), None)
            told = {} if summary else {"said": said.strip().splitlines()[-3:]}
            yield {
                "backend": backend,
                "task": task,
                "model": model,
                "status": status,
                **(summary or {}),
                **told,
            }


def job(url: str, spool: str, model: str, mode: str, seed: int, steps: int) -> dict[str, Any]:
    words = ["--server", url, "--model", model, "--mode", mode, "--seed", str(seed), "--steps", str(steps)]
    command = [sys.executable, "-m", "benchmarks.gpu.job", *words, "--spool", spool]
    own = {**environment(), "PYTHONPATH": str(PACKAGE)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=JOB_SECONDS, env=own, check=False
        )
    except subprocess.TimeoutExpired:
        return {"model": model, "mode": mode, "seed": seed, "error": f"did not end within {JOB_SECONDS} s"}
    if done.returncode == 0:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    return {"model": model, "mode": mode, "seed": seed, "error": done.stderr.strip().splitlines()[-3:]}


def table(rows: list[dict[str, Any]]) -> str:
    """Median milliseconds a step, and how much more than plain."""
    lines = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of = {
            mode: statistics.median(
                [
                    r["millisecondsPerStep"]
                    for r in rows
                    if r["model"] == model and r["mode"] == mode and "error" not in r
                ]
                or [float("nan")]
            )
            for mode in MODES
        }
        told = [f"{mode} {ms:.3f} ms ({100 * (ms / of['plain'] - 1):+.1f} %)" for mode, ms in of.items()]
        lines.append(f"{model}: {', '.join(told)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--app", type=Path, required=True, help="the unpacked folder of bundle.sh")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", default=",".join(STEPS))
    parser.add_argument("--steps", type=int, help="of every job; default 2,000, of the GPT 400")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=480, help="no further round begins after so many")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    app, rows = App(given.app), []

    def say(words: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {words}", flush=True)

    with tempfile.TemporaryDirectory(prefix="twostep-gpu-") as folder, app.server(folder) as url:
        (given.out / "machine.txt").write_text(machine(app, folder))
        say("machine.txt")
        with (given.out / "trainer.ndjson").open("w") as file:
            for one in trainings(app, url, folder):
                file.write(json.dumps(one) + "\n")
                say(
                    f"{one['backend']} {one['task']} {one['model']}: {one.get('testAccuracy', one.get('said'))}"
                )
        with (given.out / "jobs.ndjson").open("w") as file:
            for seed in range(1, given.rounds + 1):
                for model in given.models.split(","):
                    if time.monotonic() - began > given.seconds:
                        break
                    for mode in MODES:
                        row = job(url, f"{folder}/spool", model, mode, seed, given.steps or STEPS[model])
                        rows.append(row)
                        file.write(json.dumps(row) + "\n")
                        file.flush()
                        say(f"{model} {mode}: {row.get('millisecondsPerStep', row.get('error'))}")
        (given.out / "runs.txt").write_text(app.call("list", "runs", "--server", url, cwd=folder)[1])
    (given.out / "table.txt").write_text(table(rows))
    print(table(rows), end="")


if __name__ == "__main__":
    main()
