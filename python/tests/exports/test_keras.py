"""The file for Keras, on each backend that is installed: a LearningRateSchedule, alone, in fit, and in a saved model."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from tests.exports.runs import ExportTest

BACKENDS = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name) is not None]
if importlib.util.find_spec("keras") is None or not BACKENDS:
    raise unittest.SkipTest("Keras or a backend of it is missing: pip install 'keras>=3.5' torch")

JOB = Path(__file__).parent / "keras_job.py"


class ForKeras(ExportTest):
    def job(self, run_id: str, backend: str, steps: int) -> Any:
        folder = self.save(run_id, "keras").parent
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
        command = [sys.executable, str(JOB), str(folder), str(steps)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=110, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        return json.loads(done.stdout.splitlines()[-1])

    def assert_near(self, rates: list[float], expected: list[float]) -> None:
        """To what 32 bits hold."""
        self.assertEqual(len(rates), len(expected))
        for step, (rate, other) in enumerate(zip(rates, expected, strict=True)):
            self.assertLessEqual(abs(rate - other), 1e-6 * other, (step, rate, other))

    def test_each_step_has_the_runs_rate_in_a_loop_in_fit_and_after_saving(self) -> None:
        for backend in BACKENDS:
            for run_id in ("ended", "begun"):
                expected = self.whole(run_id)
                seen = self.job(run_id, backend, len(expected))
                with self.subTest(backend=backend, run=run_id):
                    self.assert_near(seen["applied"], expected)
                    self.assert_near(seen["atOnce"], expected)
                    sums = [sum(expected[:10]), sum(expected[:20])]
                    for fallen, by in zip(seen["fallen"], sums, strict=True):
                        self.assertAlmostEqual(-fallen / by, 1, places=5)
                    self.assertEqual(seen["begin"], 7)
                    self.assert_near([seen["late"]], [expected[2]])


if __name__ == "__main__":
    unittest.main()
