"""Normalisation statistics recomputed for whatever weights are scored (PROTOCOL.md §7, Normalisation statistics).

Averaged weights have none of their own, and the running ones of the present weights lag behind them. So the same
training batches, the last few that the model saw, are passed through it for each score; training's own are put back.
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
        self._inputs: deque[tuple[tuple[Any, ...], dict[str, Any]]] = deque(maxlen=batches)
        self._is_ours = False
        if self._layers:
            model.register_forward_pre_hook(self._seen, with_kwargs=True)

    @property
    def is_needed(self) -> bool:
        return len(self._layers) > 0

    @property
    def is_ready(self) -> bool:
        return not self._layers or len(self._inputs) > 0

    def _seen(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module.training and not self._is_ours and torch.is_grad_enabled():
            self._inputs.append((args, kwargs))

    @torch.no_grad()
    def recompute(self) -> None:
        """Statistics of the present weights over the kept inputs, without dropout; the model is left in evaluation mode."""
        if not self._layers or not self._inputs:
            self._model.eval()
            return
        momenta = [layer.momentum for layer in self._layers]
        self._model.eval()
        try:
            self._is_ours = True
            for layer in self._layers:
                layer.reset_running_stats()
                layer.momentum = None
                layer.train()
            for args, kwargs in self._inputs:
                self._model(*args, **kwargs)
        finally:
            self._is_ours = False
            for layer, momentum in zip(self._layers, momenta, strict=True):
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
