"""Held-out batches of a trainer's own loader, in one process (tests/adapters) and in several, which share them out."""

from __future__ import annotations

from pathlib import Path

from tests.jobs import JobTest
from tests.torch.processes import torchrun

PROGRAM = Path(__file__).parent / "held_out_job.py"


class HeldOutOfTwoProcesses(JobTest):
    def test_each_example_counts_once_and_what_fails_in_one_fails_in_both(self) -> None:
        first, second, _ = torchrun(PROGRAM, self.folder)
        for key, score in first.items():
            if not key.endswith("failing"):
                self.assertEqual(score, second[key], key)
                self.assertIn("another process has failed", first[f"{key} failing"])
                self.assertEqual(second[f"{key} failing"], "ArithmeticError: in one process only")
        # The mean of 0 to n - 1.
        for key, examples, parts in (
            ("shared", 64, 8),
            ("shared, not even", 96, 12),
            ("shared, the first", 64, 8),
            ("shared, many", 512, 16),
            ("the same", 64, 8),
            ("the same, one batch", 8, 0),
            ("less than a batch each", 8, 0),
        ):
            with self.subTest(key):
                score = first[key]
                self.assertEqual((score["examples"], score["loss"]), (examples, (examples - 1) / 2))
                self.assertEqual(len(score.get("lossByPart", [])), parts)
