"""Checkpoints in memory: weights, buffers, optimizer state, random state, place in the data (PROTOCOL.md §6).

Memory: at most five states at a time, each of weights, buffers and optimizer state; on the host unless asked otherwise.
Of what is split over processes each keeps its own part (shards.py).
"""

from __future__ import annotations

import copy
import random
from typing import Any

import torch
from torch import Tensor, nn

from ..hands import check_room
from .shards import Piece, forget_gathered, is_split, part


class States:
    """`scaler` goes back with every restore, `data` (an order of batches) only with one that rewinds."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        host: bool,
        data: Any = None,
        scaler: Any = None,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._host = host
        self._data = data
        self._scaler = scaler
        self._states: dict[str, dict[str, Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._states

    @torch.no_grad()
    def keep(self, name: str) -> None:
        """Raises MemoryError where there are too many: none is given up to make room."""
        check_room(self._states, name)
        forget_gathered(self._model)
        self._states[name] = {
            "model": self._weights(),
            "optimizer": [self._copy(dict(self._optimizer.state.get(p, {}))) for p in self._stepped()],
            "random": (random.getstate(), torch.get_rng_state(), _device_random()),
            "data": None if self._data is None else copy.deepcopy(self._data.state_dict()),
            "scaler": None if self._scaler is None else copy.deepcopy(self._scaler.state_dict()),
        }

    def _weights(self) -> dict[str, Any]:
        return {
            key: self._copy(part(value) if isinstance(value, Tensor) else value)
            for key, value in self._model.state_dict().items()
        }

    def weights(self, name: str) -> dict[str, Any]:
        """Of what is split this process's part. Raises KeyError."""
        weights: dict[str, Any] = self._states[name]["model"]
        return weights

    @torch.no_grad()
    def restore(self, name: str, rewind: bool) -> None:
        """Raises KeyError. All tensors that are there keep their identity: nothing recompiles."""
        state = self._states[name]
        self.load(state["model"])
        for parameter, saved in zip(self._stepped(), state["optimizer"], strict=True):
            _put_back(self._optimizer.state, parameter, saved)
        if self._scaler is not None:
            self._scaler.load_state_dict(copy.deepcopy(state["scaler"]))
        if not rewind:
            return
        python, host, devices = state["random"]
        random.setstate(python)
        torch.set_rng_state(host)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
        if self._data is not None:
            self._data.load_state_dict(copy.deepcopy(state["data"]))

    @torch.no_grad()
    def load(self, weights: dict[str, Any]) -> None:
        forget_gathered(self._model)
        own = self._model.state_dict(keep_vars=True)
        for key, value in weights.items():
            if isinstance(value, Tensor):
                part(own[key]).detach().copy_(value)

    def drop(self, name: str) -> None:
        self._states.pop(name, None)

    def close(self) -> None:
        self._states.clear()

    def _stepped(self) -> list[Tensor]:
        return [p for group in self._optimizer.param_groups for p in group["params"]]

    def _copy(self, value: Any) -> Any:
        if isinstance(value, Tensor) and is_split(value):
            return Piece(value, self._copy(part(value)))
        if isinstance(value, Tensor):
            return value.detach().to("cpu", copy=True) if self._host else value.detach().clone()
        if isinstance(value, dict):
            return {key: self._copy(entry) for key, entry in value.items()}
        return copy.deepcopy(value)


def _put_back(states: Any, parameter: Tensor, saved: dict[str, Any]) -> None:
    """An optimizer's state of one parameter, in place where the tensors are there already."""
    if not saved:
        states.pop(parameter, None)
        return
    own = states[parameter]
    for key in [key for key in own if key not in saved]:
        del own[key]
    for key, value in saved.items():
        present = own.get(key)
        room = part(present) if isinstance(present, Tensor) else None
        saved_part = value.own if isinstance(value, Piece) else value
        if isinstance(saved_part, Tensor) and room is not None and room.shape == saved_part.shape:
            room.copy_(saved_part)
        else:
            own[key] = _placed(value, parameter)


def _placed(value: Any, parameter: Tensor) -> Any:
    """A copy where the optimizer wants it: what has the parameter's shape lies beside it, a count of steps stays."""
    if isinstance(value, Piece):
        return value.joined(parameter.device)
    if not isinstance(value, Tensor):
        return copy.deepcopy(value)
    if value.ndim > 0 and value.shape == parameter.shape:
        return value.to(parameter.device, copy=True)
    return value.clone()


def _device_random() -> list[Tensor] | None:
    is_used = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.get_rng_state_all() if is_used else None
