"""A Lightning Trainer whose learning rate Twostep steers. `--usual`: the same with a cosine schedule instead."""

import sys

import lightning
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import twostep
from twostep.lightning import TwostepCallback

STEPS = 6000
torch.set_num_threads(1)
torch.manual_seed(1)
patterns = torch.randn(8, 1, 8, 8)


# Data made here: one of eight patterns, shifted, under noise, a tenth of the labels wrong. Replace it by your own.
def pictures(count):
    kind = torch.randint(0, 8, (count,))
    shifts = torch.randint(-2, 3, (count, 2)).tolist()
    shifted = [patterns[k].roll(s, (1, 2)) for k, s in zip(kind, shifts, strict=True)]
    wrong = torch.rand(count) < 0.1
    x = torch.stack(shifted) + 2 * torch.randn(count, 1, 8, 8)
    return TensorDataset(x, torch.where(wrong, torch.randint(0, 8, (count,)), kind))


class Classifier(lightning.LightningModule):
    def __init__(self, usual):
        super().__init__()
        self.usual = usual
        self.net = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64, 8),
        )  # fmt: skip

    def training_step(self, batch, index):
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch, index):
        loss = F.cross_entropy(self.net(batch[0]), batch[1])
        self.log("val_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
        if not self.usual:
            return optimizer
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        return [optimizer], [{"scheduler": cosine, "interval": "step"}]


usual = "--usual" in sys.argv
callbacks = []
if not usual:
    run = twostep.init(project="lightning")  # the budget is max_steps
    callbacks = [TwostepCallback(run, examples=512, batch_size=64)]
quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
trainer = lightning.Trainer(
    max_steps=STEPS,
    callbacks=callbacks,
    accelerator="cpu",
    enable_checkpointing=False,
    check_val_every_n_epoch=5,
    **quiet,
)
model = Classifier(usual)
train = DataLoader(pictures(16384), batch_size=64, shuffle=True, drop_last=True)
trainer.fit(model, train, DataLoader(pictures(512), batch_size=128))
result = trainer.validate(model, DataLoader(pictures(4096), batch_size=512), verbose=False)[0]
print(f"test loss {result['val_loss']:.4f} after {trainer.global_step} steps")
