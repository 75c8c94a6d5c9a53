"""The plan in the shape of a `torch.optim.lr_scheduler`, for loops and trainers that expect one.

It is no schedule of its own and chains with none: each `step()` writes the plan's rate of the next step into the
optimizer's `param_groups`, whatever stood there, so it may be called as often as a trainer likes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..run import Run
from .rates import Rates


class TwostepScheduler(LRScheduler):
    """`TwostepScheduler(optimizer, run)` in place of the job's scheduler; a subclass so that trainers accept it.

    Either the job calls `run.step(loss)` and `scheduler.step()` after it, or `scheduler.step(loss=loss)` does both. A run that
    watches nothing yet begins here, with the training loss alone; call `run.watch(model, optimizer, …)` before for better
    decisions. `begin=False`: it is watched later.
    """

    def __init__(self, optimizer: Optimizer, run: Run, *, begin: bool = True) -> None:
        # The base class would wrap `optimizer.step` and take a step of its own.
        self.optimizer = optimizer
        self.run = run
        # As every scheduler does, so that it goes into the job's checkpoints: a resumed job finds only the last applied rate else.
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", float(group["lr"]))
        self._rates = Rates(optimizer)
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self._step_count = 1
        if begin and not run.has_begun:
            # An empty model: nothing is measured on it, nothing kept.
            run.watch(nn.Module(), optimizer, checkpoints=False)
        self._write()

    def step(self, epoch: Any = None, *, loss: Any = None, **seen: Any) -> None:
        """After each optimizer step. `loss` and the rest: as in `run.step`, which is called if there is a loss.

        `epoch` is accepted because schedulers had it once, and ignored: the run counts the steps."""
        if loss is not None:
            self.run.step(loss, **seen)
        self._write()

    def _write(self) -> None:
        self.last_epoch = self.run.step_count
        groups = self.optimizer.param_groups
        if self.run.has_begun:
            self._rates.write(self.run.learning_rate)
        self._last_lr = [float(group["lr"]) for group in groups]

    def get_last_lr(self) -> list[float | Tensor]:
        """The rates of the next step, one a parameter group."""
        return list(self._last_lr)

    def get_lr(self) -> list[float | Tensor]:
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Which run, and its step: a later process goes on with it. Under one key, so that no other scheduler trips over it."""
        return {"twostep": self.run.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Also after the optimizer's own state was loaded: the rate in that is an old one."""
        if "twostep" in state_dict:
            self.run.load_state_dict(state_dict["twostep"])
        self._write()
