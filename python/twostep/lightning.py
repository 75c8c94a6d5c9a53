"""Lightning's `Trainer`, steered: `Trainer(callbacks=[TwostepCallback(run)])`; automatic and manual optimization. What the module
logs goes to the run as well with `Trainer(logger=TwostepLogger(run), …)`.

The rates follow the plan: schedulers that the module configures are taken out (a log line says so). Written for Lightning 2;
one process, or several of its strategy "ddp" or of a ModelParallelStrategy, and at most one step of the steered optimizer a batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.types import LRSchedulerConfig

from .run import Run
from .score import EXAMPLES
from .torch.noise import NORM_EACH
from .torch.passes import Passes, own_loss
from .torch.scheduler import TwostepScheduler

log = logging.getLogger("twostep")

STRATEGIES = (DDPStrategy, ModelParallelStrategy)


class TwostepCallback(Callback):
    """Reports each optimizer step, applies the plan, ends the training when the run is told to finish.

    `evaluate(module)`: as for `run.watch`; not given, `validation_step` over the first `examples` of the validation data, which
    answers the loss, or logs it under `monitor`. `batch_size`: examples a step. `optimizer`: the place of the steered one among
    those of the module. `watch`: more arguments of `run.watch`.
    """

    def __init__(
        self,
        run: Run,
        evaluate: Callable[[Any], Any] | None = None,
        *,
        examples: int = EXAMPLES,
        monitor: str = "val_loss",
        optimizer: int = 0,
        **watch: Any,
    ) -> None:
        self.run = run
        self._evaluate = evaluate
        self._examples = examples
        self._monitor = monitor
        self._index = optimizer
        self._more = watch
        self._is_on = True
        self._steps_before = 0
        self._has_stepped = False
        self._loss: Any = None
        self._parts = 0
        self._norm: Any = None
        self._scheduler: TwostepScheduler | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._is_on = trainer.world_size == 1 or _is_known(trainer.strategy)
        if not self._is_on:
            name = type(trainer.strategy).__name__
            log.error("twostep: processes that %s starts like this are not steered or reported", name)
            return
        optimizer = trainer.optimizers[self._index]
        self._steps_before = trainer.global_step
        if not self.run.has_begun:
            if trainer.max_steps > 0:
                self.run.expect(budget_steps=trainer.max_steps, first_step=trainer.global_step)
            evaluate = self._evaluate or own_loss(trainer, pl_module, self._examples, self._monitor)
            model = Passes(pl_module) if pl_module.automatic_optimization else pl_module
            watched = {
                "examples": self._examples,
                "scaler": getattr(trainer.precision_plugin, "scaler", None),
            }
            given = None if evaluate is None else lambda _: evaluate(pl_module)
            self.run.watch(model, optimizer, given, **{**watched, **self._more})
        optimizer.register_step_post_hook(self._stepped)
        self._scheduler = TwostepScheduler(optimizer, self.run)
        others = [c for c in trainer.strategy.lr_scheduler_configs if c.scheduler.optimizer is not optimizer]
        if len(others) < len(trainer.strategy.lr_scheduler_configs):
            log.warning("twostep: the module's own scheduler is taken out, rates follow the plan")
        trainer.strategy.lr_scheduler_configs = [
            *others,
            LRSchedulerConfig(self._scheduler, interval="step"),
        ]

    def _stepped(self, *_: Any) -> None:
        self._has_stepped = True

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if self._is_on and trainer.gradient_clip_val and self.run.step_count % NORM_EACH == 0:
            # Read here, as the optimizer sees only what is left after clipping.
            gradients = [
                p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
            ]
            norm: Any = torch.nn.utils.get_total_norm(gradients)
            # Of gradients that are split over processes, all of which come here at this step.
            self._norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not self._is_on:
            return
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if loss is not None:
            # Of accumulated batches Lightning answers each one's share of the mean of as many as it was told to accumulate; at
            # the end of an epoch there may be fewer.
            share = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            own = loss.detach() * share
            self._loss = own if self._loss is None else self._loss + own
            self._parts += 1
        if pl_module.automatic_optimization:
            is_step = trainer.global_step > self._steps_before
        else:
            is_step = self._has_stepped
        if not is_step:
            return
        loss = None if self._loss is None else self._loss / self._parts
        if loss is not None and trainer.world_size > 1:
            loss = trainer.strategy.reduce(loss, reduce_op="mean")
        self.run.step(loss, gradient_norm=self._norm, skipped=not self._has_stepped)
        self._loss, self._parts, self._norm = None, 0, None
        self._has_stepped, self._steps_before = False, trainer.global_step
        if self._scheduler is not None:
            self._scheduler.step()
        if self.run.finished:
            trainer.should_stop = True

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.run.finish()

    def state_dict(self) -> dict[str, Any]:
        return self.run.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.run.load_state_dict(state_dict)


def _is_known(strategy: Any) -> bool:
    """Of several processes, each must have made the run by itself: those that are spawned or forked have not."""
    return isinstance(strategy, STRATEGIES) and getattr(strategy, "_start_method", "popen") == "popen"


class TwostepLogger(Logger):
    """Metrics that the module logs become metrics of the run, told with the step after. It steers nothing: that is the callback's."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    @property
    def name(self) -> str:
        return "twostep"

    @property
    def version(self) -> str | None:
        return self._run.run_id

    @property
    @rank_zero_experiment  # type: ignore[untyped-decorator]
    def experiment(self) -> Run:
        return self._run

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        # Lightning adds the epoch by itself.
        self._run.log({key: value for key, value in metrics.items() if key != "epoch"})

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """They belong into `twostep.init(config=…)`, before the run is made."""
