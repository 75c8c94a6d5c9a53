"""Gradient norms: of the batch, and of its micro-batches where gradients are accumulated (PROTOCOL.md §7).

Hooks read what training computes anyway. At a step that the cadence asks for, each backward pass adds the square of its
own part to a sum over the micro-batches, element by element: so one sum gives the plain and the preconditioned norm.
Memory at such a step: two copies of the gradients.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .later import Later

NORM_EACH = 10
ADAM = ("Adam", "AdamW", "NAdam", "RAdam")


class GradientNorms:
    """`micro_batches`: backward passes per optimizer step; below 2 only the norm of the whole batch is read."""

    def __init__(self, optimizer: torch.optim.Optimizer, micro_batches: int, later: Later) -> None:
        self._optimizer = optimizer
        self._micro_batches = micro_batches
        self._later = later
        self._is_due = True
        self._parts: dict[Tensor, tuple[Tensor, Tensor]] = {}
        self._columns: dict[str, Any] = {}
        self._parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        if micro_batches >= 2:
            for parameter in self._parameters:
                parameter.register_post_accumulate_grad_hook(self._accumulated)
        self._is_parted = False
        optimizer.register_step_pre_hook(self._before)
        optimizer.register_step_post_hook(self._after)

    def take(self, next_step: int, micro_batch: int | None) -> dict[str, Any]:
        """The columns of the step just taken; says which of the next are wanted."""
        columns, self._columns = self._columns, {}
        self._parts.clear()
        self._is_parted = bool(self._micro_batches >= 2 and micro_batch and next_step % micro_batch == 0)
        self._is_due = self._is_parted or next_step % NORM_EACH == 0
        return columns

    @torch.no_grad()
    def _accumulated(self, parameter: Tensor) -> None:
        if not self._is_parted or parameter.grad is None:
            return
        gradient = parameter.grad.detach()
        known = self._parts.get(parameter)
        if known is None:
            self._parts[parameter] = (gradient.clone(), gradient.square())
        else:
            before, squares = known
            squares.add_((gradient - before).square())
            before.copy_(gradient)

    @torch.no_grad()
    def _before(self, *_: Any) -> None:
        if not self._is_due:
            return
        gradients = [p.grad.detach() for p in self._parameters if p.grad is not None]
        if not gradients:
            return
        norms = torch._foreach_norm(gradients)
        self._columns["gradientNormSquared"] = self._later(
            torch.stack([n.float() for n in norms]).square().sum()
        )
        if self._parts:
            # The parts are of a mean over so many micro-batches; each one's own mean gradient is so many times as large.
            parts = torch.stack([squares.sum() for _, squares in self._parts.values()]).sum()
            self._columns["microGradientNormSquared"] = self._later(parts * self._micro_batches)

    @torch.no_grad()
    def _after(self, *_: Any) -> None:
        """Adam's M = √v̂ + ε holds this step's gradient only now."""
        if not self._parts or type(self._optimizer).__name__ not in ADAM:
            return
        whole, parts = [], []
        for group in self._optimizer.param_groups:
            for p in group["params"]:
                state = self._optimizer.state.get(p, {})
                if p not in self._parts or p.grad is None or "exp_avg_sq" not in state:
                    continue
                correction = 1 - group["betas"][1] ** float(state["step"])
                scale = (state["exp_avg_sq"] / correction).sqrt_().add_(group["eps"])
                whole.append((p.grad.square() / scale).sum())
                parts.append((self._parts[p][1] / scale).sum())
        if whole and float(self._optimizer.state[self._parameters[0]].get("step", 0)) > 1:
            self._columns["preconditionedGradientNormSquared"] = self._later(torch.stack(whole).sum())
            micro = torch.stack(parts).sum() * self._micro_batches
            self._columns["preconditionedMicroGradientNormSquared"] = self._later(micro)
