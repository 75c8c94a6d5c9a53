"""PyTorch: what `run.watch(model, optimizer, …)` measures and applies."""

from __future__ import annotations

from .hands import TorchHands, watch

__all__ = ["TorchHands", "watch"]
