"""Plans and tripwires against the golden values that every client must give (protocol/examples)."""

from __future__ import annotations

import json
import math
import unittest
from pathlib import Path
from typing import Any

from twostep.guard import Watch, trips
from twostep.plan import Plan, PlanError, Tripwire, end_of_budget, own_plan, parse_plan

EXAMPLES = Path(__file__).parents[2] / "protocol" / "examples"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def plan_of(**segment: Any) -> dict[str, Any]:
    whole = {"fromStep": 0, "toStep": 10, "shape": "linear", "from": 1.0, "to": 0.5, **segment}
    return {"version": 1, "segments": [whole]}


class GoldenPlans(unittest.TestCase):
    def test_every_golden_rate_and_momentum_is_met(self) -> None:
        golden, checked = example("plans.json"), 0
        for entry in golden["plans"]:
            plan = parse_plan(entry["plan"])
            for value in entry["values"]:
                with self.subTest(plan=entry["name"], step=value["step"]):
                    tolerance = golden["tolerance"] * value["scale"]
                    self.assertLessEqual(abs(plan.rate(value["step"]) - value["learningRate"]), tolerance)
                    self.assertEqual(plan.segment(value["step"]).momentum, value["momentum"])
                    checked += 1
        self.assertGreater(checked, 100)

    def test_every_invalid_plan_is_refused_with_its_sentence(self) -> None:
        for entry in example("plans.json")["invalid"]:
            with self.subTest(entry["problem"]), self.assertRaises(PlanError) as caught:
                parse_plan(entry["plan"])
            self.assertEqual(str(caught.exception), entry["problem"])

    def test_every_plan_that_the_schema_allows_is_read(self) -> None:
        for entry in example("plan.json")["valid"]:
            with self.subTest(entry["name"]):
                plan = parse_plan(entry["message"])
                self.assertEqual(plan.version, entry["message"]["version"])
                self.assertEqual(plan.end, entry["message"]["segments"][-1]["toStep"])

    def test_what_no_plan_can_be_is_refused_and_nothing_else_is_raised(self) -> None:
        rubbish: list[Any] = [None, 3, "plan", [], {}, {"segments": 1}, {"segments": [3]}]
        rubbish += [{**plan_of(), "version": "x"}, {**plan_of(), "awaitAtStep": 0.5}]
        rubbish += [
            plan_of(**{"from": value}) for value in (10**400, "1", True, math.nan, math.inf, -1, None)
        ]
        rubbish += [plan_of(shape=value) for value in (None, [], "step")]
        rubbish += [plan_of(toStep=value) for value in (None, "9", 9.5, 0, True)]
        for document in rubbish:
            with self.subTest(document=str(document)[:60]), self.assertRaises(PlanError):
                parse_plan(document)

    def test_a_momentum_that_is_none_is_the_jobs_own(self) -> None:
        for value in (1.0, -0.1, "0.9", math.nan):
            self.assertIsNone(parse_plan(plan_of(momentum=value)).segment(0).momentum)


class OwnPlans(unittest.TestCase):
    def test_the_own_plan_holds_the_rate_and_ends_annealed(self) -> None:
        plan = own_plan(0.1, 100, 40)
        rates = [plan.rate(step) for step in (40, 114, 115, 116, 120, 140)]
        self.assertEqual([round(rate, 12) for rate in rates], [0.1, 0.1, 0.1, 0.096, 0.08, 0.0])

    def test_the_own_plan_turns_at_the_step_that_the_server_rounds_to(self) -> None:
        turns = [own_plan(0.1, steps).segments[0].to_step for steps in (2, 3, 5, 6, 10, 1000)]
        self.assertEqual(turns, [2, 2, 4, 5, 8, 750])

    def test_a_budget_is_read_as_the_server_reads_it(self) -> None:
        read = [(0, 100, 100), (1, 100, 101), (10, 100, 100), (40_000, 50_000, 50_000), (40_000, 100, 40_100)]
        for first, budget, end in read:
            self.assertEqual(end_of_budget(first, budget), end)

    def test_without_a_budget_the_rate_stays(self) -> None:
        self.assertEqual(own_plan(0.1, None).rate(10**9), 0.1)


class GoldenTripwires(unittest.TestCase):
    def test_every_golden_tripwire_trips_where_it_must(self) -> None:
        entries = example("tripwires.json")
        for entry in entries:
            plan = parse_plan({**plan_of(), "tripwire": entry["tripwire"]})
            known = (entry["lossSmoothed"], entry["gradientNorm"], entry["nonFiniteCount"])
            self.assertEqual(trips(plan.tripwire, *known), entry["trips"], entry)
        self.assertGreater(len(entries), 5)

    def test_the_loss_is_smoothed_and_trips_once_until_the_next_answer(self) -> None:
        wire, watch = Tripwire(2.0, 3.0, 0.01), Watch()
        self.assertFalse(watch.see(wire, 1.0, None))
        self.assertFalse(watch.see(wire, 11.0, None))  # 1 + (11 - 1)/10 = 2, not above
        self.assertTrue(watch.see(wire, 3.0, None))
        self.assertFalse(watch.see(wire, 3.0, None))
        self.assertTrue(Watch().see(wire, 1.0, 3.1))

    def test_five_bad_losses_in_a_row_trip_and_unknown_ones_change_nothing(self) -> None:
        wire, watch = Tripwire(None, None, 0.01), Watch()
        losses = [math.nan, math.inf, None, math.nan, math.nan, -math.inf]
        self.assertEqual([watch.see(wire, loss, None) for loss in losses], [False] * 5 + [True])
        watch.begin_anew()
        self.assertEqual(
            [watch.see(wire, loss, None) for loss in [math.nan] * 4 + [1.0] + [math.nan] * 4], [False] * 9
        )

    def test_without_a_tripwire_nothing_trips(self) -> None:
        watch = Watch()
        self.assertFalse(any(watch.see(None, math.nan, math.inf) for _ in range(9)))
        self.assertIsNone(Plan(0, own_plan(1.0, None).segments).tripwire)


if __name__ == "__main__":
    unittest.main()
