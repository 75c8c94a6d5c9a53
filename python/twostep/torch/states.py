"""Checkpoints in memory: weights, buffers, optimizer state, random state, place in the data (PROTOCOL.md §6).

Memory: at most five states at a time, each of weights, buffers and optimizer state; on the host unless asked otherwise.
"""

from __future__ import annotations

import copy
import random
from typing import Any

import torch
from torch import Tensor, nn

STATES_MAX = 8


class States:
    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, host: bool, extras: list[Any]
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._host = host
        self._extras = extras
        self._states: dict[str, dict[str, Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._states

    @torch.no_grad()
    def keep(self, name: str) -> None:
        """Raises MemoryError where there are too many: none is given up to make room."""
        if name not in self._states and len(self._states) >= STATES_MAX:
            raise MemoryError(f"{STATES_MAX} states are kept already: {', '.join(self._states)}")
        self._states[name] = {
            "model": {key: self._copy(value) for key, value in self._model.state_dict().items()},
            "optimizer": [self._copy(dict(self._optimizer.state.get(p, {}))) for p in self._stepped()],
            "random": (random.getstate(), torch.get_rng_state(), _device_random()),
            "extras": [copy.deepcopy(extra.state_dict()) for extra in self._extras],
        }

    def weights(self, name: str) -> dict[str, Tensor]:
        """Raises KeyError."""
        weights: dict[str, Tensor] = self._states[name]["model"]
        return weights

    @torch.no_grad()
    def restore(self, name: str, rewind: bool) -> None:
        """Raises KeyError. Parameters and, where they are tensors, rates keep their identity: nothing recompiles."""
        state = self._states[name]
        self.load(state["model"])
        for parameter, saved in zip(self._stepped(), state["optimizer"], strict=True):
            own = self._optimizer.state[parameter]
            own.clear()
            own.update({key: _placed(value, parameter) for key, value in saved.items()})
        if not rewind:
            return
        python, host, devices = state["random"]
        random.setstate(python)
        torch.set_rng_state(host)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
        for extra, saved in zip(self._extras, state["extras"], strict=True):
            extra.load_state_dict(copy.deepcopy(saved))

    @torch.no_grad()
    def load(self, weights: dict[str, Tensor]) -> None:
        own = self._model.state_dict(keep_vars=True)
        for key, value in weights.items():
            own[key].detach().copy_(value)

    def drop(self, name: str) -> None:
        self._states.pop(name, None)

    def _stepped(self) -> list[Tensor]:
        return [p for group in self._optimizer.param_groups for p in group["params"]]

    def _copy(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.detach().to("cpu", copy=True) if self._host else value.detach().clone()
        if isinstance(value, dict):
            return {key: self._copy(entry) for key, entry in value.items()}
        return copy.deepcopy(value)


def _placed(value: Any, parameter: Tensor) -> Any:
    """A copy where the optimizer wants it: what has the parameter's shape lies beside it, a count of steps stays."""
    if not isinstance(value, Tensor):
        return copy.deepcopy(value)
    if value.shape == parameter.shape:
        return value.to(parameter.device, copy=True)
    return value.clone()


def _device_random() -> list[Tensor] | None:
    return (
        torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    )
