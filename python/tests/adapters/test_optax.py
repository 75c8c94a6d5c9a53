"""optax: the rate is an array in the optimizer's state; nothing is compiled again, whatever the plan does."""

from __future__ import annotations

import unittest
from typing import Any

from .needs import need, offline_run, own_rate

jax = need("jax")
optax = need("optax")
if jax is not None and optax is not None:
    from jax import numpy as jnp

    from twostep.optax import OptaxHands


@unittest.skipIf(jax is None or optax is None, "JAX or optax is missing: pip install 'twostep[optax]'")
class TheOptaxHands(unittest.TestCase):
    def setUp(self) -> None:
        make = optax.inject_hyperparams(optax.adam)
        self.optimizer = optax.chain(optax.clip_by_global_norm(1.0), make(learning_rate=0.1))
        self.params = {"w": jnp.ones((3,)), "b": jnp.zeros(())}
        self.opt_state = self.optimizer.init(self.params)
        self.traces = 0

        def train_step(params: Any, opt_state: Any, x: Any) -> tuple[Any, Any, Any]:
            self.traces += 1
            loss, gradient = jax.value_and_grad(lambda p: jnp.mean((x @ p["w"] + p["b"] - 1) ** 2))(params)
            update, opt_state = self.optimizer.update(gradient, opt_state, params)
            return optax.apply_updates(params, update), opt_state, loss

        self.train_step = jax.jit(train_step, donate_argnums=(0, 1))

    def rate(self) -> float:
        return float(optax.tree_utils.tree_get(self.opt_state, "learning_rate"))

    def take(self, hands: Any, run: Any) -> None:
        self.params, self.opt_state, loss = self.train_step(self.params, self.opt_state, jnp.ones((4, 3)))
        self.params, self.opt_state = hands.step(run, loss, self.params, self.opt_state)

    def test_follows_the_plan_and_is_compiled_once(self) -> None:
        """optax#4, #221, #679: change the rate in the midst of a run."""
        hands = OptaxHands(self.params, self.opt_state, lambda p: jnp.sum(p["w"]), examples=8)
        run = offline_run(self, budget_steps=40)
        run.take(hands)
        self.opt_state = hands.applied(self.opt_state)
        rates = []
        for _ in range(40):
            rates.append(self.rate())
            self.take(hands, run)
        self.assertAlmostEqual(rates[0], 0.1, places=6)
        self.assertAlmostEqual(rates[36], own_rate(0.1, 36, 40), places=6)
        self.assertEqual(self.traces, 1)

    def test_restores_weights_and_optimizer_without_compiling_again(self) -> None:
        hands = OptaxHands(self.params, self.opt_state, lambda p: jnp.sum(p["w"]), examples=8)
        run = offline_run(self, budget_steps=40)
        run.take(hands)
        self.opt_state = hands.applied(self.opt_state)
        self.take(hands, run)
        hands.keep("start", False)
        kept = jax.tree.map(float, jax.tree.map(jnp.sum, (self.params, self.opt_state)))
        for _ in range(5):
            self.take(hands, run)
        hands.restore("start", False, 0)
        again = jax.tree.map(float, jax.tree.map(jnp.sum, (hands._params, hands._opt_state)))
        self.assertEqual(kept, again)
        self.params, self.opt_state = hands._params, hands.applied(hands._opt_state)
        self.take(hands, run)
        self.assertEqual(self.traces, 1)

    def test_windows_are_means_over_whole_blocks_and_scoring_leaves_the_weights(self) -> None:
        hands = OptaxHands(self.params, self.opt_state, lambda p: p["w"][0], examples=8)
        for value in range(12):
            hands._params = {"w": jnp.full((3,), float(value)), "b": jnp.zeros(())}
            hands.average(4)
        probe = hands.valley("all", None)
        self.assertEqual([(a["windowSteps"], a["loss"]) for a in probe["averaged"]], [(4, 9.5), (8, 7.5)])
        self.assertEqual((probe["raw"]["loss"], probe["examples"]), (11.0, 8))
        self.assertEqual(float(hands._params["w"][0]), 11.0)

    def test_an_optimizer_without_an_injected_rate_is_told(self) -> None:
        with self.assertRaisesRegex(KeyError, "inject_hyperparams"):
            OptaxHands(self.params, optax.adam(0.1).init(self.params))


if __name__ == "__main__":
    unittest.main()
