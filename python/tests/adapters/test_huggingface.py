"""transformers' Trainer follows the plan, tells the loss of whole batches, and resumes where it was."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

from .needs import assert_told_as_one, get, need, offline_run, own_rate, seen_losses, server

torch = need("torch")
transformers = need("transformers")
is_here = torch is not None and transformers is not None and need("accelerate") is not None

if is_here:
    from tests.torch.processes import torchrun
    from twostep.huggingface import TwostepCallback

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)
            self.losses: list[float] = []

        def forward(self, x: Any, labels: Any) -> dict[str, Any]:
            loss = (self.layer(x)[:, 0] - labels).square().mean()
            if self.training:
                self.losses.append(float(loss))
            return {"loss": loss}

    class Rates(transformers.TrainerCallback):
        """The rate that each optimizer step really has."""

        def __init__(self) -> None:
            self.seen: list[float] = []

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.seen.append(float(kwargs["optimizer"].param_groups[0]["lr"]))


@unittest.skipUnless(is_here, "transformers is missing: pip install 'twostep[huggingface]'")
class TheTrainer(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        torch.manual_seed(1)
        self.data = [{"x": x, "labels": x.sum()} for x in torch.randn(256, 3)]

    def trainer(self, run: Any, **more: Any) -> tuple[Any, Any]:
        settings = {"max_steps": 40, "save_strategy": "no", **more}
        arguments = transformers.TrainingArguments(
            output_dir=self.folder,
            per_device_train_batch_size=8,
            per_device_eval_batch_size=8,
            gradient_accumulation_steps=2,
            learning_rate=0.01,
            logging_steps=1,
            disable_tqdm=True,
            use_cpu=True,
            optim="sgd",
            report_to="none",
            **settings,
        )
        trainer = transformers.Trainer(
            Model(), arguments, train_dataset=self.data, eval_dataset=self.data[:64]
        )
        trainer.remove_callback(transformers.PrinterCallback)
        rates = Rates()
        trainer.add_callback(rates)
        trainer.add_callback(TwostepCallback(run, trainer, examples=64))
        return trainer, rates.seen

    def test_each_step_has_the_plans_rate_and_none_of_the_trainers_schedule(self) -> None:
        run = offline_run(self)
        trainer, rates = self.trainer(run)
        trainer.train()
        for step, rate in enumerate(rates):
            self.assertAlmostEqual(rate, own_rate(0.01, step, 40))
        self.assertEqual((len(rates), run.step_count), (40, 40))
        logged = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
        self.assertEqual(logged[:40], rates)

    def test_the_loss_of_a_step_is_the_mean_of_its_micro_batches(self) -> None:
        run = offline_run(self)
        losses = seen_losses(run)
        trainer, _ = self.trainer(run)
        trainer.train()
        own = trainer.model.losses
        self.assertEqual(len(own), 80)
        for step, loss in enumerate(losses):
            self.assertAlmostEqual(loss, (own[2 * step] + own[2 * step + 1]) / 2, places=5)

    def test_held_out_loss_comes_from_the_eval_dataset_in_equal_parts(self) -> None:
        run = offline_run(self)
        trainer, _ = self.trainer(run)
        trainer.train()
        callback = trainer.callback_handler.callbacks[-1]
        with torch.no_grad():
            score = callback._own_loss(trainer.model.eval())
        self.assertEqual((score["examples"], len(score["lossByPart"])), (64, 8))
        self.assertAlmostEqual(score["loss"], trainer.evaluate()["eval_loss"], places=5)

    def test_a_resumed_trainer_goes_on_with_the_plan(self) -> None:
        """transformers#21399, #27749, #34053: the rate after a resume, also with more steps than before."""
        run = offline_run(self)
        trainer, _ = self.trainer(run, save_strategy="steps", save_steps=36)
        trainer.train()
        again = offline_run(self, run_id=run.run_id)
        resumed, rates = self.trainer(again, max_steps=60)
        resumed.train(resume_from_checkpoint=f"{self.folder}/checkpoint-36")
        self.assertEqual((len(rates), again.step_count), (24, 60))
        self.assertEqual(again._settings.budget_steps, 60)
        self.assertAlmostEqual(rates[0], 0.01)

    def test_the_trainer_stops_when_the_run_is_told_to_finish(self) -> None:
        run = offline_run(self)
        trainer, rates = self.trainer(run)
        step = run.step

        def told(*args: Any, **more: Any) -> None:
            step(*args, **more)
            run.finished = run.step_count == 7

        run.step = told
        trainer.train()
        self.assertEqual(len(rates), 7)

    def test_two_processes_are_one_run_whose_score_is_of_all_held_out_examples(self) -> None:
        with server() as url:
            program = Path(__file__).parent / "huggingface_job.py"
            first, second, _ = torchrun(program, Path(self.folder), server_url=url)
            (run,) = get(url, "/runs")["runs"]
            summary = get(url, f"/runs/{run['id']}")
            losses = get(url, f"/runs/{run['id']}/series?signals=loss")["signals"]["loss"]
        for key in ("rates", "told", "score", "weights", "run", "batch"):
            self.assertEqual(first[key], second[key], key)
        self.assertEqual((first["batch"], len(first["rates"])), (32, 100))
        self.assertLess(first["rates"][-1], 0.1 * max(first["rates"]))
        self.assertEqual((summary["state"], summary["step"], summary["drift"]), ("finished", 100, None))
        self.assertEqual((sum(losses["count"]), sum(summary["badSamples"].values())), (100, 0))
        self.assertTrue(summary["outcome"]["isBetter"])
        assert_told_as_one(self, first, second)
        # The weights are those that the run has kept, so this is what it has promised.
        self.assertAlmostEqual(summary["outcome"]["keptLoss"], first["score"]["loss"], places=5)


if __name__ == "__main__":
    unittest.main()
