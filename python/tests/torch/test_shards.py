"""Models that are split over processes by `fully_shard` (FSDP): the same numbers as whole ones, one run, no wrong result."""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

from tests.jobs import JobTest
from tests.real_server import RealServer
from tests.torch.processes import torchrun

HERE = Path(__file__).parent


class SplitHands(JobTest):
    def assert_close(self, pair: Any) -> None:
        """A split and a whole model add up the same numbers in another order: float32, some 30 steps."""
        self.assertEqual(len(pair[0]), len(pair[1]))
        for left, right in zip(*pair):
            self.assertAlmostEqual(left, right, delta=2e-5)

    def assert_same_scores(self, pair: Any) -> None:
        left, right = pair
        self.assertEqual(left.keys(), right.keys())
        self.assertEqual(left["examples"], right["examples"])
        for kind in ("averaged", "checkpoints"):
            for a, b in zip(left.get(kind, []), right.get(kind, []), strict=True):
                self.assertEqual(a.get("windowSteps"), b.get("windowSteps"))
                self.assert_close((a["lossByPart"], b["lossByPart"]))
        self.assert_close((left["raw"]["lossByPart"], right["raw"]["lossByPart"]))

    def test_a_split_model_is_measured_kept_and_put_back_as_a_whole_one(self) -> None:
        first, second, _ = torchrun(HERE / "split_hands.py", self.folder)
        self.assertEqual(first["capabilities"][0], ["heldOutLoss", "averagedWeights", "checkpoint"])
        for key in ("first", "valley", "on host"):
            self.assert_same_scores(first[key])
        self.assertEqual([len(probe["averaged"]) for probe in first["first"]], [2, 2])
        self.assertEqual([len(probe["averaged"]) for probe in first["valley"]], [3, 3])
        raw, window = first["valley"][0]["raw"]["loss"], first["valley"][0]["averaged"][-1]["loss"]
        self.assertGreater(abs(raw - window), 1e-3, "windows are scored with weights of their own")
        for key in ("trained", "after averaged", "mean", "averaged", "early"):
            with self.subTest(key):
                self.assert_close(first[key])
        self.assertEqual(first["trained"], first["after averaged"])
        self.assertNotEqual(first["averaged"], first["early"])
        self.assertEqual(*first["bits"])
        self.assertAlmostEqual(*first["norm"], delta=1e-5)
        for said in first["spread"]:
            self.assertIn("give its full_tensor()", said)
        self.assertEqual(first["columns"], [["learningRate"], ["gradientNormSquared", "learningRate"]])
        for key, states in (("memory", 5), ("held", 0)):
            # Counts of steps are in each process; all else is in one of them.
            counts = states * 6 * 4
            own = [seen.pop(key) for seen in (first, second)]
            self.assertEqual(sum(pair[0] for pair in own), own[0][1] + counts, key)
            self.assertLess(max(pair[0] for pair in own), 0.55 * own[0][1], key)
        self.assertEqual(first, second)


class SplitJobs(JobTest):
    server: RealServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = RealServer()
        cls.addClassCleanup(cls.server.close)

    def job(self, how: str, steps: int) -> tuple[Any, Any, str]:
        first, second, said = torchrun(
            HERE / "two_processes.py", self.folder, how, server_url=self.server.url
        )
        self.assertEqual(first, second, "both have done the same at the same steps")
        self.assertEqual(len(first["rates"]), steps)
        summary = self.server.get(f"runs/{first['run']}")
        self.assertEqual((summary["state"], summary["step"], summary["drift"]), ("finished", steps, None))
        self.assertEqual(sum(summary["badSamples"].values()), 0)
        return first, summary, said

    def test_a_split_job_is_one_run_steered_to_its_kept_weights(self) -> None:
        seen, summary, _ = self.job("fsdp", 300)
        self.assertIn("restore", seen["did"])
        self.assertEqual(seen["did"][-1], "finish")
        self.assertTrue(summary["outcome"]["isBetter"])
        norms = self.server.get(f"runs/{seen['run']}/series?signals=gradientNormSquared")["signals"]
        self.assertGreaterEqual(
            sum(norms["gradientNormSquared"]["count"]), 300, "the norms that the job gave"
        )
        kinds = [d["kind"] for d in self.server.get(f"runs/{seen['run']}/decisions?limit=200")["decisions"]]
        self.assertEqual(kinds[-1], "finish")

    def test_in_the_classic_wrapper_nothing_is_measured_and_that_is_said(self) -> None:
        seen, _, said = self.job("flat", 100)
        self.assertEqual((seen["able"], seen["calls"], seen["did"]), ([], 0, ["finish"]))
        self.assertIn("use fully_shard", said)
        self.assertLess(seen["rates"][-1], 0.1 * max(seen["rates"]), "rates are steered all the same")


if __name__ == "__main__":
    unittest.main()
