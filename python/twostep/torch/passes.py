"""A Lightning module's own steps, made beside the training: held-out loss, and passes that can be made again.

What a module logs meanwhile belongs to other weights than its own, so it goes nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer

from .heldout import HeldOut

log = logging.getLogger("twostep")


def own_loss(
    trainer: Trainer, module: LightningModule, examples: int, monitor: str
) -> Callable[[Any], Any] | None:
    """The loss of the module's `validation_step`, or what it logs under `monitor`; None without validation data."""
    try:
        trainer.fit_loop.epoch_loop.val_loop.setup_data()
    except Exception as error:  # noqa: BLE001 Lightning's own, for a module without validation data, and whatever its loader raises
        log.warning("twostep: there is no held-out data, the training loss alone is judged by: %s", error)
        return None
    loader = trainer.val_dataloaders
    first = next(iter(loader.values()), None) if isinstance(loader, Mapping) else loader
    first = first[0] if isinstance(first, (list, tuple)) and first else first
    if not first:
        return None
    held_out = HeldOut(first, examples)
    logged: dict[str, Any] = {}

    def loss_of(batch: Any) -> Any:
        batch = trainer.strategy.batch_to_device(batch)
        with trainer.precision_plugin.forward_context():
            answer: Any = module.validation_step(batch, 0)
        loss = answer.get("loss") if isinstance(answer, Mapping) else answer
        return logged[monitor] if loss is None else loss

    def evaluate(_: Any) -> dict[str, Any]:
        with unlogged(module, logged):
            return held_out.score(loss_of)

    return evaluate


@contextmanager
def unlogged(module: Any, instead: dict[str, Any]) -> Iterator[None]:
    """What the module logs meanwhile is of other weights than its own, so it goes elsewhere."""
    module.log = lambda name, value, *_, **__: instead.update({name: value})
    module.log_dict = lambda values, *_, **__: instead.update(values)
    try:
        yield
    finally:
        del module.log, module.log_dict


class Passes(torch.nn.Module):
    """Makes each `training_step` a pass that is seen, and can be made again, to recompute normalisation statistics."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module
        self._step = module.training_step
        module.training_step = lambda *args, **kwargs: self(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            return self._step(*args, **kwargs)
        with unlogged(self.module, {}):
            return self._step(*args, **kwargs)
