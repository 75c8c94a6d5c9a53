"""Ray Train: a run's id from an experiment's name. The example (test_guides.py) steers two real workers."""

from __future__ import annotations

import unittest

from .needs import need

is_here = need("torch") is not None and need("ray") is not None
if is_here:
    from twostep.ray import _run_id
    from twostep.settings import read_settings


@unittest.skipUnless(is_here, "Ray is missing: pip install 'twostep[ray]'")
class TheRunsId(unittest.TestCase):
    def test_any_name_of_an_experiment_gives_an_id_that_a_run_may_have(self) -> None:
        for name in (
            "night",
            "my experiment/2",
            "..hidden",
            "ray_train_run-2026-11-28_14-00-00",
            "ä" * 300,
            "x" * 300,
        ):
            run_id = _run_id(name)
            read = read_settings({}, run_id=run_id)
            self.assertTrue(read.run_id, name)
            if run_id is not None:
                self.assertEqual(read.run_id, run_id)

    def test_the_same_name_gives_the_same_run(self) -> None:
        self.assertEqual(_run_id("night shift"), "night-shift")
        self.assertIsNone(_run_id("---"))


if __name__ == "__main__":
    unittest.main()
