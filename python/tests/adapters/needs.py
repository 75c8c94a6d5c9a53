"""What the adapters' tests share: frameworks that may be missing, runs that need no server, and a real server."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import twostep

PYTHON = Path(__file__).resolve().parents[2]
ROOT = PYTHON.parent
PROGRAM = ROOT / "dist" / "server" / "cli" / "twostep.js"


def need(name: str) -> Any:
    """A module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def offline_run(test: unittest.TestCase, **settings: Any) -> twostep.Run:
    """A run without a server: it follows its own plan, the given rate for 75 % of the steps, then linear to 0."""
    folder = tempfile.mkdtemp(prefix="twostep-adapters-")
    test.addCleanup(shutil.rmtree, folder, True)
    run = twostep.init(mode="offline", spool_dir=folder, **settings)
    test.addCleanup(run.finish)
    return run


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Address of a server that is built and started for the test. Raises SkipTest where it is not built."""
    node = shutil.which("node")
    if node is None or not PROGRAM.exists():
        raise unittest.SkipTest("the server is not built: npm ci && npm run build")
    with tempfile.TemporaryDirectory() as folder:
        command = [node, str(PROGRAM), "serve", "--port", "0", "--json", "--data-dir", folder]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TWOSTEP_")}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env=environment, cwd=folder, text=True
        ) as process:
            try:
                assert process.stdout is not None
                line = next(line for line in process.stdout if line.startswith("{"))
                yield json.loads(line)["url"]
            finally:
                process.terminate()
                process.wait(10)


def get(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/api/v1{path}", timeout=10) as response:
        return json.load(response)


def run_example(url: str, name: str, *arguments: str, **variables: str) -> tuple[str, list[dict[str, Any]]]:
    """Runs `examples/<name>` as a user would; answers what it printed and the decisions of its run."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(PYTHON),
            "TWOSTEP_SERVER_URL": url,
            "TWOSTEP_SPOOL_DIR": folder,
            "TWOSTEP_PROJECT": name,
            **variables,
        }
        command = [sys.executable, str(PYTHON / "examples" / name), *arguments]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600, check=False
        )
    if done.returncode != 0:
        raise AssertionError(
            f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
    runs = get(url, "/runs?limit=1")["runs"]
    return done.stdout, get(url, f"/runs/{runs[0]['id']}/decisions?limit=200")["decisions"]


def seen_losses(run: twostep.Run) -> list[Any]:
    """Fills itself with the loss of each step that an adapter reports."""
    losses: list[Any] = []
    step = run.step

    def noted(loss: Any = None, **more: Any) -> None:
        losses.append(float(loss))
        step(loss, **more)

    run.step = noted  # type: ignore[method-assign]
    return losses


def assert_told_as_one(test: unittest.TestCase, first: Any, second: Any) -> None:
    """Of two processes that accumulate two batches: each step's loss is the mean of its four, and the score is of 96 held-out examples,
    each counted once."""
    for step, told in enumerate(first["told"]):
        parts = [seen["own"][2 * step + k] for seen in (first, second) for k in (0, 1)]
        test.assertAlmostEqual(told, sum(parts) / 4, places=5)
    test.assertEqual((first["score"]["examples"], len(first["whole"])), (96, 12))
    for part, whole in zip(first["score"]["lossByPart"], first["whole"], strict=True):
        test.assertAlmostEqual(part, whole, places=5)


def spooled_metrics(run: twostep.Run) -> dict[str, list[Any]]:
    """Metrics of its own that an offline run has put on disk: those of all steps, in order."""
    settings = run._settings
    assert settings is not None
    found: dict[str, list[Any]] = {}
    for path in sorted((settings.spool / settings.run_id).glob("*.ndjson")):
        for line in path.read_text().splitlines()[1:]:
            steps = json.loads(line).get("steps", {})
            for name, column in steps.get("metrics", {}).items():
                found.setdefault(name, []).extend(column)
    return found


def own_rate(rate: float, step: int, steps: int) -> float:
    """Of a job without an answer: the rate for 75 % of the steps, then linear to 0."""
    turn = int(0.75 * steps + 0.5)
    return rate if step < turn else rate * (steps - step) / (steps - turn)
