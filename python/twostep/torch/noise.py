"""What is seen of an optimizer step: the rate applied, and gradient norms, of the batch and of its micro-batches where
gradients are accumulated (PROTOCOL.md §7).

Hooks read what training computes anyway. At a step that the cadence asks for, each backward pass adds the square of its
own part to a sum over the micro-batches, element by element: so one sum gives the plain and the preconditioned norm.
Memory at such a step: two copies of the gradients.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from .later import later

NORM_EACH = 10
ADAM = ("Adam", "AdamW", "NAdam", "RAdam")
CLIPPED_BELOW = 0.999
"""A gradient at the step that is shorter than what the backward passes have added up has been clipped."""


class Part:
    """Of one parameter: the gradient so far, the squares of its parts, and how many there were."""

    __slots__ = ("before", "count", "squares")

    def __init__(self, gradient: Tensor) -> None:
        self.before = gradient.clone()
        self.squares = gradient.square()
        self.count = 1

    def add(self, gradient: Tensor) -> None:
        self.squares.add_((gradient - self.before).square_())
        self.before.copy_(gradient)
        self.count += 1


class StepWatch:
    """`micro_batches`: backward passes per optimizer step; below 2 only the norm of the whole batch is read. `has_whole_gradients`: not
    where each process has but a part of them; no norm is read then, as adding up needs all processes at the same place."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        micro_batches: int,
        scaler: Any = None,
        *,
        has_whole_gradients: bool = True,
    ) -> None:
        self._optimizer = optimizer
        self._micro_batches = micro_batches
        self._scaler = scaler
        self._is_adam = type(optimizer).__name__ in ADAM
        self._is_measured = has_whole_gradients
        self._is_due = True
        self._is_parted = False
        self._has_stepped = False
        self._scale = 1.0
        self._parts: dict[Tensor, Part] = {}
        self._columns: dict[str, Any] = {}
        self._seconds = 0.0
        self._parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        self._hooks: list[Any] = []
        if micro_batches >= 2:
            for parameter in self._parameters:
                self._hooks.append(parameter.register_post_accumulate_grad_hook(self._accumulated))
        self._hooks.append(optimizer.register_step_pre_hook(self._before))
        self._hooks.append(optimizer.register_step_post_hook(self._after))

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._parts.clear()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Steps that are none of the run's: nothing is measured, and what was seen before stays."""
        names = ("_columns", "_has_stepped", "_is_due", "_is_parted", "_parts", "_scale", "_seconds")
        saved = {name: getattr(self, name) for name in names}
        self._columns, self._parts, self._is_due, self._is_parted = {}, {}, False, False
        try:
            yield
        finally:
            for name, value in saved.items():
                setattr(self, name, value)

    def take(self, next_step: int, micro_batch: int | None) -> dict[str, Any]:
        """The columns of the step just taken; says which of the next are wanted."""
        columns, self._columns = self._columns, {}
        if self._scaler is not None:
            # A scaler that has found infinities does not call the optimizer, or tells a fused one to do nothing.
            columns.setdefault("skipped", 0 if self._has_stepped else 1)
        if self._is_parted:
            if self._parts:
                columns["signalSeconds"] = self._seconds
            self._parts.clear()
            self._seconds = 0.0
        self._has_stepped = False
        self._is_parted = bool(self._micro_batches >= 2 and micro_batch and next_step % micro_batch == 0)
        self._is_due = self._is_parted or next_step % NORM_EACH == 0
        return columns

    def _accumulated(self, parameter: Tensor) -> None:
        if self._is_parted and parameter.grad is not None:
            self._add_part(parameter, parameter.grad.detach())

    @torch.no_grad()
    def _add_part(self, parameter: Tensor, gradient: Tensor) -> None:
        began = time.perf_counter()
        known = self._parts.get(parameter)
        if known is None:
            if self._scaler is not None and not self._parts:
                self._scale = float(self._scaler.get_scale())
            self._parts[parameter] = Part(gradient)
        else:
            known.add(gradient)
        self._seconds += time.perf_counter() - began

    def _before(self, *_: Any) -> None:
        self._has_stepped = True
        rate = self._optimizer.param_groups[0]["lr"]
        if isinstance(rate, float):
            self._columns["learningRate"] = rate
        found = getattr(self._optimizer, "found_inf", None)
        if found is not None:
            self._columns["skipped"] = later(found)
        if self._is_due and self._is_measured:
            self._measure()

    @torch.no_grad()
    def _measure(self) -> None:
        began = time.perf_counter()
        gradients = [p.grad.detach() for p in self._parameters if p.grad is not None]
        if gradients:
            # A fused optimizer is given scaled gradients, and the scale beside them.
            inverse = getattr(self._optimizer, "grad_scale", None)
            whole = _squared_norm(gradients)
            self._norms(whole if inverse is None else whole / inverse.square())
        self._seconds += time.perf_counter() - began

    def _norms(self, whole: Tensor) -> None:
        parts = list(self._parts.values())
        if not parts or any(part.count != self._micro_batches for part in parts):
            self._parts.clear()
            self._columns["gradientNormSquared"] = later(whole)
            return
        # The parts are of a mean over so many micro-batches; each one's own mean gradient is so many times as large.
        # What they add up to is the gradient before clipping, whatever has been done to it since.
        scale = self._scale**2
        before = _squared_norm([part.before for part in parts]) / scale
        squares = torch.stack([part.squares.sum(dtype=torch.float32) for part in parts]).sum()
        self._columns["gradientNormSquared"] = later(before)
        self._columns["microGradientNormSquared"] = later(squares * (self._micro_batches / scale))
        self._columns["clipped"] = _flag(whole < before * CLIPPED_BELOW**2)

    def _after(self, *_: Any) -> None:
        """Adam's M = √v̂ + ε holds this step's gradient only now."""
        if self._parts and self._is_adam:
            self._precondition()

    @torch.no_grad()
    def _precondition(self) -> None:
        began = time.perf_counter()
        whole, micro, steps = [], [], 0.0
        for group in self._optimizer.param_groups:
            for p in group["params"]:
                state = self._optimizer.state.get(p, {})
                if p not in self._parts or "exp_avg_sq" not in state:
                    continue
                steps = max(steps, float(state["step"]))
                correction = 1 - float(group["betas"][1]) ** float(state["step"])
                scale = (state["exp_avg_sq"] / correction).sqrt_().add_(group["eps"])
                part = self._parts[p]
                whole.append((part.before.square() / scale).sum(dtype=torch.float32))
                micro.append((part.squares / scale).sum(dtype=torch.float32))
        clipped = self._columns.get("clipped")
        if whole and steps > 1:
            # Of a clipped step v̂ is made of clipped gradients, so these norms are not known.
            inverse = 1 / self._scale**2
            for key, terms, factor in (("", whole, 1), ("Micro", micro, self._micro_batches)):
                value = later(torch.stack(terms).sum() * (factor * inverse))
                self._columns[f"preconditioned{key}GradientNormSquared"] = Unless(clipped, value)
        self._seconds += time.perf_counter() - began


class Unless:
    """A number that is known only where a flag is 0; the flag may come later, too."""

    __slots__ = ("_flag", "_value")

    def __init__(self, flag: Any, value: Any) -> None:
        self._flag = flag
        self._value = value

    def __call__(self) -> float | None:
        flag = self._flag() if callable(self._flag) else self._flag
        if flag:
            return None
        return float(self._value() if callable(self._value) else self._value)


def _squared_norm(tensors: list[Tensor]) -> Tensor:
    norms = torch._foreach_norm(tensors)
    return torch.stack([norm.float() for norm in norms]).square().sum()


def _flag(condition: Tensor) -> Any:
    return later(condition.float())
