"""A copy that is annealed beside a run, as the run has it: its steps are none of the run's, and the server hears that the job is alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import twostep.follow
from tests.jobs import JobTest
from tests.servers import RATE, Server
from twostep import Anneal
from twostep.hands import NoHands


class Copying(NoHands):
    """Hands whose copy takes the job's own steps."""

    def __init__(self, step: Callable[[], None]) -> None:
        super().__init__()
        self.capabilities = ("branch",)
        self.initial_rate = RATE
        self.step = step
        self.asked: list[Anneal] = []

    def branch(self, anneal: Anneal, beat: Callable[[], None]) -> Anneal:
        self.asked.append(anneal)
        for _ in range(anneal.steps):
            self.step()
            beat()
        return anneal


def action(**more: Any) -> dict[str, Any]:
    return {"id": "b-1", "kind": "branch", "atStep": 3, "steps": 4, "shape": "oneMinusSqrt", **more}


class ACopy(JobTest):
    def test_has_steps_that_are_none_of_the_run_s(self) -> None:
        seen: list[bool] = []
        with Server() as server:
            server.actions = [action()]
            server.plan["segments"][0]["momentum"] = 0.8
            run = self.run_of(server.url)

            def step() -> None:
                seen.append(run.is_branching)
                run.log({"of the copy": 1.0})
                run.step(7.0)

            hands = Copying(step)
            run.take(hands)
            for _ in range(6):
                run.step(1.0)
            run.finish()
            self.assertEqual(hands.asked, [Anneal("b-1", 3, 4, "oneMinusSqrt", RATE, 0.8)])
            self.assertEqual(seen, [True] * 4)
            self.assertFalse(run.is_branching)
            self.assertEqual((server.stored, server.column("loss")), (list(range(6)), [1.0] * 6))
            self.assertFalse(any("metrics" in batch.get("steps", {}) for batch in server.batches))
            [told] = server.notes("acknowledgements")
            self.assertEqual(told["branch"], {"fromStep": 3, "steps": 4, "loss": None})

    def test_lets_the_server_hear_of_the_job_meanwhile(self) -> None:
        self.patch(twostep.follow, "BEAT_SECONDS", 0.0)
        with Server() as server:
            server.actions = [action()]
            run = self.run_of(server.url)

            heard: list[int] = []

            def step() -> None:
                # What the run has noted is sent before; then the beat after each step asks for news.
                assert run._reporter is not None
                is_heard = server.until(lambda: len(server.batches) > heard[-1]) if heard else None
                self.assertTrue(run._reporter.settle(10) if is_heard is None else is_heard)
                heard.append(len(server.batches))

            run.take(Copying(step))
            for _ in range(6):
                run.step(1.0)
            run.finish()
            empty = [batch for batch in server.batches if set(batch) == {"clientId", "sequence"}]
            self.assertGreaterEqual(len(empty), 3)

    def test_that_this_client_cannot_make_is_told_as_such(self) -> None:
        for asked, says in (
            (action(shape="exponential"), "shape exponential"),
            (action(shape="zigzag"), "shape zigzag"),
        ):
            with Server() as server:
                server.actions = [asked]
                run = self.run_of(server.url)
                run.take(Copying(lambda: None))
                for _ in range(6):
                    run.step(1.0)
                run.finish()
                [told] = server.notes("acknowledgements")
                self.assertEqual(told["status"], "unsupported")
                self.assertIn(says, told["detail"])
