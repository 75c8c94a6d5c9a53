"""Normalisation statistics recomputed for whatever weights are scored (PROTOCOL.md §7, Normalisation statistics).

Averaged weights have none of their own, and the running ones of the present weights lag behind them. So the same
training batches, the last few that the model saw, are passed through it for each score; training's own are put back.
Layers that training keeps in evaluation mode (frozen ones) keep their statistics.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class Normalisation:
    """Keeps references to the inputs of the model's last training passes, if it has such layers at all."""

    def __init__(self, model: nn.Module, batches: int = 8) -> None:
        self._model = model
        self._layers = [
            layer
            for layer in model.modules()
            if isinstance(layer, _BatchNorm) and layer.running_mean is not None
        ]
        self._live: list[_BatchNorm] = []
        self._inputs: deque[tuple[tuple[Any, ...], dict[str, Any]]] = deque(maxlen=batches)
        self._is_ours = False
        self._hook = model.register_forward_pre_hook(self._seen, with_kwargs=True) if self._layers else None

    def close(self) -> None:
        if self._hook is not None:
            self._hook.remove()
        self._inputs.clear()

    @property
    def is_needed(self) -> bool:
        return len(self._layers) > 0

    @property
    def is_ready(self) -> bool:
        return not self._layers or len(self._inputs) > 0

    def _seen(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module.training and not self._is_ours and torch.is_grad_enabled():
            self._inputs.append((args, kwargs))
            self._live = [layer for layer in self._layers if layer.training]

    @torch.no_grad()
    def recompute(self) -> None:
        """Statistics of the present weights over the kept inputs, without dropout; the model is left in evaluation mode."""
        self._model.eval()
        if not self._live or not self._inputs:
            return
        momenta = [layer.momentum for layer in self._live]
        try:
            self._is_ours = True
            for layer in self._live:
                layer.reset_running_stats()
                layer.momentum = None
                layer.train()
            for args, kwargs in self._inputs:
                self._model(*args, **kwargs)
        finally:
            self._is_ours = False
            for layer, momentum in zip(self._live, momenta, strict=True):
                layer.momentum = momentum
            self._model.eval()

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Puts back training's own statistics."""
        saved = [
            {name: value.clone() for name, value in layer.named_buffers(recurse=False)}
            for layer in self._layers
        ]
        try:
            yield
        finally:
            with torch.no_grad():
                for layer, buffers in zip(self._layers, saved, strict=True):
                    for name, value in layer.named_buffers(recurse=False):
                        value.copy_(buffers[name])

    @contextmanager
    def same_inputs(self) -> Iterator[None]:
        """Passes of other weights are not among the training's last ones."""
        inputs, live = list(self._inputs), self._live
        try:
            yield
        finally:
            self._inputs.clear()
            self._inputs.extend(inputs)
            self._live = live

    @contextmanager
    def same_modes(self) -> Iterator[None]:
        """Puts back each module's own mode: a frozen layer stays frozen."""
        modes = [(module, module.training) for module in self._model.modules()]
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
