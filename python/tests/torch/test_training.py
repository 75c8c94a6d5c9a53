"""Whole jobs: the client changes nothing that it is not asked to; a steered job follows the real server to its end."""

from __future__ import annotations

import math
import random
import unittest
from pathlib import Path
from typing import Any

import torch
from torch import nn

import twostep
from tests.jobs import JobTest
from tests.real_server import RealServer
from tests.servers import Server
from tests.torch.models import data, loss_of, normalised, snapshot, update
from tests.torch.processes import torchrun


def job(run: twostep.Run | None, make: Any, steps: int = 60, parts: int = 1) -> list[Any]:
    """A training that draws random numbers everywhere it can; answers all that it ends with."""
    model = normalised()
    optimizer = make(model.parameters())
    held_out = data(64, seed=2)

    def evaluate(m: nn.Module) -> Any:
        torch.rand(3)
        random.random()
        return {"loss": loss_of(m, held_out), "lossByPart": [float(loss_of(m, held_out))] * 4}

    random.seed(1)
    torch.manual_seed(1)
    if run is not None:
        run.watch(model, optimizer, evaluate=evaluate, batch_size=32, micro_batches=parts)
    for _ in range(steps):
        picked = torch.randint(0, 512, (32,))
        inputs, labels = data(512)
        model.train()
        loss = update(model, optimizer, (inputs[picked] + random.random() * 0.01, labels[picked]), parts)
        if run is not None:
            run.step(loss, metrics={"seen": loss})
    gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    modes = [module.training for module in model.modules()]
    return [*snapshot(model, optimizer), *gradients, *modes, torch.get_rng_state(), random.random()]


class TheClientChangesNothing(JobTest):
    def assert_same(self, left: list[Any], right: list[Any]) -> None:
        self.assertEqual(len(left), len(right))
        for a, b in zip(left, right, strict=True):
            self.assertTrue(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b)

    def optimizers(self) -> list[Any]:
        return [lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), lambda p: torch.optim.AdamW(p, lr=0.01)]

    def test_disabled_gives_the_same_bits(self) -> None:
        for make in self.optimizers():
            self.assert_same(job(None, make), job(self.run_of("http://127.0.0.1:9", mode="disabled"), make))

    def test_advisory_gives_the_same_bits_whatever_is_measured(self) -> None:
        with Server() as server:
            server.plan["cadence"] = {
                "valleySteps": 7,
                "blockSteps": 4,
                "lineSteps": None,
                "microBatchSteps": 3,
            }
            for make in self.optimizers():
                expected = job(None, make, parts=2)
                run = self.run_of(server.url, steering="advisory")
                self.assert_same(expected, job(run, make, parts=2))
                run.finish()
            probes = server.notes("probes")
            self.assertGreaterEqual(len(probes), 14)
            self.assertGreater(len(probes[-1]["averaged"]), 0)
            self.assertEqual(set(server.column("learningRate")), {0.05, 0.01})
            self.assertTrue(any(isinstance(v, float) for v in server.column("microGradientNormSquared")))
            self.assertEqual(len(server.stored), 120)

    def test_steered_at_the_rate_that_the_job_has_it_gives_the_same_bits(self) -> None:
        with Server() as server:
            server.plan["cadence"] = {
                "valleySteps": 9,
                "blockSteps": 4,
                "lineSteps": None,
                "microBatchSteps": 3,
            }
            server.actions = [
                {"id": "a", "kind": "checkpoint", "atStep": 5, "checkpoint": "start", "weights": "averaged"},
                {"id": "b", "kind": "drop", "atStep": 20, "checkpoint": "start"},
            ]
            make = self.optimizers()[0]
            run = self.run_of(server.url)
            self.assert_same(job(None, make), job(run, make))
            run.finish()

    def test_a_compiled_optimizer_is_not_compiled_anew_for_each_rate(self) -> None:
        from torch._dynamo.testing import CompileCounter

        counter = CompileCounter()
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=torch.tensor(0.1))
        with Server() as server:
            line = {"fromStep": 0, "toStep": 1000, "shape": "linear", "from": 0.1, "to": 0.0}
            server.plan = {"version": 1, "segments": [line]}
            run = self.run_of(server.url)
            run.watch(model, optimizer)
            group = optimizer.param_groups[0]
            weight = model.weight

            @torch.compile(backend=counter)
            def move(weight: torch.Tensor, rate: torch.Tensor) -> torch.Tensor:
                return weight - rate * torch.ones_like(weight)

            seen = []
            for _ in range(20):
                move(weight.detach(), group["lr"])
                seen.append(float(group["lr"]))
                run.step(1.0)
            run.finish()
        self.assertEqual(counter.frame_count, 1)
        self.assertEqual(len(set(seen)), 20)


class Batches:
    """Draws examples in an order that can be taken back."""

    def __init__(self, examples: int, batch: int) -> None:
        self._examples, self._batch = examples, batch
        self._generator = torch.Generator().manual_seed(3)

    def draw(self) -> torch.Tensor:
        return torch.randint(0, self._examples, (self._batch,), generator=self._generator)

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._generator.set_state(state["generator"])


class SteeredByTheRealServer(JobTest):
    server: RealServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = RealServer()
        cls.addClassCleanup(cls.server.close)

    def train_to_the_end(self, run: twostep.Run, steps: int) -> list[float]:
        torch.manual_seed(0)
        inputs, held_out = torch.randn(2048, 20), torch.randn(1024, 20)
        truth = torch.randn(20, 5)
        labels = (inputs @ truth + 3.2 * torch.randn(2048, 5)).argmax(1)
        true = (held_out @ truth + 3.2 * torch.randn(1024, 5)).argmax(1)
        model = nn.Sequential(nn.Linear(20, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def evaluate(m: nn.Module) -> Any:
            out = m(held_out)
            losses = nn.functional.cross_entropy(out, true, reduction="none")
            return {
                "lossByPart": losses.view(16, -1).mean(1),
                "accuracy": (out.argmax(1) == true).float().mean(),
            }

        run.watch(model, optimizer, evaluate=evaluate, batch_size=64)
        applied = []
        while not run.finished and len(applied) < steps:
            picked = torch.randint(0, 2048, (64,))
            applied.append(float(optimizer.param_groups[0]["lr"]))
            loss = update(model, optimizer, (inputs[picked], labels[picked]))
            run.step(loss)
        run.finish()
        return applied

    def assert_exported(self, run_id: str | None, applied: list[float]) -> None:
        """The server has each rate that was applied, to the nine digits of the wire."""
        exported: dict[int, float] = {}
        for part in self.server.get(f"runs/{run_id}/schedule?format=json")["applied"]:
            for step in range(part["fromStep"], part["toStep"]):
                self.assertNotIn(step, exported)
                exported[step] = part["learningRate"]
        self.assertEqual(sorted(exported), list(range(len(applied))))
        for step, rate in enumerate(applied):
            self.assertTrue(math.isclose(rate, exported[step], rel_tol=1e-8, abs_tol=1e-15), step)

    def test_a_job_is_steered_to_a_switch_and_applies_the_schedule_that_the_server_exports(self) -> None:
        steps = 1200
        run = self.run_of(self.server.url, budget_steps=steps)
        applied = self.train_to_the_end(run, steps)
        summary = self.server.get(f"runs/{run.run_id}")
        self.assertEqual(summary["state"], "finished", self.said())
        self.assertIsNone(summary["drift"])
        self.assertEqual(sum(summary["badSamples"].values()), 0)
        decisions = self.server.get(f"runs/{run.run_id}/decisions?limit=500")["decisions"]
        switches = [d for d in decisions if d["kind"] == "switch" and d["status"] == "applied"]
        self.assertEqual(len(switches), 1)
        self.assertEqual(summary["outcome"]["isBetter"], True)
        self.assert_exported(run.run_id, applied)
        self.assertLess(applied[-1], 0.02 * max(applied))

    def test_a_job_that_evaluates_nothing_has_its_rate_found_by_training_losses(self) -> None:
        torch.manual_seed(0)
        truth = torch.randn(20, 5)
        inputs = torch.randn(4096, 20)
        labels = (inputs @ truth).argmax(1)
        model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
        batches = Batches(4096, 64)
        steps = 600
        run = self.run_of(self.server.url, budget_steps=steps)
        run.watch(model, optimizer, batch_size=64, data=batches)
        applied: list[float] = []
        while not run.finished and len(applied) < steps:
            picked = batches.draw()
            applied.append(float(optimizer.param_groups[0]["lr"]))
            run.step(update(model, optimizer, (inputs[picked], labels[picked])))
        run.finish()
        decisions = self.server.get(f"runs/{run.run_id}/decisions?limit=500")["decisions"]
        raised = next(d for d in decisions if d["kind"] == "raise")
        self.assertEqual(raised["reason"]["key"], "rate-found", self.said())
        self.assertGreater(self.server.get(f"runs/{run.run_id}")["largeLearningRate"], 0.003)
        # Each arm was measured at a rate of 0.
        self.assertGreaterEqual(applied[: raised["step"]].count(0.0), 3 * 4)
        self.assert_exported(run.run_id, applied)

    def test_all_that_an_accumulating_clipped_adam_job_measures_is_accepted(self) -> None:
        model = normalised()
        groups = [
            {"params": model[:2].parameters(), "lr": 0.01},
            {"params": model[4].parameters(), "lr": 0.002},
        ]
        optimizer = torch.optim.AdamW(groups)
        scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
        run = self.run_of(
            self.server.url, budget_steps=320, config={"nan": math.nan, "list": [1]}, tags=["a"]
        )
        held_out = data(96, seed=2)
        run.watch(
            *(model, optimizer),
            evaluate=lambda m: {"loss": loss_of(m, held_out), "accuracy": 97.0},
            batch_size=32,
            micro_batches=4,
            scaler=scaler,
        )
        for k in range(320):
            inputs, labels = data(32, seed=k)
            if k == 200:
                inputs[0, 0] = math.inf
            optimizer.zero_grad()
            total = 0.0
            for part in zip(inputs.chunk(4), labels.chunk(4), strict=True):
                loss = loss_of(model, part) / 4
                scaler.scale(loss).backward()
                total += float(loss.detach())
            scaler.unscale_(optimizer)
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            run.step(total, gradient_norm=norm, metrics={"norm": norm}, tokens=32 * k, objective="all")
            rates = [group["lr"] for group in optimizer.param_groups]
            self.assertAlmostEqual(rates[1], 0.2 * rates[0], places=12)
        run.finish()
        self.assertNotIn("refused", self.said())
        summary = self.server.get(f"runs/{run.run_id}")
        self.assertEqual((summary["state"], summary["badSamples"]["skipped"]), ("finished", 1), self.said())
        signals = "microGradientNormSquared,preconditionedMicroGradientNormSquared,clipped"
        series = self.server.get(f"runs/{run.run_id}/series?signals={signals}")["signals"]
        counts = {name: sum(series[name]["count"]) for name in signals.split(",")}
        self.assertGreater(min(counts.values()), 2, counts)

    def test_two_processes_under_torchrun_are_steered_as_one(self) -> None:
        program = Path(__file__).parent / "two_processes.py"
        first, second, _ = torchrun(program, self.folder, "ddp", server_url=self.server.url)
        self.assertEqual(first["rates"], second["rates"])
        self.assertEqual(first["weights"], second["weights"])
        self.assertEqual(first["did"], second["did"])
        self.assertIn("restore", first["did"])
        self.assertGreater(
            min(first["calls"], second["calls"]), 20, "evaluate has failed once, in one of them"
        )
        self.assertEqual(first["run"], second["run"])
        summary = self.server.get(f"runs/{first['run']}")
        self.assertEqual((summary["state"], summary["drift"]), ("finished", None))
        self.assert_exported(first["run"], first["rates"])


if __name__ == "__main__":
    unittest.main()
