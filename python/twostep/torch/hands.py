"""Applies rates to an optimizer and measures on its model (hands.py says what)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..hands import Capability, Unsupported
from .averages import Averages
from .later import Later
from .noise import ADAM, GradientNorms
from .normalisation import Normalisation
from .states import States

log = logging.getLogger("twostep")

Evaluate = Callable[[nn.Module], Any]
WINDOWS = (1, 2, 4)


class TorchHands:
    framework = f"pytorch {torch.__version__}"

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluate: Evaluate | None = None,
        *,
        evaluate_all: Evaluate | None = None,
        examples: int | None = None,
        batch_size: int | None = None,
        micro_batches: int = 1,
        data: Any = None,
        scaler: Any = None,
        checkpoints: bool = True,
        host: bool = True,
        host_averages: bool = False,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._evaluate = evaluate
        self._evaluate_all = evaluate_all or evaluate
        self._examples = examples
        self._batch_size = batch_size
        self._micro_batches = micro_batches
        first = _value(optimizer.param_groups[0]["lr"])
        self._ratios = [_value(group["lr"]) / first if first > 0 else 1.0 for group in optimizer.param_groups]
        self._applied: float | None = None
        self.initial_rate = first if first > 0 else None
        self.optimizer = _described(optimizer)
        self.later = Later()
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._normalisation = Normalisation(model)
        self._averages = None if evaluate is None else Averages(self._parameters, host_averages)
        self._norms = GradientNorms(optimizer, micro_batches, self.later)
        self._states = States(
            model, optimizer, host, [extra for extra in (data, scaler) if extra is not None]
        )
        able: list[Capability] = []
        if evaluate is not None:
            able += ["heldOutLoss", "averagedWeights"]
        if checkpoints:
            able.append("checkpoint")
        if checkpoints and data is not None:
            able.append("rewind")
        if micro_batches >= 2 and batch_size is not None:
            able.append("microBatchNorms")
        self.capabilities: tuple[Capability, ...] = tuple(able)

    @property
    def memory_bytes(self) -> int:
        """The most that averages and five states may take, on device and host together."""
        held = sum(t.numel() * t.element_size() for t in self._model.state_dict().values())
        state = sum(
            value.numel() * value.element_size()
            for entry in self._optimizer.state.values()
            for value in entry.values()
            if isinstance(value, Tensor)
        )
        averages = 0 if self._averages is None else self._averages.memory_bytes
        return averages + (5 * (held + state) if "checkpoint" in self.capabilities else 0)

    def apply(self, rate: float, momentum: float | None) -> None:
        if rate == self._applied:
            return
        self._applied = rate
        for group, ratio in zip(self._optimizer.param_groups, self._ratios, strict=False):
            if isinstance(group["lr"], Tensor):
                # In place: a compiled step sees the same tensor, and is not compiled anew.
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio

    def number(self, value: Any) -> Any:
        return self.later(value) if isinstance(value, Tensor) else None if value is None else float(value)

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        columns = self._norms.take(step + 1, micro_batch)
        if self._batch_size is not None:
            columns["batchSize"] = self._batch_size
            if "microGradientNormSquared" in columns:
                columns["microBatchSize"] = self._batch_size // self._micro_batches
        return columns

    def average(self, block: int | None) -> None:
        if self._averages is not None:
            self._averages.add(block)

    # ---- scores

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        evaluate = self._evaluate if checkpoints is None else self._evaluate_all
        if evaluate is None or self._averages is None:
            raise Unsupported("nothing was given to evaluate with")
        if not self._normalisation.is_ready:
            raise Unsupported(
                "the model has seen no training batch yet, so its normalisation has no statistics"
            )
        counts = [count for count in WINDOWS if count <= self._averages.block_count]
        if windows == "longest":
            counts = counts[-1:]
        was_training = self._model.training
        present = [p.detach().clone() for p in self._parameters]
        try:
            with torch.random.fork_rng(), self._normalisation.untouched():
                probe: dict[str, Any] = {"raw": self._score(evaluate), "averaged": []}
                for count in counts:
                    window = self._averages.mean(count)
                    if window is not None:
                        self._load(window[1])
                        probe["averaged"].append({"windowSteps": window[0], **self._score(evaluate)})
                if checkpoints is not None:
                    probe["checkpoints"] = [self._scored(name, evaluate) for name in checkpoints]
        finally:
            self._load(present)
            self._model.train(was_training)
        examples = probe["raw"].pop("examples", None) or self._examples
        for score in (*probe["averaged"], *probe.get("checkpoints", ())):
            score.pop("examples", None)
        return probe if examples is None else {**probe, "examples": int(examples)}

    def _score(self, evaluate: Evaluate) -> dict[str, Any]:
        self._normalisation.recompute()
        with torch.no_grad():
            return _scored(evaluate(self._model))

    def _scored(self, name: str, evaluate: Evaluate) -> dict[str, Any]:
        weights = self._states.weights(name)
        own = {key: weights[key] for key, _ in self._model.named_parameters()}
        self._load([own[key] for key, p in self._model.named_parameters() if p.requires_grad])
        return {"checkpoint": name, **self._score(evaluate)}

    @torch.no_grad()
    def _load(self, weights: Sequence[Tensor]) -> None:
        for parameter, value in zip(self._parameters, weights, strict=True):
            parameter.copy_(value)

    def line(self) -> dict[str, Any]:
        raise Unsupported("line probes are not made by this client")

    # ---- states

    def keep(self, name: str, averaged: bool) -> None:
        mean = self._averages.mean(max(WINDOWS)) if averaged and self._averages is not None else None
        if mean is None:
            self._states.keep(name)
            return
        present = [p.detach().clone() for p in self._parameters]
        try:
            self._load(mean[1])
            self._states.keep(name)
        finally:
            self._load(present)

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        self._states.restore(name, rewind)
        if self._averages is not None:
            self._averages.begin_anew()

    def drop(self, name: str) -> None:
        self._states.drop(name)

    def finish(self, keep: str, checkpoint: str | None) -> None:
        if keep == "checkpoint":
            self._states.load(self._states.weights(str(checkpoint)))
        elif keep == "averaged" and self._averages is not None:
            newest = self._averages.mean(1)
            if newest is not None:
                self._load(newest[1])
        if keep != "last" and self._normalisation.is_needed:
            was_training = self._model.training
            self._normalisation.recompute()
            self._model.train(was_training)


def watch(
    run: Any,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    evaluate: Evaluate | None = None,
    **more: Any,
) -> None:
    """Lets a run apply its rates to an optimizer and measure on its model. Before the first step.

    `evaluate(model)`: mean loss over a fixed set of 512 to 2,000 held-out examples, the same loss as in training, without
    augmentation; called in evaluation mode without gradients. It answers a number, a list of 4 to 32 means over fixed equal
    parts, or `{"loss", "accuracy", "lossByPart", "examples"}`. `evaluate_all(model)`: the same over all held-out examples,
    asked for once at the end. `examples`: how many `evaluate` looks at. `batch_size`: examples in a step's batch.
    `micro_batches`: backward passes per optimizer step; from 2 on gradient noise is measured. `data`: the data order, with
    `state_dict` and `load_state_dict` that take effect at the next batch; without it rates are compared on different batches.
    `scaler`: a GradScaler. `checkpoints=False`: keep no states (no race for the rate, no way back). `host`: states lie in host
    memory (else on the device). `host_averages`: so do the means.
    """
    run.take(TorchHands(model, optimizer, evaluate, **more))


def _scored(answer: Any) -> dict[str, Any]:
    """Any answer of `evaluate` as a score. Raises TypeError."""
    if isinstance(answer, Mapping):
        score = {key: answer[key] for key in ("accuracy", "examples") if answer.get(key) is not None}
        parts = answer.get("lossByPart")
        if parts is not None:
            score["lossByPart"] = [_value(part) for part in parts]
        loss = answer.get("loss")
        if loss is None and parts is None:
            raise TypeError("evaluate must answer a loss, got a mapping without 'loss' and 'lossByPart'")
        score["loss"] = (
            _value(loss) if loss is not None else sum(score["lossByPart"]) / len(score["lossByPart"])
        )
        return {key: _value(value) if key == "accuracy" else value for key, value in score.items()}
    if isinstance(answer, (list, tuple)) or (
        isinstance(answer, Tensor) and answer.ndim == 1 and len(answer) > 1
    ):
        parts = [_value(part) for part in answer]
        return {"loss": sum(parts) / len(parts), **({"lossByPart": parts} if 4 <= len(parts) <= 32 else {})}
    return {"loss": _value(answer)}


def _value(number: Any) -> float:
    return float(number)


def _described(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    group = optimizer.param_groups[0]
    name = type(optimizer).__name__
    momentum = group.get("momentum", group.get("betas", (None,))[0])
    described = {"name": name, "momentum": None if momentum is None else _value(momentum)}
    decay = group.get("weight_decay")
    if decay is not None:
        described["weightDecay"] = _value(decay)
    if name in ADAM:
        described["family"] = "adam"
    return described
