"""A Lightning Trainer with two processes: writes what each has seen into the folder given. By which strategy: `ddp`, or
`fully_shard`."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.utils.data import DataLoader, TensorDataset

import twostep
from tests.adapters.needs import seen_losses
from twostep.lightning import TwostepCallback

STEPS = 60
folder, strategy = Path(sys.argv[1]), sys.argv[2]
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)
torch.manual_seed(1)
x = torch.randn(1028, 3)
y = x.sum(1) + torch.randn(1028)


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.losses: list[float] = []
        self.rates: list[float] = []

    def configure_model(self) -> None:
        if strategy == "fully_shard":
            from torch.distributed.fsdp import fully_shard

            mesh = self.device_mesh["data_parallel"]
            fully_shard(self.net, mesh=mesh)

    def loss(self, batch: Any) -> Any:
        return (self.net(batch[0])[:, 0] - batch[1]).square().mean()

    def training_step(self, batch: Any, index: int) -> Any:
        loss = self.loss(batch)
        if torch.is_grad_enabled():
            self.losses.append(loss.item())
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05)
        optimizer.register_step_pre_hook(lambda o, *_: self.rates.append(o.param_groups[0]["lr"]))
        return optimizer


run = twostep.init("tests")
callback = TwostepCallback(run, batch_size=32)
trainer = lightning.Trainer(
    max_steps=STEPS,
    callbacks=[callback],
    accelerator="cpu",
    strategy=ModelParallelStrategy(2, 1) if strategy == "fully_shard" else strategy,
    devices=2,
    accumulate_grad_batches=2,
    gradient_clip_val=5.0,
    check_val_every_n_epoch=100,
    num_sanity_val_steps=0,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
told = seen_losses(run)
module = Module()
# 100 held-out examples in batches of 8: the last batch of each process is short.
train = DataLoader(TensorDataset(x[100:], y[100:]), batch_size=8, shuffle=True, drop_last=True)
able: list[str] = []
score: dict[str, Any] = {}
watch = run.watch


def watched(model: Any, optimizer: Any, evaluate: Any, **more: Any) -> None:
    watch(model, optimizer, evaluate, **more)
    able.extend(run._hands.capabilities)
    with torch.no_grad():
        score.update(evaluate(model))
        # Lightning deals the examples out one by one.
        for at in range(0, 96, 16):
            for rank in (0, 1):
                batch = x[at + rank : at + 16 : 2], y[at + rank : at + 16 : 2]
                whole.append(module.loss(batch).item())


whole: list[float] = []
run.watch = watched  # type: ignore[method-assign]
trainer.fit(module, train, DataLoader(TensorDataset(x[:100], y[:100]), batch_size=8))
weights = [
    (w.full_tensor() if hasattr(w, "full_tensor") else w).flatten().tolist() for w in module.parameters()
]
seen = {"rates": module.rates, "told": told, "own": module.losses, "run": run.run_id, "able": able}
seen |= {"score": score, "whole": whole, "weights": weights}
(folder / f"{trainer.global_rank}.json").write_text(json.dumps(seen))
