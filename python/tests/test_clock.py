"""Tokens as the clock: a job whose batch grows goes through its plan by tokens, and hands are asked in updates."""

from __future__ import annotations

import unittest
from typing import Any

import twostep
from tests.jobs import JobTest
from tests.servers import Server
from twostep import Anneal
from twostep.clock import TokenClock
from twostep.hands import NoHands
from twostep.settings import SettingError, read_settings

EACH = 100
"""Tokens of a step."""


class Measuring(NoHands):
    """Hands that write down what they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.capabilities = ("heldOutLoss", "averagedWeights", "branch")
        self.initial_rate = 0.1
        self.blocks: list[int | None] = []
        self.seen: list[tuple[int, int | None]] = []
        self.copies: list[Anneal] = []

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        self.seen.append((step, micro_batch))
        return {"signalSeconds": 0.0}

    def average(self, block: int | None) -> None:
        self.blocks.append(block)

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        return {"raw": {"loss": 1.0}, "averaged": [{"windowSteps": 5, "loss": 0.9}], "examples": 8}

    def branch(self, anneal: Anneal, beat: Any) -> Anneal:
        self.copies.append(anneal)
        return anneal


class Counting(unittest.TestCase):
    def test_a_step_is_so_many_tokens_whatever_an_update_takes(self) -> None:
        clock = TokenClock(EACH)
        self.assertEqual([clock.count(t) for t in (100, 200, 600, 1_000)], [1, 2, 6, 10])
        self.assertEqual((clock.updates_in(20), clock.updates_in(1), clock.updates_in(None)), (5, 1, None))
        self.assertEqual((clock.steps_in(5), clock.updates), (20, 4))

    def test_what_is_not_told_or_no_count_is_as_many_as_before(self) -> None:
        clock = TokenClock(EACH)
        counted = [clock.count(t) for t in (None, 400, None, 300, "many", float("nan"), None)]
        self.assertEqual(counted, [1, 4, 7, 10, 13, 16, 19])

    def test_updates_of_less_than_a_step_fill_it_up(self) -> None:
        clock = TokenClock(EACH)
        self.assertEqual([clock.count(40 * k) for k in range(1, 7)], [0, 0, 1, 1, 2, 2])
        self.assertEqual(clock.updates_in(2), 5)


class Settings(unittest.TestCase):
    def test_a_budget_may_be_given_in_tokens(self) -> None:
        settings = read_settings({}, budget_tokens=50_049, tokens_per_step=EACH)
        self.assertEqual((settings.budget_steps, settings.tokens_per_step), (500, EACH))

    def test_what_is_not_understood_is_told(self) -> None:
        for given, says in (
            ({"budget_tokens": 5_000}, "budget_tokens needs tokens_per_step"),
            ({"budget_tokens": 5_000, "budget_steps": 50, "tokens_per_step": 10}, "not both"),
            (
                {"budget_tokens": 1_999, "tokens_per_step": EACH},
                "budget_tokens must be a whole number from 2000",
            ),
            ({"tokens_per_step": 0}, "tokens_per_step must be a whole number from 1"),
        ):
            with self.assertRaisesRegex(SettingError, says):
                read_settings({}, **given)


class AJobWhoseBatchGrows(JobTest):
    def trained(self, server: Server, sizes: list[int], **told: Any) -> tuple[twostep.Run, Measuring]:
        run = self.run_of(server.url, budget_steps=None, budget_tokens=EACH * 1_000, tokens_per_step=EACH)
        hands = Measuring()
        run.take(hands)
        tokens = 0
        for size in sizes:
            tokens += size
            run.step(1.0, tokens=tokens, **told)
        return run, hands

    def test_is_reported_by_tokens(self) -> None:
        with Server() as server:
            run, _ = self.trained(server, [100] * 5 + [400] * 5)
            run.finish()
            self.assertEqual(server.stored, [0, 1, 2, 3, 4, 5, 9, 13, 17, 21])
            self.assertEqual(server.column("tokens")[-2:], [2_100, 2_500])
            [made] = server.runs.values()
            self.assertEqual(
                (made["budgetSteps"], made["tokensPerStep"], made["firstStep"]), (1_000, EACH, 0)
            )
            self.assertEqual(run.step_count, 25)

    def test_follows_its_plan_by_tokens(self) -> None:
        with Server() as server:
            line = {"fromStep": 0, "toStep": 40, "shape": "linear", "from": 0.4, "to": 0.0}
            server.plan = {"version": 1, "segments": [line]}
            run, _ = self.trained(server, [100] * 10 + [300] * 5)
            self.assertAlmostEqual(run.learning_rate, 0.4 * (1 - 25 / 40))
            run.finish()
            expected = [0.4 * (1 - k / 40) for k in (*range(10), 10, 13, 16, 19, 22)]
            for rate, right in zip(server.column("learningRate"), expected, strict=True):
                self.assertAlmostEqual(rate, right)

    def test_is_measured_once_where_its_steps_pass_what_is_asked_for(self) -> None:
        with Server() as server:
            server.plan["cadence"] = {
                "valleySteps": 10,
                "blockSteps": 8,
                "microBatchSteps": 10,
                "lineSteps": None,
            }
            run, hands = self.trained(server, [100] * 12 + [400] * 12)
            run.finish()
            probes = server.notes("probes")
            self.assertEqual([probe["step"] for probe in probes], [10, 20, 32, 40, 52, 60])
            self.assertEqual([p["averaged"][0]["windowSteps"] for p in probes[:2]], [5, 20])
            self.assertEqual((hands.blocks[0], hands.blocks[-1]), (8, 2))
            self.assertEqual((hands.seen[0], hands.seen[-1]), ((0, 10), (23, 2)))

    def test_whose_updates_are_smaller_than_a_step_tells_one_of_each_step(self) -> None:
        with Server() as server:
            server.plan["cadence"] = {"valleySteps": 2, "blockSteps": 8, "microBatchSteps": None}
            run, _ = self.trained(server, [50] * 12)
            run.finish()
            self.assertEqual(server.stored, [0, 1, 2, 3, 4, 5])
            self.assertEqual([probe["step"] for probe in server.notes("probes")], [2, 4, 6])

    def test_has_copies_annealed_over_as_many_tokens(self) -> None:
        with Server() as server:
            asked = {"id": "b-1", "kind": "branch", "atStep": 12, "steps": 20, "shape": "linear"}
            server.actions = [asked]
            run, hands = self.trained(server, [100] * 10 + [400] * 3)
            run.finish()
            self.assertEqual([(one.from_step, one.steps) for one in hands.copies], [(14, 5)])
            self.assertEqual(server.notes("acknowledgements")[0]["branch"]["steps"], 20)

    def test_goes_on_where_it_was(self) -> None:
        with Server() as server:
            run, _ = self.trained(server, [100] * 10 + [350] * 3)
            state = run.state_dict()
            self.assertEqual((state["step"], state["tokens"]), (20, 2_050))
            run._leave_open()
            settings = {"budget_steps": None, "budget_tokens": EACH * 1_000, "tokens_per_step": EACH}
            again = self.run_of(server.url, run_id=run.run_id, **settings)
            again.load_state_dict(state)
            again.take(Measuring())
            again.step(1.0, tokens=2_400)
            self.assertEqual(again.step_count, 24)
            again.finish()


if __name__ == "__main__":
    unittest.main()
