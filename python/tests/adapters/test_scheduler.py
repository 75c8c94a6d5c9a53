"""TwostepScheduler writes the plan into param_groups, whoever calls it and however often."""

from __future__ import annotations

import unittest

from .needs import need, offline_run, own_rate

torch = need("torch")

if torch is not None:
    from torch import nn
    from torch.optim.lr_scheduler import LRScheduler

    from twostep.torch.scheduler import TwostepScheduler


@unittest.skipIf(torch is None, "PyTorch is missing: pip install 'twostep[torch]'")
class TheScheduler(unittest.TestCase):
    def setUp(self) -> None:
        self.model = nn.Linear(3, 2)
        self.optimizer = torch.optim.SGD(
            [{"params": [self.model.weight]}, {"params": [self.model.bias], "lr": 0.05}], lr=0.1
        )

    def rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def loss(self) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.model(torch.ones(4, 3)).square().mean()
        loss.backward()
        self.optimizer.step()
        return loss

    def test_reports_and_writes_the_rates_of_each_group_by_its_own_ratio(self) -> None:
        run = offline_run(self, budget_steps=40)
        scheduler = TwostepScheduler(self.optimizer, run)
        self.assertIsInstance(scheduler, LRScheduler)
        for step in range(40):
            planned = own_rate(0.1, step, 40)
            for rate, expected in zip(self.rates(), (planned, planned / 2), strict=True):
                self.assertAlmostEqual(rate, expected)
            self.assertEqual(scheduler.get_last_lr(), self.rates())
            scheduler.step(loss=self.loss())
        self.assertEqual(run.step_count, 40)

    def test_steps_without_a_loss_change_nothing_however_many(self) -> None:
        run = offline_run(self, budget_steps=40)
        scheduler = TwostepScheduler(self.optimizer, run)
        for _ in range(36):
            run.step(self.loss())
            scheduler.step()
            scheduler.step(7)
        self.assertEqual(run.step_count, 36)
        self.assertAlmostEqual(self.rates()[0], own_rate(0.1, 36, 40))

    def test_the_plans_rate_wins_over_the_one_in_a_loaded_optimizer(self) -> None:
        """lightning#21068, transformers#21399: the rate after a resume."""
        run = offline_run(self, budget_steps=40)
        scheduler = TwostepScheduler(self.optimizer, run)
        old = self.optimizer.state_dict()
        for _ in range(36):
            scheduler.step(loss=self.loss())
        state = scheduler.state_dict()
        again = offline_run(self, budget_steps=40, run_id=run.run_id)
        resumed = TwostepScheduler(self.optimizer, again)
        self.optimizer.load_state_dict(old)
        resumed.load_state_dict(state)
        self.assertEqual(again.step_count, 36)
        self.assertEqual(resumed.get_last_lr(), self.rates())
        self.assertEqual(self.rates()[0], again.learning_rate)

    def test_tensor_rates_are_written_in_place(self) -> None:
        rate = torch.tensor(0.1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate)
        run = offline_run(self, budget_steps=20)
        scheduler = TwostepScheduler(self.optimizer, run)
        for _ in range(18):
            scheduler.step(loss=self.loss())
        self.assertIs(self.optimizer.param_groups[0]["lr"], rate)
        self.assertAlmostEqual(float(rate), own_rate(0.1, 18, 20), places=6)

    def test_one_made_before_the_run_begins_leaves_the_rates_as_they_are(self) -> None:
        run = offline_run(self, budget_steps=40)
        scheduler = TwostepScheduler(self.optimizer, run, begin=False)
        scheduler.step()
        self.assertEqual(self.rates(), [0.1, 0.05])


if __name__ == "__main__":
    unittest.main()
