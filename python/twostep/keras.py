"""Keras 3, any backend: `model.fit(…, callbacks=[TwostepCallback(run, validation_data=(x, y))])`.

Weights pass through NumPy, so means and states lie in host memory. Averages are not offered for models with batch
normalisation, whose statistics cannot be recomputed from outside for other weights; for these the tuner sees the
held-out loss of the present weights alone. The optimizer's rate must be a number, no schedule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras  # type: ignore[import-untyped]
import numpy as np

from .arrays import ArrayHands, Weights
from .run import Run
from .score import EXAMPLES, PARTS

log = logging.getLogger("twostep")

PASSES = 4


def _read(variable: Any) -> np.ndarray[Any, Any]:
    return np.array(keras.ops.convert_to_numpy(variable))


class KerasHands(ArrayHands):
    """What twostep/hands.py asks for, of a compiled model."""

    framework = f"keras {keras.__version__} {keras.backend.backend()}"

    def __init__(self, model: Any, evaluate: Callable[[Any], Any] | None, examples: int | None) -> None:
        normalises = any(isinstance(x, keras.layers.BatchNormalization) for x in model._flatten_layers())
        super().__init__(can_evaluate=evaluate is not None, can_average=not normalises, examples=examples)
        self._model = model
        self._evaluate = evaluate
        optimizer = model.optimizer
        rate = float(optimizer.learning_rate)
        self.initial_rate = rate if rate > 0 else None
        momentum = getattr(optimizer, "momentum", getattr(optimizer, "beta_1", None))
        self.optimizer = {
            "name": type(optimizer).__name__,
            "momentum": None if momentum is None else float(momentum),
            "weightDecay": float(optimizer.weight_decay or 0),
        }

    def apply(self, rate: float, momentum: float | None) -> None:
        self._model.optimizer.learning_rate = rate

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        return {"learningRate": float(self._model.optimizer.learning_rate)}

    def _weights(self) -> Weights:
        return [_read(variable).astype(np.float32) for variable in self._model.trainable_variables]

    def _load(self, weights: Weights) -> None:
        for variable, value in zip(self._model.trainable_variables, weights, strict=True):
            variable.assign(value)

    def _state(self) -> tuple[Weights, Weights]:
        model = self._model
        return [_read(v) for v in model.variables], [_read(v) for v in model.optimizer.variables]

    def _resume(self, state: tuple[Weights, Weights], *, with_optimizer: bool) -> None:
        for variable, value in zip(self._model.variables, state[0], strict=True):
            variable.assign(value)
        if with_optimizer:
            for variable, value in zip(self._model.optimizer.variables, state[1], strict=True):
                variable.assign(value)

    def _score(self) -> Any:
        return None if self._evaluate is None else self._evaluate(self._model)


def _by_compiled_loss(x: Any, y: Any, examples: int) -> Callable[[Any], list[float]]:
    """16 means over equal parts of the first examples. Four passes: small ones cost more than they compute."""
    inputs = np.split(np.asarray(x)[:examples], PASSES)
    targets = np.split(np.asarray(y)[:examples], PARTS)
    size, each = examples // PARTS, PARTS // PASSES

    def evaluate(model: Any) -> list[float]:
        losses = []
        for i, given in enumerate(inputs):
            answers = model(given, training=False)
            for j in range(each):
                part = answers[j * size : (j + 1) * size]
                losses.append(float(_read(model.compute_loss(None, targets[i * each + j], part))))
        return losses

    return evaluate


class TwostepCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each batch, applies the plan, stops the training when the run is told to finish.

    `validation_data`: inputs and targets, one array each, of which the first `examples` give the held-out loss, by the compiled loss.
    `evaluate(model)` instead: as for `run.watch`. `batch_size`: examples a step.
    """

    def __init__(
        self,
        run: Run,
        validation_data: tuple[Any, Any] | None = None,
        evaluate: Callable[[Any], Any] | None = None,
        *,
        examples: int = EXAMPLES,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.run = run
        self._evaluate = evaluate
        if evaluate is None and validation_data is not None:
            examples = min(examples, len(validation_data[1])) // PARTS * PARTS
            self._evaluate = _by_compiled_loss(*validation_data, examples)
        self._examples = examples
        self._batch_size = batch_size
        self._seen = (0.0, 0.0)

    def on_train_begin(self, logs: Any = None) -> None:
        if self.run.has_begun:
            return
        steps, epochs = self.params.get("steps"), self.params.get("epochs")
        if steps and epochs:
            self.run.expect(budget_steps=int(steps) * int(epochs))
        hands = KerasHands(self.model, self._evaluate, self._examples)
        hands.warm_up()
        self.run.take(hands)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.run.step(self._batch_loss(), batch_size=self._batch_size)
        if self.run.finished:
            self.model.stop_training = True
            self.model.stop_evaluating = True

    def _batch_loss(self) -> float | None:
        """Of this batch alone: Keras tells the mean of the epoch so far, whose sum and count are in its tracker."""
        tracker = next((metric for metric in self.model.metrics if metric.name == "loss"), None)
        if tracker is None:
            return None
        before, self._seen = self._seen, (float(tracker.total), float(tracker.count))
        if self._seen[1] <= before[1]:
            before = (0.0, 0.0)
        count = self._seen[1] - before[1]
        return (self._seen[0] - before[0]) / count if count > 0 else None

    def on_train_end(self, logs: Any = None) -> None:
        self.run.finish()
