"""The file for PyTorch: a LambdaLR that gives each step of a loop the run's rate."""

from __future__ import annotations

import importlib.util
import math
import unittest
from typing import Any

from tests.exports.runs import ExportTest

if importlib.util.find_spec("torch") is None:
    raise unittest.SkipTest("PyTorch is not installed here: pip install torch (some 3 GB)")

import torch


def groups(rates: tuple[float, ...]) -> list[dict[str, Any]]:
    return [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]


def train(optimizer: Any, scheduler: Any, steps: int) -> list[list[float]]:
    """The rates that each step had, by group."""
    applied = []
    for _ in range(steps):
        applied.append([float(group["lr"]) for group in optimizer.param_groups])
        for group in optimizer.param_groups:
            group["params"][0].grad = torch.ones(1)
        optimizer.step()
        scheduler.step()
    return applied


class ForPyTorch(ExportTest):
    def assert_close(self, applied: list[float], expected: list[float]) -> None:
        """A factor of the initial rate: the last bit may differ."""
        self.assertEqual(len(applied), len(expected))
        for step, (one, other) in enumerate(zip(applied, expected, strict=True)):
            self.assertTrue(math.isclose(one, other, rel_tol=5e-16), (step, one, other))

    def test_each_step_has_the_runs_rate_whatever_rate_the_optimizer_was_made_with(self) -> None:
        for run_id in ("ended", "begun"):
            expected = self.whole(run_id)
            module = self.load(run_id, "pytorch")
            for base in (expected[0], 0.05, 7.0):
                optimizer = torch.optim.SGD(groups((base,)))
                applied = train(optimizer, module.lr_scheduler(optimizer), len(expected))
                with self.subTest(run=run_id, base=base):
                    self.assert_close([rates[0] for rates in applied], expected)

    def test_groups_keep_their_ratio_to_the_first(self) -> None:
        expected = self.whole("begun")
        optimizer = torch.optim.AdamW(groups((0.02, 0.005)))
        scheduler = self.load("begun", "pytorch").lr_scheduler(optimizer)
        self.assertIsInstance(scheduler, torch.optim.lr_scheduler.LambdaLR)
        applied = train(optimizer, scheduler, len(expected))
        self.assert_close([rates[0] for rates in applied], expected)
        self.assert_close([4 * rates[1] for rates in applied], expected)

    def test_a_saved_state_goes_on_at_its_step(self) -> None:
        expected = self.whole("begun")
        module = self.load("begun", "pytorch")
        first = torch.optim.SGD(groups((0.1,)))
        scheduler = module.lr_scheduler(first)
        train(first, scheduler, 850)
        again = torch.optim.SGD(groups((0.1,)))
        resumed = module.lr_scheduler(again)
        again.load_state_dict(first.state_dict())
        resumed.load_state_dict(scheduler.state_dict())
        applied = train(again, resumed, len(expected) - 850)
        self.assert_close([rates[0] for rates in applied], expected[850:])

    def test_after_the_last_step_the_schedules_end_holds(self) -> None:
        optimizer = torch.optim.SGD(groups((0.1,)))
        applied = train(optimizer, self.load("begun", "pytorch").lr_scheduler(optimizer), 1003)
        self.assertEqual(applied[1000:], [[0.0]] * 3)

    def test_a_first_rate_of_0_has_no_ratio_and_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "rate above 0, got 0.0"):
            self.load("begun", "pytorch").lr_scheduler(torch.optim.SGD(groups((0.0,))))


if __name__ == "__main__":
    unittest.main()
