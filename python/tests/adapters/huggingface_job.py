"""A Trainer in two processes under torchrun: writes what each has seen into the folder given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers

import twostep
from tests.adapters.needs import seen_losses
from twostep.huggingface import TwostepCallback

STEPS = 100
folder = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(1)
x = torch.randn(1024, 3)
y = x.sum(1) + torch.randn(1024)
data = [{"x": a, "labels": b} for a, b in zip(x, y, strict=True)]


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.losses: list[float] = []

    def forward(self, x: Any, labels: Any) -> dict[str, Any]:
        loss = (self.layers(x)[:, 0] - labels).square().mean()
        if self.training:
            self.losses.append(loss.item())
        return {"loss": loss}


rates: list[float] = []


class Rates(transformers.TrainerCallback):
    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        rates.append(float(kwargs["optimizer"].param_groups[0]["lr"]))


arguments = transformers.TrainingArguments(
    output_dir=str(folder / "trainer"),
    max_steps=STEPS,
    per_device_train_batch_size=8,
    per_device_eval_batch_size=8,
    gradient_accumulation_steps=2,
    learning_rate=0.02,
    disable_tqdm=True,
    use_cpu=True,
    optim="sgd",
    report_to="none",
    save_strategy="no",
)
# 100 examples are 12 batches of 8 and a short one, which the Trainer fills up with examples from the beginning.
held_out = data[:100]
trainer = transformers.Trainer(Model(), arguments, train_dataset=data[100:], eval_dataset=held_out)
trainer.remove_callback(transformers.PrinterCallback)
trainer.add_callback(Rates())
run = twostep.init("tests")
callback = TwostepCallback(run, trainer)
trainer.add_callback(callback)
told = seen_losses(run)
trainer.train()
model: Any = trainer.model.eval()
with torch.no_grad():
    score = callback._own_loss(model)
    batch = {"x": x[:96], "labels": y[:96]}
    whole = [float(model(**{k: v[i : i + 8] for k, v in batch.items()})["loss"]) for i in range(0, 96, 8)]
weights = {key: weight.flatten().tolist() for key, weight in model.state_dict().items()}
seen = {"rates": rates, "told": told, "own": model.losses, "score": score, "whole": whole, "run": run.run_id}
seen |= {"able": run._hands.capabilities, "weights": weights, "batch": run._hands._batch_size}
(folder / f"{trainer.args.process_index}.json").write_text(json.dumps(seen))
