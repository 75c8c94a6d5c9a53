"""The file for transformers: a Trainer that is given the scheduler, and one that makes its own optimizer."""

from __future__ import annotations

import math
import unittest
from typing import Any

from tests.adapters.needs import need
from tests.exports.runs import ExportTest

torch, transformers = need("torch"), need("transformers")
if torch is None or transformers is None or need("accelerate") is None:
    raise unittest.SkipTest("transformers is missing: pip install torch 'transformers>=5' accelerate")


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, x: Any, labels: Any) -> dict[str, Any]:
        return {"loss": (self.layer(x)[:, 0] - labels).square().mean()}


class Rates(transformers.TrainerCallback):
    """The rate that each optimizer step really has."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.seen.append(float(kwargs["optimizer"].param_groups[0]["lr"]))


class ForTransformers(ExportTest):
    def train(self, kind: type, steps: int, **given: Any) -> list[float]:
        data = [{"x": x, "labels": x.sum()} for x in torch.randn(64, 3)]
        arguments = transformers.TrainingArguments(
            output_dir=str(self.folder / "trainer"),
            max_steps=steps,
            save_strategy="no",
            per_device_train_batch_size=4,
            gradient_accumulation_steps=2,
            learning_rate=0.013,
            disable_tqdm=True,
            use_cpu=True,
            optim="sgd",
            report_to="none",
        )
        model = given.pop("model", None) or Model()
        trainer = kind(model, arguments, train_dataset=data, **given)
        trainer.remove_callback(transformers.PrinterCallback)
        rates = Rates()
        trainer.add_callback(rates)
        trainer.train()
        return rates.seen

    def assert_close(self, applied: list[float], expected: list[float]) -> None:
        self.assertEqual(len(applied), len(expected))
        for step, (one, other) in enumerate(zip(applied, expected, strict=True)):
            self.assertTrue(math.isclose(one, other, rel_tol=5e-16), (step, one, other))

    def test_a_trainer_that_is_given_optimizer_and_scheduler_takes_each_step_at_the_runs_rate(self) -> None:
        model = Model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
        scheduler = self.load("ended", "transformers").lr_scheduler(optimizer)
        expected = self.whole("ended")
        applied = self.train(
            transformers.Trainer, len(expected), model=model, optimizers=(optimizer, scheduler)
        )
        self.assert_close(applied, expected)

    def test_a_trainer_that_makes_its_optimizer_does_too(self) -> None:
        mixin = self.load("begun", "transformers").WithSchedule
        kind = type("MyTrainer", (mixin, transformers.Trainer), {})
        expected = self.whole("begun")
        self.assert_close(self.train(kind, len(expected)), expected)


if __name__ == "__main__":
    unittest.main()
