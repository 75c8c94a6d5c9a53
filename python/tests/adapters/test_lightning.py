"""Lightning's Trainer follows the plan, in automatic and manual optimization, and resumes where it was."""

from __future__ import annotations

import logging
import tempfile
import unittest
import warnings
from pathlib import Path
from typing import Any

from .needs import assert_told_as_one, get, need, offline_run, own_rate, seen_losses, server, spooled_metrics

torch = need("torch")
lightning = need("lightning")
is_here = torch is not None and lightning is not None

if is_here:
    from torch.utils.data import DataLoader, TensorDataset

    from tests.torch.processes import torchrun
    from twostep.lightning import TwostepCallback, TwostepLogger
    from twostep.torch.passes import own_loss

    class Module(lightning.LightningModule):
        def __init__(self, is_manual: bool = False) -> None:
            super().__init__()
            self.automatic_optimization = not is_manual
            self.net = torch.nn.Sequential(
                torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)
            )
            self.losses: list[float] = []
            self.rates: list[float] = []

        def loss(self, batch: Any) -> Any:
            return (self.net(batch[0])[:, 0] - batch[1]).square().mean()

        def training_step(self, batch: Any, index: int) -> Any:
            loss = self.loss(batch)
            if torch.is_grad_enabled():
                self.losses.append(float(loss))
            if not self.automatic_optimization:
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", self.loss(batch))

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.01)
            optimizer.register_step_pre_hook(lambda o, *_: self.rates.append(o.param_groups[0]["lr"]))
            fights = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1)
            return [optimizer], [fights]


@unittest.skipUnless(is_here, "Lightning is missing: pip install 'twostep[lightning]'")
class TheTrainer(unittest.TestCase):
    def setUp(self) -> None:
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        self.addCleanup(warnings.resetwarnings)
        torch.manual_seed(1)
        x = torch.randn(128, 3)
        self.train = DataLoader(TensorDataset(x, x.sum(1)), batch_size=8)
        self.held_out = DataLoader(TensorDataset(x[:64], x[:64].sum(1)), batch_size=8)

    def fit(self, run: Any, module: Any, steps: int = 40, path: str | None = None, **more: Any) -> Any:
        self.callback = TwostepCallback(run, examples=64, batch_size=8)
        trainer = lightning.Trainer(
            max_steps=steps,
            callbacks=[self.callback],
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **more,
        )
        trainer.fit(module, self.train, self.held_out, ckpt_path=path)
        return trainer

    def test_what_the_module_logs_are_metrics_of_the_run(self) -> None:
        run, module = offline_run(self), Module()
        step = module.training_step

        def logged(batch: Any, index: int) -> Any:
            loss = step(batch, index)
            module.log("twice", 2 * loss.detach())
            return loss

        module.training_step = logged
        trainer = lightning.Trainer(
            max_steps=30,
            callbacks=[TwostepCallback(run, batch_size=8)],
            logger=TwostepLogger(run),
            log_every_n_steps=1,
            accelerator="cpu",
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, self.train)
        twice = [value for value in spooled_metrics(run)["twice"] if value is not None]
        self.assertGreaterEqual(len(twice), 29)
        for value, loss in zip(twice, module.losses):
            self.assertAlmostEqual(value, 2 * loss, places=5)

    def test_each_step_has_the_plans_rate_and_none_of_the_modules_schedule(self) -> None:
        for is_manual in (False, True):
            with self.subTest(is_manual=is_manual):
                run, module = offline_run(self), Module(is_manual)
                losses = seen_losses(run)
                with self.assertLogs("twostep", "WARNING"):
                    self.fit(run, module)
                for step, rate in enumerate(module.rates):
                    self.assertAlmostEqual(rate, own_rate(0.01, step, 40))
                self.assertEqual((len(module.rates), run.step_count), (40, 40))
                for loss, own in zip(losses, module.losses, strict=True):
                    self.assertAlmostEqual(loss, own, places=5)

    def test_a_step_is_an_optimizer_step_and_its_loss_the_mean_of_its_batches(self) -> None:
        run, module = offline_run(self), Module()
        losses = seen_losses(run)
        self.fit(run, module, 20, accumulate_grad_batches=2, gradient_clip_val=0.1)
        self.assertEqual((run.step_count, len(module.losses)), (20, 40))
        for step, loss in enumerate(losses):
            self.assertAlmostEqual(
                loss, (module.losses[2 * step] + module.losses[2 * step + 1]) / 2, places=5
            )

    def test_a_step_at_the_end_of_an_epoch_may_be_of_fewer_batches(self) -> None:
        """The epoch has 16 batches: the sixth step is of one."""
        run, module = offline_run(self), Module()
        losses = seen_losses(run)
        self.fit(run, module, 6, accumulate_grad_batches=3)
        for step, loss in enumerate(losses):
            parts = module.losses[3 * step : 3 * step + 3]
            self.assertAlmostEqual(loss, sum(parts) / len(parts), places=5)
        self.assertEqual((len(losses), len(module.losses)), (6, 16))

    def test_probes_log_nothing_and_leave_the_statistics_of_the_training(self) -> None:
        run, module = offline_run(self), Module()
        trainer = self.fit(run, module)
        before = {key: value.clone() for key, value in module.state_dict().items()}
        logged = dict(trainer.callback_metrics)
        evaluate = own_loss(trainer, module, 64, "val_loss")
        module.eval()
        with torch.no_grad():
            score = evaluate(module)
        self.assertEqual((score["examples"], len(score["lossByPart"])), (64, 8))
        self.assertEqual(dict(trainer.callback_metrics), logged)
        for key, value in module.state_dict().items():
            self.assertTrue(torch.equal(value, before[key]), key)

    def test_a_resumed_trainer_goes_on_with_the_plan(self) -> None:
        """lightning#21068, #14699: the rate after a resume."""
        run, module = offline_run(self), Module()
        with tempfile.TemporaryDirectory() as folder:
            trainer = self.fit(run, module, 36)
            trainer.save_checkpoint(f"{folder}/last.ckpt")
            again, resumed = offline_run(self, run_id=run.run_id, budget_steps=40), Module()
            self.fit(again, resumed, 40, f"{folder}/last.ckpt")
        self.assertEqual((len(resumed.rates), again.step_count), (4, 40))
        for step, rate in enumerate(resumed.rates, 36):
            self.assertAlmostEqual(rate, again._plan.rate(step))

    def test_the_trainer_stops_when_the_run_is_told_to_finish(self) -> None:
        run, module = offline_run(self), Module()
        step = run.step

        def told(*args: Any, **more: Any) -> None:
            step(*args, **more)
            run.finished = run.step_count == 7

        run.step = told
        self.fit(run, module)
        self.assertEqual(len(module.rates), 7)

    def of_two_processes(self, strategy: str, *, starts_itself: bool) -> None:
        """Steered as one run, whose score is of all held-out examples."""
        program = Path(__file__).parent / "lightning_job.py"
        with tempfile.TemporaryDirectory() as folder, server() as url:
            first, second, _ = torchrun(
                program, Path(folder), strategy, server_url=url, starts_itself=starts_itself
            )
            (run,) = get(url, "/runs")["runs"]
            summary = get(url, f"/runs/{run['id']}")
            losses = get(url, f"/runs/{run['id']}/series?signals=loss")["signals"]["loss"]
        for key in ("rates", "told", "score", "weights", "run", "able"):
            self.assertEqual(first[key], second[key], key)
        self.assertEqual(first["able"], ["heldOutLoss", "averagedWeights", "checkpoint"])
        self.assertEqual((summary["state"], summary["step"], summary["drift"]), ("finished", 60, None))
        self.assertEqual((sum(losses["count"]), sum(summary["badSamples"].values())), (60, 0))
        self.assertTrue(summary["outcome"]["isBetter"])
        self.assertEqual(len(first["rates"]), 60)
        self.assertLess(first["rates"][-1], 0.1 * max(first["rates"]))
        assert_told_as_one(self, first, second)

    def test_two_processes_of_its_own_are_one_run(self) -> None:
        self.of_two_processes("ddp", starts_itself=True)

    def test_two_processes_with_a_split_model_are_one_run(self) -> None:
        self.of_two_processes("fully_shard", starts_itself=False)


if __name__ == "__main__":
    unittest.main()
