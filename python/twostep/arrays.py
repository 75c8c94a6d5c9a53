"""Hands for frameworks whose weights are read and set as NumPy arrays: means and states in host memory.

A subclass says how weights and state are read and set; here is what twostep/hands.py makes of them. Memory: five copies of
the weights for the means, and up to five states of weights and optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .blocks import WINDOWS, Blocks, spanned
from .branch import Anneal, Beside
from .hands import Capability, Unsupported, check_room
from .score import scored

Weights = list[np.ndarray[Any, Any]]


class ArrayHands:
    """`examples`: how many `evaluate` looks at, where its answer does not say it."""

    framework = "python"

    def __init__(self, *, can_evaluate: bool, can_average: bool = True, examples: int | None = None) -> None:
        self.initial_rate: float | None = None
        self.optimizer: dict[str, Any] = {}
        self._examples = examples
        self._blocks: Blocks[np.ndarray[Any, Any]] = Blocks(self._with_present)
        self._states: dict[str, Any] = {}
        able: list[Capability] = ["checkpoint"]
        if can_evaluate:
            able += ["heldOutLoss", "averagedWeights"] if can_average else ["heldOutLoss"]
        self.capabilities: tuple[Capability, ...] = tuple(able)

    # ---- what a subclass says

    def _weights(self) -> Weights:
        """Copies of the trained weights."""
        raise NotImplementedError

    def _load(self, weights: Weights) -> None:
        """Sets the trained weights."""
        raise NotImplementedError

    def _state(self) -> Any:
        """A copy of weights, buffers and optimizer state."""
        raise NotImplementedError

    def _resume(self, state: Any, *, with_optimizer: bool) -> None:
        """Sets what `_state` gave, of which it must not give away the copy."""
        raise NotImplementedError

    def _score(self) -> Any:
        """The answer of the job's `evaluate` for the present weights."""
        raise NotImplementedError

    def apply(self, rate: float, momentum: float | None) -> None:
        raise NotImplementedError

    def warm_up(self) -> None:
        """Scores once before the run begins: what is compiled then is no part of what the tuner takes probes to cost."""
        if "heldOutLoss" in self.capabilities:
            scored(self._score())

    # ---- what the run asks

    def number(self, value: Any) -> Any:
        return None if value is None else float(value)

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        return {}

    def average(self, block: int | None) -> None:
        if "averagedWeights" not in self.capabilities:
            return
        self._blocks.add(block)

    def _with_present(self, total: Weights) -> Weights:
        now = self._weights()
        return [a + b for a, b in zip(total, now, strict=True)] if total else now

    def _mean(self, count: int) -> tuple[int, Weights]:
        newest = self._blocks.newest(count)
        steps, samples = spanned(newest)
        totals = zip(*(block.total for block in newest), strict=True)
        return steps, [sum(t[1:], t[0]) / samples for t in totals]

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        if "heldOutLoss" not in self.capabilities:
            raise Unsupported("nothing was given to evaluate with")
        raw = scored(self._score())
        examples = raw.pop("examples", self._examples)
        probe: dict[str, Any] = {"raw": raw, "averaged": [], "examples": examples}
        present = self._state()
        try:
            for count in self._blocks.windows(windows):
                steps, mean = self._mean(count)
                self._load(mean)
                probe["averaged"].append({"windowSteps": steps, **scored(self._score())})
            if checkpoints is not None:
                probe["checkpoints"] = []
                for name in checkpoints:
                    self._resume(self._states[name], with_optimizer=False)
                    probe["checkpoints"].append({"checkpoint": name, **scored(self._score())})
        finally:
            self._resume(present, with_optimizer=False)
        for score in (*probe["averaged"], *probe.get("checkpoints", ())):
            score.pop("examples", None)
        return probe

    def line(self) -> dict[str, Any]:
        raise Unsupported("line probes are not made by this client")

    def keep(self, name: str, averaged: bool) -> None:
        check_room(self._states, name)
        present = self._weights()
        if averaged and self._blocks.windows("all"):
            self._load(self._mean(max(WINDOWS))[1])
        self._states[name] = self._state()
        self._load(present)

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        self._resume(self._states[name], with_optimizer=True)
        self._blocks.begin_anew()

    def drop(self, name: str) -> None:
        self._states.pop(name, None)

    def branch(self, anneal: Anneal, beat: Callable[[], None]) -> Anneal | Beside:
        raise Unsupported("copies are annealed by PyTorch jobs alone")

    def finish(self, keep: str, checkpoint: str | None) -> None:
        if keep == "checkpoint":
            self._resume(self._states[str(checkpoint)], with_optimizer=False)
        elif keep == "averaged" and self._blocks.windows("all"):
            self._load(self._mean(1)[1])

    def close(self) -> None:
        self._states.clear()
        self._blocks.begin_anew()
