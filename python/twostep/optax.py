"""JAX with optax: the rate lives in the optimizer's state, where `optax.inject_hyperparams` has put it.

hands = OptaxHands(params, opt_state, evaluate=held_out_loss, optimizer="adamw")
run.take(hands)
opt_state = hands.applied(opt_state)                    # the rate of the first step
while not run.finished:
    params, opt_state, loss = train_step(params, opt_state, batch)        # jitted; compiled once
    params, opt_state = hands.step(run, loss, params, opt_state)

The rate is replaced by an array of the same type and place, so nothing is compiled again. Means and states are copies in
host memory, so that a train step may donate its arguments. One process, also with several devices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax  # type: ignore[import-untyped]
from jax import numpy as jnp

from .arrays import ArrayHands, Weights
from .run import Run

RATE = "learning_rate"


class OptaxHands(ArrayHands):
    """What twostep/hands.py asks for, of a functional training loop. Raises KeyError where no state holds the rate.

    `evaluate(params)`: as for `run.watch`; averages are taken of `params` alone, so keep normalisation statistics out of
    it, and have `evaluate` compute them from its batch. `examples`: how many `evaluate` looks at. `optimizer`: its name.
    """

    framework = f"jax {jax.__version__}"

    def __init__(
        self,
        params: Any,
        opt_state: Any,
        evaluate: Callable[[Any], Any] | None = None,
        *,
        examples: int | None = None,
        optimizer: str | None = None,
        momentum: float | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(can_evaluate=evaluate is not None, examples=examples)
        rate = optax.tree_utils.tree_get(opt_state, RATE)
        if rate is None:
            raise KeyError(
                "no learning_rate in opt_state: make the optimizer by optax.inject_hyperparams(optax.sgd)(learning_rate=…)"
            )
        self._params = params
        self._opt_state = opt_state
        self._evaluate = evaluate
        self._batch_size = batch_size
        self._rate = float(rate)
        self.initial_rate = self._rate if self._rate > 0 else None
        known = {"name": optimizer, "momentum": momentum}
        self.optimizer = {key: value for key, value in known.items() if value is not None}
        self.warm_up()

    def applied(self, opt_state: Any) -> Any:
        """The same state with the rate of the next step."""
        old = optax.tree_utils.tree_get(opt_state, RATE)
        if isinstance(old, jax.Array):
            # Of the same type, weakness and place: a jitted step then sees nothing new.
            new = jax.device_put(jnp.full_like(old, self._rate), old.sharding)
        else:
            new = jnp.asarray(self._rate, jnp.float32)
        return optax.tree_utils.tree_set(opt_state, **{RATE: new})

    def step(self, run: Run, loss: Any, params: Any, opt_state: Any, **seen: Any) -> tuple[Any, Any]:
        """After each update: reports it (`seen` as in `run.step`), and answers what to go on with."""
        self._params, self._opt_state = params, opt_state
        run.step(loss, **{"batch_size": self._batch_size, **seen})
        return self._params, self.applied(self._opt_state)

    def finished(self) -> Any:
        """After `run.finish()`: the parameters that the evidence says to keep."""
        return self._params

    def apply(self, rate: float, momentum: float | None) -> None:
        self._rate = rate

    def number(self, value: Any) -> Any:
        if isinstance(value, jax.Array):
            return _Later(value)
        return None if value is None else float(value)

    def _weights(self) -> Weights:
        return [np.array(leaf, np.float32) for leaf in jax.tree.leaves(self._params)]

    def _load(self, weights: Weights) -> None:
        old = jax.tree.leaves(self._params)
        new = [
            jax.device_put(value.astype(leaf.dtype), leaf.sharding)
            for leaf, value in zip(old, weights, strict=True)
        ]
        self._params = jax.tree.unflatten(jax.tree.structure(self._params), new)

    def _state(self) -> Any:
        return jax.tree.map(_kept, (self._params, self._opt_state))

    def _resume(self, state: Any, *, with_optimizer: bool) -> None:
        params, opt_state = state
        self._params = jax.tree.map(_placed, params, self._params)
        if with_optimizer:
            self._opt_state = jax.tree.map(_placed, opt_state, self._opt_state)

    def _score(self) -> Any:
        return None if self._evaluate is None else self._evaluate(self._params)


class _Later:
    """Read by the reporter's thread, or once it is there, so that training need not wait for the device."""

    def __init__(self, value: jax.Array) -> None:
        self._value = value

    def is_ready(self) -> bool:
        return bool(self._value.is_ready())  # type: ignore[attr-defined]

    def __call__(self) -> float:
        return float(self._value)


def _kept(leaf: Any) -> Any:
    return np.array(leaf) if isinstance(leaf, jax.Array) else leaf


def _placed(kept: Any, old: Any) -> Any:
    """A new array where the old one lies; of the old one's weak type as well, or a jitted step would be compiled again."""
    if not isinstance(old, jax.Array):
        return kept
    if old.weak_type:
        return jax.device_put(jnp.full_like(old, kept) if kept.ndim == 0 else jnp.asarray(kept), old.sharding)
    return jax.device_put(kept, old.sharding)
