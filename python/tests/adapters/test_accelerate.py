"""accelerate: a step is one that it let the optimizer take; skipped ones are told."""

from __future__ import annotations

import unittest
from typing import Any

from .needs import need, offline_run, own_rate, seen_losses, spooled_metrics

torch = need("torch")
accelerate = need("accelerate")
is_here = torch is not None and accelerate is not None
if is_here:
    from twostep.accelerate import Steering, TwostepTracker
    from twostep.torch.scheduler import TwostepScheduler


@unittest.skipUnless(is_here, "accelerate is missing: pip install 'twostep[accelerate]'")
class TheSteering(unittest.TestCase):
    def setUp(self) -> None:
        self.accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=2)
        model = torch.nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)

    def part(self, steering: Any) -> float:
        with self.accelerator.accumulate(self.model):
            loss = self.model(torch.randn(8, 3)).square().mean()
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.optimizer.zero_grad()
            steering.step(loss)
        return loss.item()

    def test_follows_the_plan_by_optimizer_steps_and_tells_the_mean_of_the_parts(self) -> None:
        run = offline_run(self, budget_steps=40)
        losses = seen_losses(run)
        steering = Steering(run, self.accelerator, self.model, self.optimizer, batch_size=16)
        scheduler = self.accelerator.prepare(TwostepScheduler(self.optimizer.optimizer, run))
        for step in range(40):
            self.assertAlmostEqual(self.optimizer.param_groups[0]["lr"], own_rate(0.01, step, 40))
            parts = self.part(steering), self.part(steering)
            scheduler.step()
            self.assertAlmostEqual(losses[-1], sum(parts) / 2, places=5)
        self.assertEqual(run.step_count, 40)

    def test_what_the_accelerator_logs_are_metrics_of_the_run(self) -> None:
        """accelerate#4060: a tracker of one's own."""
        run = offline_run(self, budget_steps=40)
        accelerator = accelerate.Accelerator(cpu=True, log_with=TwostepTracker(run))
        accelerator.init_trackers("project", config={"width": 3})
        for step in range(30):
            accelerator.log({"accuracy": step / 30, "note": "no number"}, step=step)
            run.step(1.0)
        accelerator.end_training()
        self.assertFalse(run.finished)
        run.finish()
        self.assertEqual(spooled_metrics(run)["accuracy"], [float(f"{step / 30:.9g}") for step in range(30)])

    def test_a_step_that_mixed_precision_left_out_is_told(self) -> None:
        run = offline_run(self, budget_steps=40)
        steering = Steering(run, self.accelerator, self.model, self.optimizer)
        told: list[Any] = []
        step = run.step

        def noted(loss: Any, **more: Any) -> None:
            told.append(more["skipped"])
            step(loss, **more)

        run.step = noted
        for is_left_out in (False, True):
            self.part(steering)
            self.optimizer._is_overflow = is_left_out
            self.part(steering)
        self.assertEqual(told, [False, True])


if __name__ == "__main__":
    unittest.main()
