"""Keras follows the plan on the backend at hand; KERAS_BACKEND names it (here torch, if nothing else is said)."""

from __future__ import annotations

import os
import unittest
from typing import Any

from .needs import need, offline_run, own_rate, seen_losses

os.environ.setdefault("KERAS_BACKEND", "torch")
numpy = need("numpy")
keras = need("keras") if need(os.environ["KERAS_BACKEND"]) is not None else None

if keras is not None:
    from twostep.keras import KerasHands, TwostepCallback


@unittest.skipIf(keras is None, "Keras or its backend is missing: pip install 'twostep[keras]'")
class Keras(unittest.TestCase):
    def setUp(self) -> None:
        keras.utils.set_random_seed(1)
        self.x = numpy.random.default_rng(1).normal(size=(160, 3)).astype("float32")
        self.y = self.x.sum(1)

    def model(self, *layers: Any) -> Any:
        model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mean_squared_error")
        return model

    def test_each_batch_has_the_plans_rate_and_its_own_loss(self) -> None:
        run, model = offline_run(self), self.model()
        losses, rates, means = seen_losses(run), [], []

        class Spy(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                rates.append(float(self.model.optimizer.learning_rate))

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                means.append(logs["loss"])

        model.fit(self.x, self.y, batch_size=16, epochs=4, verbose=0, callbacks=[Spy(), TwostepCallback(run)])
        for step, rate in enumerate(rates):
            self.assertAlmostEqual(rate, own_rate(0.01, step, 40), places=6)
        self.assertEqual(run.step_count, 40)
        for first in range(0, 40, 10):
            for k in range(10):
                self.assertAlmostEqual(
                    sum(losses[first : first + k + 1]) / (k + 1), means[first + k], places=4
                )

    def test_held_out_loss_is_the_compiled_one_in_sixteen_parts(self) -> None:
        run, model = offline_run(self), self.model()
        callback = TwostepCallback(run, validation_data=(self.x, self.y))
        model.fit(self.x, self.y, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
        parts = callback._evaluate(model)
        self.assertEqual(len(parts), 16)
        self.assertAlmostEqual(
            sum(parts) / 16, model.evaluate(self.x, self.y, batch_size=160, verbose=0), places=4
        )

    def test_a_restore_brings_back_weights_and_momentum(self) -> None:
        model = self.model()
        model.fit(self.x, self.y, batch_size=16, epochs=1, verbose=0)
        hands = KerasHands(model, None, None)
        hands.keep("start", False)
        before = [_array(variable) for variable in model.optimizer.variables]
        weights = model.get_weights()
        model.fit(self.x, self.y, batch_size=16, epochs=1, verbose=0)
        hands.restore("start", False, 0)
        for old, new in zip(weights, model.get_weights(), strict=True):
            numpy.testing.assert_array_equal(old, new)
        for old, new in zip(before, map(_array, model.optimizer.variables), strict=True):
            numpy.testing.assert_array_equal(old, new)

    def test_models_with_batch_normalisation_offer_no_averages(self) -> None:
        with_it = KerasHands(self.model(keras.layers.BatchNormalization()), lambda _: 0.0, 8)
        without = KerasHands(self.model(), lambda _: 0.0, 8)
        self.assertEqual(with_it.capabilities, ("checkpoint", "heldOutLoss"))
        self.assertEqual(without.capabilities, ("checkpoint", "heldOutLoss", "averagedWeights"))

    def test_training_stops_when_the_run_is_told_to_finish(self) -> None:
        run, model = offline_run(self), self.model()
        step, losses = run.step, []

        def told(*args: Any, **more: Any) -> None:
            losses.append(args)
            step(*args, **more)
            run.finished = run.step_count == 7

        run.step = told
        model.fit(self.x, self.y, batch_size=16, epochs=4, verbose=0, callbacks=[TwostepCallback(run)])
        self.assertEqual(len(losses), 7)


def _array(variable: Any) -> Any:
    return numpy.array(keras.ops.convert_to_numpy(variable))


if __name__ == "__main__":
    unittest.main()
