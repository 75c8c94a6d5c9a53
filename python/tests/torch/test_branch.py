"""Copies annealed beside a run: the run goes on with the same bits, whatever becomes of the copy, and the copy is what it should be."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import twostep
from tests.jobs import JobTest
from tests.real_server import RealServer
from tests.servers import RATE, Server
from tests.torch.models import data, loss_of, normalised, snapshot, update
from tests.torch.processes import torchrun
from twostep.branch import Anneal, Branch, Branching
from twostep.torch import TorchHands

STEPS, AT, LENGTH = 60, 20, 15
HELD_OUT = data(64, seed=2)


class Order:
    """Batches in an order that can be taken back, from a generator that no checkpoint of the client's holds."""

    def __init__(self) -> None:
        self.place = torch.Generator().manual_seed(5)
        self.taken = 0

    def draw(self) -> torch.Tensor:
        self.taken += 1
        return torch.randint(0, 512, (32,), generator=self.place)

    def state_dict(self) -> dict[str, Any]:
        return {"place": self.place.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.place.set_state(state["place"])


class Job:
    """A training that draws random numbers everywhere it can, and takes the steps of its copies by its own function."""

    def __init__(self, make: Any, parts: int = 1) -> None:
        self.model = normalised()
        self.model.register_buffer("passing", torch.zeros(()), persistent=False)
        self.optimizer = make(self.model.parameters())
        self.order = Order()
        self.parts = parts
        self.run: twostep.Run | None = None
        self.rates: list[float] = []
        self.breaks_at: int | None = None

    def begin(self) -> None:
        random.seed(1)
        torch.manual_seed(1)

    def evaluate(self, model: nn.Module) -> Any:
        torch.rand(3)
        return loss_of(model, HELD_OUT)

    def watch(self, run: twostep.Run, branch: Branch | None, **more: Any) -> None:
        self.run = run
        run.watch(
            *(self.model, self.optimizer),
            evaluate=self.evaluate,
            batch_size=32,
            micro_batches=self.parts,
            data=self.order,
            branch=branch,
            **more,
        )

    def step(self) -> None:
        """As a job has it: its own step, and the call of the run."""
        inputs, labels = data(512)
        picked = self.order.draw()
        self.model.train()
        self.model.passing.add_(1)
        batch = (inputs[picked] + random.random() * 0.01, labels[picked])
        self.rates.append(float(self.optimizer.param_groups[0]["lr"]))
        loss = update(self.model, self.optimizer, batch, self.parts)
        if self.run is not None:
            if (
                self.run.is_branching
                and self.breaks_at is not None
                and self.order.taken > AT + self.breaks_at
            ):
                raise ArithmeticError("the copy breaks")
            self.run.step(loss, metrics={"seen": loss})

    def result(self) -> list[Any]:
        gradients = [None if p.grad is None else p.grad.clone() for p in self.model.parameters()]
        modes = [module.training for module in self.model.modules()]
        rest = [
            torch.get_rng_state(),
            random.random(),
            self.order.place.get_state(),
            self.model.passing.clone(),
        ]
        return [*snapshot(self.model, self.optimizer), *gradients, *modes, *rest]


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=RATE, momentum=0.9)


def adamw(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=RATE)


def branch_action(steps: int = LENGTH, at: int = AT) -> dict[str, Any]:
    return {"id": "b-1", "kind": "branch", "atStep": at, "steps": steps, "shape": "linear"}


class InTurn(JobTest):
    def trained(self, job: Job, branch: Branch | None, *, asks: bool = True, **more: Any) -> Server:
        """The job under a server that gives it the rate that it has, and asks for a copy once."""
        server = Server()
        self.addCleanup(server.close)
        server.plan["cadence"] = {"valleySteps": 7, "blockSteps": 4, "lineSteps": None, "microBatchSteps": 3}
        server.actions = [branch_action()] if asks else []
        run = self.run_of(server.url)
        job.begin()
        job.watch(run, branch, **more)
        for _ in range(STEPS):
            job.step()
        self.ended = job.result()
        run.finish()
        return server

    def assert_same(self, left: list[Any], right: list[Any]) -> None:
        self.assertEqual(len(left), len(right))
        for a, b in zip(left, right, strict=True):
            self.assertTrue(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b)

    def measured(self, server: Server) -> list[Any]:
        probes = [{k: v for k, v in probe.items() if k != "seconds"} for probe in server.notes("probes")]
        names = ("loss", "learningRate", "gradientNormSquared", "microGradientNormSquared", "skipped")
        return [probes, server.stored, *(server.column(name) for name in names)]

    def test_the_run_goes_on_with_the_same_bits_and_reports_the_same(self) -> None:
        for make, parts in ((sgd, 1), (adamw, 2)):
            with self.subTest(make=make.__name__):
                plain, branched = Job(make, parts), Job(make, parts)
                told = self.trained(plain, Branch(step=plain.step), asks=False)
                expected = self.ended
                server = self.trained(branched, Branch(step=branched.step))
                self.assert_same(expected, self.ended)
                self.assertEqual(self.measured(told), self.measured(server))
                self.assertEqual((plain.order.taken, branched.order.taken), (STEPS, STEPS + LENGTH))
                [done] = server.notes("acknowledgements")
                self.assertEqual((done["status"], done["step"]), ("done", AT), done)
                self.assertEqual((done["branch"]["fromStep"], done["branch"]["steps"]), (AT, LENGTH))

    def test_a_job_without_a_copy_gives_the_same_bits(self) -> None:
        plain, branched = Job(sgd), Job(sgd)
        plain.begin()
        for _ in range(STEPS):
            plain.step()
        expected = plain.result()
        self.trained(branched, Branch(step=branched.step))
        self.assert_same(expected, self.ended)

    def test_the_copy_is_annealed_to_nothing_scored_and_kept(self) -> None:
        job = Job(sgd)
        kept: list[Anneal] = []

        def keep(model: nn.Module, anneal: Anneal) -> None:
            kept.append(anneal)
            self.assertFalse(model.training)
            with torch.no_grad():
                self.assertAlmostEqual(float(loss_of(model, HELD_OUT)), anneal.loss or 0.0, places=6)

        server = self.trained(job, Branch(step=job.step, keep=keep))
        rates = job.rates[AT : AT + LENGTH]
        self.assertEqual(rates, [RATE * (1 - k / LENGTH) for k in range(LENGTH)])
        self.assertEqual(set(job.rates[:AT] + job.rates[AT + LENGTH :]), {RATE})
        [done] = server.notes("acknowledgements")
        self.assertAlmostEqual(kept[0].loss or 0.0, done["branch"]["loss"], places=6)
        present = [probe["raw"]["loss"] for probe in server.notes("probes")]
        self.assertNotIn(done["branch"]["loss"], present)

    def test_all_that_a_step_can_change_is_as_it_was(self) -> None:
        job = Job(sgd)
        job.begin()

        def step() -> None:
            job.step()
            np.random.random()
            job.model[1].eval()  # type: ignore[index]
            job.optimizer.param_groups[0]["momentum"] = 0.5
            if job.order.taken == 25:
                job.optimizer.zero_grad()

        hands = TorchHands(
            *(job.model, job.optimizer),
            evaluate=job.evaluate,
            batch_size=32,
            branch=Branch(step=step),
        )
        for k in range(20):
            job.step()
            hands.average(4)
            if k < 19:
                hands.columns(k, 4)
        settings = [{k: v for k, v in g.items() if k != "params"} for g in job.optimizer.param_groups]
        before, rest = job.result(), (np.random.get_state()[2], settings)
        state = random.getstate()
        gradients = [p.grad for p in job.model.parameters()]
        hands.branch(Anneal("b-1", 20, 5, "linear", RATE), lambda: None)
        self.assertEqual(random.getstate(), state)
        self.assertEqual(job.order.taken, 25)
        self.assertTrue(all(p.grad is g for p, g in zip(job.model.parameters(), gradients, strict=True)))
        after = job.result()
        # The place in the data goes on where nothing can take it back; the last is a number drawn to look at the generator.
        self.assert_same(before[:-3], after[:-3])
        self.assertTrue(torch.equal(before[-1], after[-1]))
        own = [{k: v for k, v in g.items() if k != "params"} for g in job.optimizer.param_groups]
        self.assertEqual((np.random.get_state()[2], own), rest)
        columns = hands.columns(19, 4)
        self.assertEqual((columns["learningRate"], "gradientNormSquared" in columns), (RATE, False))

    def test_its_weights_may_go_into_a_folder(self) -> None:
        job = Job(sgd)
        server = self.trained(job, Branch(step=job.step, keep=self.folder / "copies"))
        [file] = (self.folder / "copies").iterdir()
        self.assertEqual(file.name, f"b-1-step-{AT}.pt")
        model = normalised()
        model.load_state_dict(torch.load(file))
        model.eval()
        with torch.no_grad():
            loss = float(loss_of(model, HELD_OUT))
        self.assertAlmostEqual(loss, server.notes("acknowledgements")[0]["branch"]["loss"], places=6)

    def test_whatever_breaks_is_told_and_the_run_goes_on_with_the_same_bits(self) -> None:
        plain = Job(sgd)
        self.trained(plain, Branch(step=plain.step), asks=False)
        expected = self.ended

        def broken(*_: Any) -> None:
            raise OSError("no space left")

        for keep, breaks_at, says in (
            (None, 5, "ArithmeticError: the copy breaks"),
            (broken, None, "OSError: no space left"),
        ):
            job = Job(sgd)
            job.breaks_at = breaks_at
            server = self.trained(job, Branch(step=job.step, keep=keep))
            self.assert_same(expected, self.ended)
            [done] = server.notes("acknowledgements")
            self.assertEqual((done["status"], done["detail"]), ("failed", says))
            self.assertNotIn("branch", done)

    def test_a_copy_that_comes_apart_is_told_as_one(self) -> None:
        job = Job(sgd)

        def step() -> None:
            job.step()
            with torch.no_grad():
                next(job.model.parameters()).fill_(torch.nan)

        server = self.trained(job, Branch(step=step))
        self.assertEqual(server.notes("acknowledgements")[0]["branch"]["loss"], "NaN")
        self.assertTrue(all(bool(torch.isfinite(p).all()) for p in job.model.parameters()))

    def test_a_job_that_gives_no_way_offers_none_and_says_so(self) -> None:
        job = Job(sgd)
        server = self.trained(job, None)
        self.assertNotIn("branch", next(iter(server.runs.values()))["capabilities"])
        self.assertEqual(server.notes("acknowledgements")[0]["status"], "unsupported")

    def test_two_processes_anneal_the_same_copy(self) -> None:
        with Server() as server:
            server.actions = [branch_action()]
            program = Path(__file__).parent / "branch_job.py"
            first, second, _ = torchrun(program, self.folder, server_url=server.url)
            self.assertEqual(first["weights"], second["weights"])
            self.assertEqual(first["weights"], first["expected"])
            self.assertEqual((first["copies"], second["copies"]), (LENGTH, LENGTH))
            [done] = server.notes("acknowledgements")
            self.assertEqual(done["status"], "done", done)
            self.assertEqual(sorted(p.name for p in (self.folder / "copies").iterdir()), first["files"])


SECOND = """
import sys, twostep
handover = twostep.read_branch(sys.argv[1])
if sys.argv[2] == "report": handover.report(sum(handover.rate(k) for k in range(handover.steps)))
if sys.argv[2] == "fail": handover.fail("its data is gone")
sys.exit(3 if sys.argv[2] == "vanish" else 0)
"""


class Beside(JobTest):
    def answered(self, how: str, returns: bool = True) -> dict[str, Any]:
        """What the run says of a copy that a second process anneals, meanwhile going on."""
        job = Job(sgd)
        started: list[subprocess.Popen[bytes]] = []

        def begin(handover: twostep.Handover) -> Any:
            if how == "refuse":
                raise OSError("no second device")
            started.append(subprocess.Popen([sys.executable, "-c", SECOND, str(handover.path), how]))
            return started[-1] if returns else None

        with Server() as server:
            server.actions = [branch_action()]
            run = self.run_of(server.url)
            job.watch(run, Branch(beside=begin, folder=self.folder / "copies"))
            for _ in range(AT + 1):
                job.step()
            for process in started:
                process.wait(30)
            # The next meetings find out: one sees that it has ended, the next one that it has said nothing.
            self.assertTrue(server.until(lambda: self.stepped(job, server)))
            run.finish()
            self.assertEqual(server.stored, list(range(job.order.taken)))
            [done] = server.notes("acknowledgements")
            return done

    def stepped(self, job: Job, server: Server) -> bool:
        job.step()
        return len(server.notes("acknowledgements")) > 0

    def test_its_loss_is_told_once_it_is_there(self) -> None:
        for returns in (True, False):
            done = self.answered("report", returns)
            self.assertEqual(done["status"], "done")
            area = sum(RATE * (1 - k / LENGTH) for k in range(LENGTH))
            self.assertEqual((done["branch"]["fromStep"], done["branch"]["steps"]), (AT, LENGTH))
            self.assertAlmostEqual(done["branch"]["loss"], area, places=8)

    def test_so_is_why_there_is_none(self) -> None:
        for how, says in (
            ("fail", "its data is gone"),
            ("vanish", "the second process ended with 3 and reported no loss"),
            ("refuse", "OSError: no second device"),
        ):
            done = self.answered(how)
            self.assertEqual((done["status"], done["detail"]), ("failed", says))

    def test_the_file_says_what_is_to_be_done(self) -> None:
        job = Job(sgd)
        seen: list[twostep.Handover] = []
        job.watch(self.run_of("http://127.0.0.1:9", mode="disabled"), None)
        from twostep.branch import hand_over

        anneal = Anneal("b-7", 400, 100, "oneMinusSqrt", 0.1, 0.9)
        beside = hand_over(Branch(beside=seen.append, folder=self.folder), anneal)
        self.assertEqual(twostep.read_branch(seen[0].path), seen[0])
        self.assertEqual(seen[0].rate(25), 0.05)
        self.assertIsNone(beside.poll())
        seen[0].report(float("inf"))
        self.assertEqual(beside.poll(), Anneal("b-7", 400, 100, "oneMinusSqrt", 0.1, 0.9, float("inf")))
        (self.folder / "other.json").write_text("{}")
        with self.assertRaisesRegex(ValueError, "does not describe a branch"):
            twostep.read_branch(self.folder / "other.json")

    def test_one_that_is_not_asked_for_any_more_is_forgotten(self) -> None:
        branching = Branching()
        branching.await_it("b-1", 9, None)  # type: ignore[arg-type]
        self.assertIsNone(branching.ended(set(), 5))
        self.assertIsNone(branching.ended({"b-1"}, 6))

    def test_a_branch_is_either_in_turn_or_beside(self) -> None:
        for given in ({}, {"step": print, "beside": print}):
            with self.assertRaises(ValueError):
                Branch(**given)
        with self.assertRaises(TypeError):
            Branch(step=5)  # type: ignore[arg-type]


class UnderTheRealServer(JobTest):
    def test_a_person_has_two_copies_annealed_and_the_run_ends_as_it_would(self) -> None:
        server = RealServer()
        self.addCleanup(server.close)
        job = Job(sgd)
        run = self.run_of(server.url, budget_steps=600, warmup_steps=0)
        # Without checkpoints no rates are tried, so the rate is constant from the start.
        job.watch(run, Branch(step=job.step, keep=self.folder), checkpoints=False)

        def wish(body: dict[str, Any]) -> Any:
            url = f"{server.url}/api/v1/runs/{run.run_id}/commands"
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(url, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)

        def hear() -> None:
            assert run._reporter is not None
            self.assertTrue(run._reporter.settle(10))

        lengths = {200: None, 300: 40}
        while not run.finished and run.step_count < 600:
            if run.step_count in lengths:
                hear()
                steps = lengths.pop(run.step_count)
                wish({"kind": "branch", "steps": steps, "reason": "a copy"})
                hear()
            job.step()
        run.finish()
        summary = server.get(f"runs/{run.run_id}")
        self.assertEqual((summary["state"], summary["step"], summary["drift"]), ("finished", 600, None))
        first, second = summary["branches"]
        self.assertEqual((first["fromStep"], first["state"]), (201, "done"), self.said())
        self.assertEqual((second["fromStep"], second["steps"], second["state"]), (301, 40, "done"))
        self.assertEqual(job.order.taken, 600 + first["steps"] + 40)
        kinds = [
            d["reason"]["key"] for d in server.get(f"runs/{run.run_id}/decisions?kind=branch")["decisions"]
        ]
        self.assertEqual(kinds, ["branch-begun", "branch-reached"] * 2)
        self.assertEqual(len(list(self.folder.glob("b-*.pt"))), 2)
        self.assertEqual(sum(summary["badSamples"].values()), 0)
        applied = server.get(f"runs/{run.run_id}/schedule?format=json")["applied"]
        self.assertEqual(sum(part["toStep"] - part["fromStep"] for part in applied), 600)
