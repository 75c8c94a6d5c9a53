"""The run: its plan, actions, probes, pauses and ends, with scripted servers and hands."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

import twostep
import twostep.follow
import twostep.run
import twostep.sync
from tests.jobs import JobTest
from tests.servers import RATE, Server
from twostep.hands import Capability, NoHands, Unsupported

PACKAGE = Path(__file__).parents[1]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A second process of the same Python, where the package is found."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=PACKAGE, check=False, capture_output=True, text=True, timeout=60)


class Scripted(NoHands):
    """Hands that write down what they are asked for."""

    def __init__(self, *capabilities: Capability, rate: float | None = 0.1) -> None:
        super().__init__({"name": "SGD"}, rate)
        self.capabilities = capabilities
        self.did: list[Any] = []
        self.applied: list[float] = []
        self.is_closed = False
        self.evaluates: Any = lambda: {"raw": {"loss": 1.0}, "averaged": [], "examples": 512}

    def apply(self, rate: float, momentum: float | None) -> None:
        self.applied.append(rate)

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        self.did.append(("valley", windows, checkpoints))
        return dict(self.evaluates())

    def keep(self, name: str, averaged: bool) -> None:
        if name == "too large":
            raise MemoryError("no room")
        self.did.append(("keep", name, averaged))

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        if name == "gone":
            raise KeyError(name)
        self.did.append(("restore", name, rewind, skip_batches))

    def drop(self, name: str) -> None:
        self.did.append(("drop", name))

    def finish(self, keep: str, checkpoint: str | None) -> None:
        self.did.append(("finish", keep, checkpoint))

    def close(self) -> None:
        self.is_closed = True


def action(number: int, kind: str, at: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": f"a{number}", "kind": kind, "atStep": at, **more}


def segments(*parts: tuple[int, int, str, float, float]) -> list[dict[str, Any]]:
    return [dict(zip(("fromStep", "toStep", "shape", "from", "to"), part, strict=True)) for part in parts]


class Scene(JobTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.close)

    def begin(self, hands: Scripted, **settings: Any) -> twostep.Run:
        run = self.run_of(self.server.url, **settings)
        run.take(hands)
        return run


class ThePlan(Scene):
    def test_the_rate_of_each_step_is_the_plans(self) -> None:
        self.patch(twostep.follow, "END_SECONDS", 0.1)
        self.server.plan = {
            "version": 3,
            "segments": segments((0, 4, "constant", 0.4, 0.4), (4, 8, "linear", 0.4, 0)),
        }
        hands = Scripted()
        run = self.begin(hands)
        self.train(run, 9)
        self.assertEqual([round(rate, 9) for rate in hands.applied], [0.4] * 5 + [0.3, 0.2, 0.1, 0.0, 0.0])
        run.finish()
        self.assertEqual(self.server.column("learningRate"), [0.4] * 5 + [0.3, 0.2, 0.1, 0.0])

    def test_an_older_plan_and_one_that_cannot_be_followed_leave_the_one_at_hand(self) -> None:
        run = self.begin(Scripted())
        for plan in (
            {"version": 0, "segments": segments((0, 9, "constant", 1, 1))},
            {"version": 9, "segments": []},
            None,
            3,
        ):
            self.server.plan = plan  # type: ignore[assignment]
            run.step(1.0)
            self.assertTrue(run._reporter.settle(5))  # type: ignore[union-attr]
            run.step(1.0)
        self.assertEqual(run.learning_rate, RATE)
        self.assertIn("plan.segments must hold at least one segment", self.said())

    def test_batches_end_where_the_plan_changes(self) -> None:
        run = self.begin(Scripted())
        self.train(run, 3)
        self.server.plan = {**self.server.plan, "version": 2}
        run._reporter.settle(5)  # type: ignore[union-attr]
        self.train(run, 4)
        run.finish()
        versions = [(b["planVersion"], b["steps"]["step"]) for b in self.server.batches if "steps" in b]
        self.assertTrue({version for version, _ in versions} == {1, 2}, versions)

    def test_a_tripped_wire_lowers_the_rate_until_the_next_answer(self) -> None:
        self.server.plan["tripwire"] = {"lossAbove": 5.0, "gradientNormAbove": 9.0, "thenLearningRate": 0.001}
        self.patch(twostep.reporter, "SEND_SECONDS", 5.0)
        run = self.begin(Scripted())
        run.step(1.0)
        self.assertEqual(run.learning_rate, RATE)
        self.server.behave = lambda request: "slow"
        run.step(1.0, gradient_norm=9.5)
        self.assertEqual(run.learning_rate, 0.001)
        run.step(math.nan)
        self.assertEqual(run.learning_rate, 0.001)
        self.server.release.set()
        self.server.behave = None
        self.assertTrue(run._reporter.settle(5))  # type: ignore[union-attr]
        run.step(1.0)
        self.assertEqual(run.learning_rate, RATE)

    def test_losses_that_the_device_has_later_trip_once_they_are_there_and_not_after_a_restore(self) -> None:
        class Coming:
            is_there = False

            def __init__(self, value: int) -> None:
                self.value = value

            def is_ready(self) -> bool:
                return Coming.is_there

            def __call__(self) -> float:
                return float(self.value)

        for has_restored in (False, True):
            Coming.is_there = False
            self.server.plan["tripwire"] = {
                "lossAbove": 5.0,
                "gradientNormAbove": None,
                "thenLearningRate": 0.001,
            }
            hands = Scripted()
            hands.number = Coming  # type: ignore[assignment, method-assign]
            run = self.begin(hands)
            self.train(run, 1, loss=1)
            self.assertTrue(run._reporter.settle(5))  # type: ignore[union-attr]
            run._before_step()
            self.server.behave = lambda request: "slow"
            self.train(run, 3, loss=99)
            self.assertEqual(run.learning_rate, RATE)
            if has_restored:
                run._restored_at = run.step_count
            Coming.is_there = True
            self.train(run, 1, loss=1)
            self.assertEqual(run.learning_rate, RATE if has_restored else 0.001)
            self.server.release.set()
            self.server.behave = None
            run.finish()
            self.server.release.clear()

    def test_in_advisory_mode_nothing_is_applied_and_what_the_job_applies_is_reported(self) -> None:
        for steering in ("advisory", "off"):
            hands = Scripted()
            run = self.begin(hands, steering=steering)
            run.step(1.0, learning_rate=0.3)
            run.step(1.0, learning_rate=0.2)
            run.finish()
            self.assertEqual(hands.applied, [])
            self.assertEqual(self.server.column("learningRate")[-2:], [0.3, 0.2])


class Actions(Scene):
    def test_each_is_carried_out_once_in_order_and_acknowledged(self) -> None:
        self.server.actions = [
            action(1, "drop", 5, checkpoint="x"),
            action(2, "checkpoint", 3, checkpoint="start", weights="averaged"),
            action(3, "restore", 3, checkpoint="start", rewindData=True, skipBatches=2),
            action(4, "checkpoint", 3, checkpoint="too large"),
            action(5, "restore", 3, checkpoint="gone"),
            action(6, "probe", 3, probe="line"),
            action(7, "dance", 3),
        ]
        hands = Scripted("checkpoint", "heldOutLoss")
        run = self.begin(hands)
        self.train(run, 8)
        run.finish()
        self.assertEqual(hands.did, [("keep", "start", True), ("restore", "start", True, 2), ("drop", "x")])
        told = {a["actionId"]: (a["status"], a["step"]) for a in self.server.notes("acknowledgements")}
        self.assertEqual(len(self.server.notes("acknowledgements")), 7)
        self.assertEqual(told["a2"], ("done", 3))
        self.assertEqual(told["a4"], ("failed", 3))
        self.assertEqual(told["a5"], ("failed", 3))
        self.assertEqual(told["a6"], ("unsupported", 3))
        self.assertEqual(told["a7"], ("unsupported", 3))
        self.assertEqual(told["a1"], ("done", 5))

    def test_what_is_measured_after_a_restore_is_in_a_later_batch(self) -> None:
        self.server.actions = [action(1, "restore", 2, checkpoint="s"), action(2, "probe", 2, probe="valley")]
        run = self.begin(Scripted("checkpoint", "heldOutLoss"))
        self.train(run, 4)
        run.finish()
        restored = next(b for b in self.server.batches if b.get("acknowledgements"))
        self.assertNotIn("probes", restored)
        self.assertEqual(restored["steps"]["step"][-1], 1)

    def test_rubbish_among_the_actions_is_left_out(self) -> None:
        self.server.actions = [action(1, "drop", checkpoint="x")]
        run = self.begin(Scripted())
        document = {
            "plan": None,
            "actions": [None, 3, {}, {"id": 1, "kind": "drop", "atStep": 0}, {"id": "b", "kind": "drop"}],
        }
        run._reporter.answer = document  # type: ignore[union-attr]
        run._hear()
        self.assertEqual(run._actions, [])

    def test_a_paused_run_asks_each_moment_and_goes_on_when_told(self) -> None:
        run = self.begin(Scripted())
        self.server.actions = [action(1, "pause")]
        asked: list[int] = []

        def behave(request: Any) -> None:
            if any(a["id"] == "a1" for a in self.server.actions) or not request.is_telemetry:
                return
            asked.append(request.number)
            if len(asked) == 4:
                self.server.actions = [action(2, "resume")]

        self.server.behave = behave
        self.train(run, 5)
        run._reporter.settle(5)  # type: ignore[union-attr]
        self.train(run, 5)
        self.assertGreaterEqual(len(asked), 4)
        done = [a["actionId"] for a in self.server.notes("acknowledgements")]
        self.assertIn("a1", done)
        self.assertIsNone(run._paused_since)

    def test_a_pause_that_nobody_answers_ends_by_itself(self) -> None:
        self.patch(twostep.follow, "PAUSE_SECONDS", 0.05)
        run = self.begin(Scripted())
        run._paused_since = time.monotonic()
        self.server.behave = lambda request: "hang up"
        began = time.monotonic()
        self.train(run, 3)
        run._before_step()
        self.assertIsNone(run._paused_since)
        self.assertLess(time.monotonic() - began, 2.0)


class Probes(Scene):
    def test_they_come_at_the_cadence_counted_from_the_last_restore(self) -> None:
        self.server.plan["cadence"] = {
            "valleySteps": 4,
            "blockSteps": None,
            "lineSteps": None,
            "microBatchSteps": None,
        }
        self.server.actions = [action(1, "restore", 6, checkpoint="s")]
        run = self.begin(Scripted("heldOutLoss", "checkpoint"))
        self.train(run, 16)
        run.finish()
        probes = self.server.notes("probes")
        self.assertEqual([probe["step"] for probe in probes], [4, 10, 14])
        self.assertEqual(
            {(p["kind"], p["set"], p["examples"]) for p in probes}, {("valley", "held-out", 512)}
        )

    def test_one_probe_serves_where_action_and_cadence_fall_together(self) -> None:
        self.server.plan["cadence"] = {"valleySteps": 4}
        self.server.actions = [action(1, "probe", 4, probe="valley")]
        hands = Scripted("heldOutLoss")
        run = self.begin(hands)
        self.train(run, 6)
        self.assertEqual(hands.did, [("valley", "all", None)])

    def test_an_exception_inside_evaluate_costs_the_probe_and_nothing_else(self) -> None:
        self.allows_faults = True
        self.server.plan["cadence"] = {"valleySteps": 2}
        hands = Scripted("heldOutLoss")

        def broken() -> Any:
            raise RuntimeError("the user's own mistake")

        hands.evaluates = broken
        run = self.begin(hands)
        self.train(run, 20)
        run.finish()
        self.assertEqual(self.server.stored, list(range(20)))
        self.assertEqual(len(hands.did), 3, "after three it is not tried again")
        self.assertIn("held-out losses are not measured any more", self.said())
        self.assertEqual(hands.applied[-1], RATE)

    def test_what_is_not_supported_is_no_fault(self) -> None:
        self.server.plan["cadence"] = {"valleySteps": 2, "lineSteps": 2}
        hands = Scripted("heldOutLoss", "lineProbe")

        def unable() -> Any:
            raise Unsupported("not yet")

        hands.evaluates = unable
        run = self.begin(hands)
        self.train(run, 20)
        self.assertEqual(len(hands.did), 10)

    def test_a_keyboard_interrupt_passes_through(self) -> None:
        self.server.plan["cadence"] = {"valleySteps": 2}
        hands = Scripted("heldOutLoss")

        def interrupted() -> Any:
            raise KeyboardInterrupt

        hands.evaluates = interrupted
        run = self.begin(hands)
        with self.assertRaises(KeyboardInterrupt), run:
            self.train(run, 5)
        self.assertEqual(self.server.stored, [0, 1])
        self.assertEqual(self.server.commands, [], "the run is left open, so that a later process can go on")
        self.assertTrue(hands.is_closed)


class TheEnd(Scene):
    def test_at_the_plans_end_the_job_hears_which_weights_to_keep(self) -> None:
        self.server.plan = {"version": 1, "segments": segments((0, 20, "linear", 0.1, 0)), "awaitAtStep": 20}

        def behave(request: Any) -> None:
            if 19 in request.body.get("steps", {}).get("step", []):
                self.server.actions = [action(9, "finish", 20, keep={"checkpoint": "lowest"})]
            elif self.server.stored[-1:] == [19] and not self.server.actions:
                self.server.phase = "done"

        self.server.behave = behave
        hands = Scripted("checkpoint")
        run = self.begin(hands, budget_steps=20)
        self.train(run, 20)
        run.finish()
        self.assertEqual(hands.did, [("finish", "checkpoint", "lowest")])
        self.assertTrue(run.finished and hands.is_closed)
        self.assertEqual(self.server.notes("acknowledgements")[0]["status"], "done")
        self.assertEqual(self.server.commands, [])

    def test_where_no_finish_comes_the_wait_is_bounded_and_the_end_is_told(self) -> None:
        self.patch(twostep.follow, "END_SECONDS", 0.2)
        self.server.plan = {"version": 1, "segments": segments((0, 20, "linear", 0.1, 0))}
        run = self.begin(Scripted(), budget_steps=20)
        self.train(run, 20)
        before, began = len(self.server.requests), time.monotonic()
        run.finish()
        self.assertLess(time.monotonic() - began, 2.0)
        self.assertLess(len(self.server.requests) - before, 40)
        self.assertEqual(self.server.commands, [{"kind": "finish", "reason": "the job ended after step 20"}])

    def test_a_job_that_stops_by_itself_says_why(self) -> None:
        run = self.begin(Scripted())
        self.train(run, 5)
        run.finish("good enough")
        self.assertEqual(self.server.commands, [{"kind": "finish", "reason": "good enough"}])

    def test_finishing_twice_is_finishing_once(self) -> None:
        run = self.begin(Scripted())
        self.train(run, 5)
        for _ in range(3):
            run.finish()
        self.assertEqual(len(self.server.commands), 1)

    def test_a_step_after_the_end_changes_nothing(self) -> None:
        hands = Scripted()
        run = self.begin(hands)
        self.train(run, 5)
        run.finish()
        applied = len(hands.applied)
        self.train(run, 5)
        run.take(Scripted())
        self.assertEqual(
            (run.step_count, len(hands.applied), self.server.stored), (5, applied, list(range(5)))
        )

    def test_a_finish_without_a_step_is_none(self) -> None:
        run = self.run_of(self.server.url)
        run.finish()
        self.assertEqual((self.server.requests, self.spools()), ([], []))

    def test_a_run_that_had_ended_takes_no_steps(self) -> None:
        self.server.phase = "done"
        run = self.begin(Scripted(), run_id="old")
        self.assertTrue(run.finished)

    def test_an_uncaught_exception_leaves_the_run_open_and_delivers_the_rest(self) -> None:
        program = (
            "import twostep\n"
            f"run = twostep.init(server_url={self.server.url!r}, spool_dir={str(self.folder)!r}, budget_steps=100)\n"
            "for _ in range(30): run.step(1.0)\n"
            "raise RuntimeError('out of memory')\n"
        )
        done = python("-c", program)
        self.assertEqual(done.returncode, 1)
        self.assertIn("out of memory", done.stderr)
        self.assertEqual(self.server.stored, list(range(30)))
        self.assertEqual(self.server.commands, [])


class Resuming(Scene):
    def test_a_new_process_goes_on_at_its_step_with_a_longer_budget(self) -> None:
        first = self.begin(Scripted(), run_id="night", budget_steps=100)
        self.train(first, 30)
        state = first.state_dict()
        first._leave_open()
        second = self.run_of(self.server.url, run_id="night", budget_steps=200)
        second.load_state_dict(state)
        second.take(Scripted())
        self.assertEqual(self.server.requests[-1].body["budgetSteps"], 200)
        self.train(second, 10)
        second.finish()
        self.assertEqual(self.server.stored, list(range(40)))

    def test_where_nobody_answers_the_plan_of_the_state_is_followed(self) -> None:
        self.server.plan = {"version": 4, "segments": segments((0, 100, "linear", 1.0, 0))}
        first = self.begin(Scripted(), run_id="night")
        self.train(first, 50)
        state = first.state_dict()
        self.patch(twostep.run, "START_SECONDS", 0.05)
        second = self.run_of("http://127.0.0.1:9", run_id="night")
        second.load_state_dict(state)
        hands = Scripted()
        second.take(hands)
        self.assertAlmostEqual(hands.applied[-1], 0.5)

    def test_a_state_that_is_loaded_after_the_beginning_is_applied_at_once(self) -> None:
        self.server.plan = {"version": 4, "segments": segments((0, 100, "linear", 1.0, 0))}
        hands = Scripted()
        run = self.begin(hands, run_id="night")
        run.load_state_dict({"run_id": "night", "step": 75})
        self.assertAlmostEqual(hands.applied[-1], 0.25)

    def test_the_state_of_another_run_is_told(self) -> None:
        run = self.begin(Scripted())
        run.load_state_dict({"run_id": "other", "step": 5})
        self.assertIn("give run_id='other' to init", self.said())


class Harmless(Scene):
    def test_two_runs_of_one_process_do_not_mix(self) -> None:
        first, second = self.begin(Scripted(), run_id="one"), self.begin(Scripted(), run_id="two")
        for _ in range(20):
            first.step(1.0)
            second.step(2.0)
        first.finish()
        second.finish()
        clients = {batch["clientId"] for batch in self.server.batches if "steps" in batch}
        self.assertEqual((len(clients), sorted(self.server.stored)), (2, sorted(2 * list(range(20)))))
        for client in clients:
            losses = [
                x
                for b in self.server.batches
                if b["clientId"] == client
                for x in b.get("steps", {}).get("loss", [])
            ]
            self.assertIn(losses, ([1.0] * 20, [2.0] * 20))

    def test_disabled_is_nothing_at_all(self) -> None:
        hands = Scripted(rate=0.3)
        run = self.begin(hands, mode="disabled")
        self.train(run, 50)
        run.finish()
        self.assertEqual((self.server.requests, self.spools(), hands.applied), ([], [], []))
        self.assertEqual((run.learning_rate, hands.is_closed), (0.3, True))

    def test_hands_that_break_end_the_reports_and_raise_nothing(self) -> None:
        self.allows_faults = True
        hands = Scripted()
        run = self.begin(hands)

        def broken(*_: Any) -> Any:
            raise RuntimeError("a fault of an adapter")

        hands.columns = broken  # type: ignore[method-assign]
        self.train(run, 10)
        self.assertIn("three faults", self.said())
        self.assertEqual(hands.applied[-1], RATE)
        run.finish()

    def test_a_process_that_a_job_forks_reports_nothing(self) -> None:
        program = (
            "import os, sys, time, twostep\n"
            f"run = twostep.init(server_url={self.server.url!r}, spool_dir={str(self.folder)!r}, budget_steps=100)\n"
            "for _ in range(10): run.step(1.0)\n"
            "child = os.fork()\n"
            "for _ in range(10): run.step(9.0 if child == 0 else 1.0)\n"
            "run.finish()\n"
            "if child == 0: sys.exit(3)\n"
            "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n"
        )
        done = python("-W", "ignore", "-c", program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.server.stored, list(range(20)))
        self.assertEqual(set(self.server.column("loss")), {1.0})
        self.assertEqual(len(self.server.commands), 1)

    def test_a_process_that_only_imports_the_job_again_begins_no_run(self) -> None:
        job = self.folder / "job.py"
        job.write_text(
            "import multiprocessing, twostep\n"
            f"run = twostep.init(server_url={self.server.url!r}, spool_dir={str(self.folder)!r}, budget_steps=100)\n"
            "run.step(1.0)\n"
            "def work(queue): queue.put(run.run_id)\n"
            "if __name__ == '__main__':\n"
            "    context = multiprocessing.get_context('spawn')\n"
            "    queue = context.Queue()\n"
            "    worker = context.Process(target=work, args=(queue,))\n"
            "    worker.start(); print(queue.get()); worker.join(); run.finish()\n"
        )
        done = subprocess.run(
            [sys.executable, str(job)],
            env={"PYTHONPATH": str(PACKAGE)},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stdout.strip(), done.stderr), (0, "None", ""))
        self.assertEqual(len(self.server.runs), 1)

    def test_a_job_that_is_killed_while_nobody_answers_leaves_a_spool(self) -> None:
        program = (
            "import os, signal, time, twostep, twostep.reporter\n"
            "twostep.reporter.SEND_SECONDS = 0.01\n"
            f"run = twostep.init(spool_dir={str(self.folder)!r}, budget_steps=100, mode='offline')\n"
            "for _ in range(30): run.step(1.0)\n"
            "time.sleep(0.3)\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        python("-c", program)
        (spool,) = self.spools()
        self.assertIsNone(twostep.sync.sync(spool, self.server.url).problem)
        self.assertEqual(self.server.stored, list(range(30)))

    def test_a_job_that_is_killed_right_after_its_checkpoint_leaves_no_gap_before_it(self) -> None:
        file = self.folder / "state.json"
        for run_id, url in (("heard", self.server.url), ("alone", "http://127.0.0.1:9")):
            before = len(self.server.stored)
            program = (
                "import json, os, pathlib, signal, twostep, twostep.run\n"
                "twostep.run.START_SECONDS = 0.5\n"
                f"run = twostep.init(server_url={url!r}, spool_dir={str(self.folder)!r}, run_id={run_id!r}, budget_steps=100)\n"
                "for _ in range(43): run.step(1.0)\n"
                f"pathlib.Path({str(file)!r}).write_text(json.dumps(run.state_dict()))\n"
                "os.kill(os.getpid(), signal.SIGKILL)\n"
            )
            python("-c", program)
            second = self.run_of(self.server.url, run_id=run_id)
            second.load_state_dict(json.loads(file.read_text()))
            self.train(second, 10)
            second.finish()
            self.assertEqual(self.server.stored[before:], list(range(53)), url)

    def test_the_package_needs_the_standard_library_alone(self) -> None:
        program = "import sys, twostep, twostep.cli; print(sorted(m for m in sys.modules if m in ('torch', 'numpy')))"
        done = python("-c", program)
        self.assertEqual((done.stdout, done.stderr), ("[]\n", ""))


if __name__ == "__main__":
    unittest.main()
