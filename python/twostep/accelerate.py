"""accelerate: a loop of one's own with `accelerator.prepare`, steered, in one process or several.

A tracker (`accelerator.log`) sees only what it is told and cannot set a rate, so this is none, and goes beside one:

steering = Steering(run, accelerator, model, optimizer, evaluate=held_out_loss)     # after prepare; in every process
for batch in loader:
    with accelerator.accumulate(model):
        loss = ...
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        steering.step(loss)
    if run.finished:
        break
run.finish()

Leave the scheduler out, or prepare a `TwostepScheduler`. Only the main process speaks with the server. With
`Accelerator(log_with=TwostepTracker(run))` what `accelerator.log` is told goes to the run as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.tracking import GeneralTracker, on_main_process  # type: ignore[import-untyped]

from .run import Run


class Steering:
    """Lets a run apply its rates to what `accelerator.prepare` gave, and measure on it.

    `evaluate(model)`: as for `run.watch`; it gets the model without accelerate's wrappers. In several processes all call it, so
    let all look at the same examples. `batch_size`: examples a step, over all processes and accumulated parts. `watch`: more
    arguments of `run.watch`.
    """

    def __init__(
        self,
        run: Run,
        accelerator: Accelerator,
        model: torch.nn.Module,
        optimizer: Any,
        evaluate: Callable[[torch.nn.Module], Any] | None = None,
        **watch: Any,
    ) -> None:
        self.run = run
        self._accelerator = accelerator
        self._optimizer = optimizer
        self._loss: Any = None
        self._parts = 0
        watched = {
            "micro_batches": accelerator.gradient_accumulation_steps,
            "scaler": accelerator.scaler,
        }
        inner = getattr(optimizer, "optimizer", optimizer)
        run.watch(accelerator.unwrap_model(model), inner, evaluate, **{**watched, **watch})

    def step(self, loss: torch.Tensor, **seen: Any) -> None:
        """After each `optimizer.step()`; the run takes a step where accelerate let the optimizer take one.

        `loss`: of this part of the batch, as given to `accelerator.backward`. `seen`: as in `run.step`.
        """
        loss = loss.detach()
        self._loss = loss if self._loss is None else self._loss + loss
        self._parts += 1
        if not self._accelerator.sync_gradients:
            return
        mean = self._loss / self._parts
        if self._accelerator.num_processes > 1:
            mean = self._accelerator.reduce(mean, "mean")
        self._loss, self._parts = None, 0
        skipped = bool(getattr(self._optimizer, "step_was_skipped", False))
        self.run.step(mean, **{"skipped": skipped, **seen})


class TwostepTracker(GeneralTracker):  # type: ignore[misc]
    """What `accelerator.log` is told becomes metrics of the run, told with the step after; what is no number is left out."""

    name = "twostep"
    requires_logging_directory = False

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    @property
    def tracker(self) -> Run:
        return self._run

    @on_main_process  # type: ignore[untyped-decorator]
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """They belong into `twostep.init(config=…)`, before the run is made."""

    @on_main_process  # type: ignore[untyped-decorator]
    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: Any) -> None:
        self._run.log(values)

    @on_main_process  # type: ignore[untyped-decorator]
    def finish(self) -> None:
        """The run ends by `run.finish()`, which puts the kept weights into the model."""
