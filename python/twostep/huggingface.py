"""transformers' `Trainer`, steered: `trainer.add_callback(TwostepCallback(run, trainer))` before `trainer.train()`.

A callback alone cannot do it: the Trainer tells it neither a step's loss nor its scheduler's place. So the callback takes
three methods of this one trainer in hand: `create_scheduler` (the plan's, which is saved and resumed with the Trainer's
checkpoints), `training_step` (adds up the loss of a step's micro-batches), and accelerate's `clip_grad_norm_` (the norm before
clipping). Written for transformers 5; one process, or several under torchrun, in each of which the callback is added alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .run import Run
from .score import EXAMPLES
from .torch.heldout import HeldOut
from .torch.scheduler import TwostepScheduler

log = logging.getLogger("twostep")


class TwostepCallback(TrainerCallback):
    """Reports each optimizer step, applies the plan, ends the training when the run is told to finish.

    `evaluate(model)`: as for `run.watch`; not given, the Trainer's own loss over the first `examples` of its `eval_dataset`,
    which several processes share out. In those all call `evaluate`, so let it look at the same examples in each.
    `examples`: how many of those, or how many `evaluate` looks at. `watch`: more arguments of `run.watch`.
    """

    def __init__(
        self,
        run: Run,
        trainer: Trainer,
        evaluate: Callable[[torch.nn.Module], Any] | None = None,
        examples: int = EXAMPLES,
        **watch: Any,
    ) -> None:
        self.run = run
        self._trainer: Any = trainer
        self._examples = examples
        self._more = watch
        self._evaluate = evaluate
        self._held_out: HeldOut | None = None
        self._loss: Any = None
        self._norm: Any = None
        self._is_on = not trainer.is_deepspeed_enabled
        if not self._is_on:
            log.error("twostep: TwostepCallback does not steer DeepSpeed; the Trainer is left as it is")
            return
        self._training_step = trainer.training_step
        self._clip = trainer.accelerator.clip_grad_norm_
        trainer.create_scheduler = self._create_scheduler  # type: ignore[method-assign]
        trainer.training_step = self._added_up  # type: ignore[method-assign]
        trainer.accelerator.clip_grad_norm_ = self._normed

    # ---- in place of the trainer's methods

    def _create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> TwostepScheduler:
        trainer = self._trainer
        optimizer = _inner(optimizer if optimizer is not None else trainer.optimizer)
        scheduler = TwostepScheduler(optimizer, self.run, begin=False)
        trainer.lr_scheduler = scheduler
        return scheduler

    def _added_up(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = self._training_step(*args, **kwargs)
        # Each is the micro-batch's share of the mean over the whole batch.
        self._loss = loss if self._loss is None else self._loss + loss
        return loss

    def _normed(self, *args: Any, **kwargs: Any) -> Any:
        self._norm = self._clip(*args, **kwargs)
        return self._norm

    # ---- what the trainer calls

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not self._is_on or self.run.has_begun:
            return
        trainer = self._trainer
        self.run.expect(budget_steps=state.max_steps, first_step=state.global_step)
        evaluate = self._evaluate
        if evaluate is None and trainer.eval_dataset is not None:
            evaluate = self._own_loss
        accumulated = args.gradient_accumulation_steps
        watched = {
            "examples": self._examples,
            "batch_size": trainer.get_total_train_batch_size(args),
            "micro_batches": accumulated,
            "scaler": trainer.accelerator.scaler,
        }
        self.run.watch(trainer.model, _inner(trainer.optimizer), evaluate, **{**watched, **self._more})
        trainer.lr_scheduler.step()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not self._is_on:
            return
        accelerator = self._trainer.accelerator
        loss = self._loss if args.world_size == 1 else accelerator.reduce(self._loss, "mean")
        skipped = accelerator.optimizer_step_was_skipped
        self.run.step(loss, gradient_norm=self._norm, skipped=skipped)
        self._loss = self._norm = None
        self._trainer.lr_scheduler.step()
        if self.run.finished:
            control.should_training_stop = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.run.finish()

    def _own_loss(self, model: torch.nn.Module) -> dict[str, Any]:
        trainer = self._trainer
        if self._held_out is None:
            dataset = trainer.eval_dataset
            first = next(iter(dataset.values())) if isinstance(dataset, dict) else dataset
            self._held_out = HeldOut(trainer.get_eval_dataloader(first), self._examples)

        def loss_of(batch: Any) -> Any:
            with trainer.compute_loss_context_manager():
                return trainer.compute_loss(model, trainer._prepare_inputs(batch))

        return self._held_out.score(loss_of)


def _inner(optimizer: Any) -> Any:
    """The optimizer in accelerate's wrapper."""
    return getattr(optimizer, "optimizer", optimizer)
