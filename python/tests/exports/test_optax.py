"""The file for optax: a schedule that is compiled once and gives each update the run's rate."""

from __future__ import annotations

import unittest
from typing import Any

from tests.adapters.needs import need
from tests.exports.runs import ExportTest

jax, optax = need("jax"), need("optax")
if jax is None or optax is None:
    raise unittest.SkipTest("JAX or optax is missing: pip install 'jax>=0.4.35' 'optax>=0.2.4'")

from jax import numpy as jnp


class ForOptax(ExportTest):
    def assert_near(self, rates: list[float], expected: list[float]) -> None:
        """To what 32 bits hold."""
        self.assertEqual(len(rates), len(expected))
        for step, (rate, other) in enumerate(zip(rates, expected, strict=True)):
            self.assertLessEqual(abs(rate - other), 1e-6 * other, (step, rate, other))

    def test_each_update_of_a_compiled_step_has_the_runs_rate(self) -> None:
        for run_id in ("ended", "begun"):
            expected = self.whole(run_id)
            optimizer = optax.sgd(learning_rate=self.load(run_id, "optax").schedule)
            traces = []

            @jax.jit
            def step(state: Any, optimizer: Any = optimizer, traces: list[int] = traces) -> Any:
                traces.append(1)
                return optimizer.update(jnp.ones(()), state)

            state, rates = optimizer.init(jnp.zeros(())), []
            for _ in expected:
                update, state = step(state)
                rates.append(-float(update))
            with self.subTest(run=run_id):
                self.assert_near(rates, expected)
                self.assertEqual(len(traces), 1)

    def test_many_counts_at_once_give_the_same_and_ends_hold(self) -> None:
        expected = self.whole("begun")
        schedule = self.load("begun", "optax").schedule
        self.assert_near(schedule(jnp.arange(len(expected))).tolist(), expected)
        self.assert_near(jax.vmap(schedule)(jnp.arange(len(expected))).tolist(), expected)
        self.assert_near([float(schedule(k)) for k in (-3, 0)], [expected[0]] * 2)
        self.assertEqual([float(schedule(k)) for k in (1000, 2**31 - 1)], [0.0, 0.0])


if __name__ == "__main__":
    unittest.main()
