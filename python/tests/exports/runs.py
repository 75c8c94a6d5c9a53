"""Runs at the real server whose schedules are exported, and what the tests read of them.

A job without the client: it reports over HTTP what the server's own table tells it to apply, rounded as clients do.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import tempfile
import unittest
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.real_server import RealServer

FORMATS = ("pytorch", "keras", "optax", "transformers")
NAME = '"""\nraise SystemExit("broken out")\n#\\'
Rates = dict[int, float]


class Server:
    def __init__(self) -> None:
        self._server = RealServer()
        self.close = self._server.close

    def read(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._server.url}/api/v1/runs{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def send(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self._server.url}/api/v1/runs{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def rates(self, run_id: str, kind: str) -> Rates:
        """What the csv says was applied, or is planned."""
        rows = csv.DictReader(self.read(f"/{run_id}/schedule?format=csv").splitlines())
        return {int(row["step"]): float(row["learningRate"]) for row in rows if row["kind"] == kind}

    def report(self, run_id: str, sequence: int, rates: Rates, **more: Any) -> None:
        steps = {
            "step": list(rates),
            "loss": [1 + 1 / (1 + step) for step in rates],
            "learningRate": [float(f"{rate:.9g}") for rate in rates.values()],
        }
        body = {"clientId": "job", "sequence": sequence, "steps": {**steps, **more}}
        self.send(f"/{run_id}/telemetry", body)

    def steer(self, run_id: str, batches: Iterable[range]) -> None:
        """A job that applies what is planned; the steps of a batch are those that it reports."""
        for sequence, steps in enumerate(batches, 1):
            planned = self.rates(run_id, "planned")
            self.report(run_id, sequence, {step: planned[step] for step in steps})


def ended(server: Server) -> str:
    """Steered to its end, which its last report is: the plan of a job that tells its loss alone, held, then straight to 0."""
    run = {"runId": "ended", "budgetSteps": 600, "firstStep": 0, "learningRate": {"initial": 0.07}}
    server.send("", run)
    server.steer("ended", [range(at, at + 50) for at in range(0, 600, 50)])
    return "ended"


def begun(server: Server) -> str:
    """In the midst of an anneal of 1 - sqrt(z), from step 1,000 on, with gaps and a name that would break out."""
    run = {
        "runId": "begun",
        "name": NAME,
        "budgetSteps": 2000,
        "firstStep": 1000,
        "optimizer": {"name": "momentum", "momentum": 0.9},
        "learningRate": {"initial": 0.3},
    }
    server.send("", run)
    server.steer("begun", [range(at, at + 50) for at in range(1000, 1800, 50)])
    server.send("/begun/overrides", {"learningRate": 0.123, "untilStep": 1820, "reason": "a try"})
    server.send("/begun/commands", {"kind": "switch-now", "reason": "a try"})
    planned = server.rates("begun", "planned")
    # Steps 1,830 to 1,836 are never told, and then each third only.
    kept = [*range(1800, 1830), *range(1837, 1900), *range(1900, 1930, 3)]
    momentum = [0.85 if step < 1810 else 0.9 for step in kept]
    server.report("begun", 17, {step: planned[step] for step in kept}, momentum=momentum)
    return "begun"


def long(server: Server, steps: int = 100_000) -> str:
    """An own schedule, only watched: a warm-up, then straight to 0, so that each step has a rate of its own."""
    run = {"runId": "long", "budgetSteps": steps, "firstStep": 0, "mode": "advisory"}
    server.send("", run)
    warm = steps // 20

    def rate(step: int) -> float:
        return 0.3 * (step + 1) / warm if step < warm else 0.3 * (steps - step) / (steps - warm)

    size = 10_000
    for i in range(steps // size):
        server.report("long", i + 1, {step: rate(step) for step in range(i * size, (i + 1) * size)})
    return "long"


def held(rates: Rates) -> Rates:
    """Each step from the first on: what was not reported has the rate of the step before."""
    full, last = {}, 0.0
    for step in range(min(rates), max(rates) + 1):
        last = full[step] = rates.get(step, last)
    return full


class ExportTest(unittest.TestCase):
    """`self.files("begun", "keras")` is the imported file of that run; `twostep` cannot be imported by it."""

    server: Server
    folder: Path
    make: tuple[Callable[[Server], str], ...] = (ended, begun)

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        folder = tempfile.TemporaryDirectory(prefix="twostep-exports-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        for make in cls.make:
            make(cls.server)

    def setUp(self) -> None:
        # This one name alone: what a framework imports later must stay imported.
        known = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "twostep"}
        self.addCleanup(sys.modules.update, known)
        self.addCleanup(sys.modules.pop, "twostep")
        for name in known:
            del sys.modules[name]
        sys.modules["twostep"] = None  # type: ignore[assignment]

    def save(self, run_id: str, kind: str) -> Path:
        """As a user does: in a folder of its own, by the name schedule.py."""
        path = self.folder / f"{run_id}-{kind}" / "schedule.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.server.read(f"/{run_id}/schedule?format={kind}"), encoding="utf-8")
        return path

    def load(self, run_id: str, kind: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location("schedule", self.save(run_id, kind))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def whole(self, run_id: str) -> list[float]:
        """Rates from the first step to the last planned one, by the csv."""
        rates = {**self.server.rates(run_id, "applied"), **self.server.rates(run_id, "planned")}
        return list(held(rates).values())
