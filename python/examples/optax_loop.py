"""A JAX loop whose learning rate Twostep steers. `--usual`: the same with warm-up and cosine decay instead."""

import sys

import jax
import optax
from jax import numpy as jnp

import twostep
from twostep.optax import OptaxHands

STEPS, BATCH, RATE = 6000, 64, 0.003
keys = iter(jax.random.split(jax.random.key(1), STEPS + 10))


# Data made here: a noisy function of sixteen numbers, each example seen once. Replace it by your own.
def examples(key, count):
    kx, ky = jax.random.split(key)
    x = jax.random.normal(kx, (count, 16))
    y = jnp.sin(x @ teacher).sum(1) / 2 + jnp.cos(x[:, 0] * x[:, 1])
    return x, y + 0.5 * jax.random.normal(ky, (count,))


def layer(key, rows, columns):
    return {"w": jax.random.normal(key, (rows, columns)) * rows**-0.5, "b": jnp.zeros(columns)}


def errors(params, batch):
    x = batch[0]
    for name in ("first", "second"):
        x = jax.nn.relu(x @ params[name]["w"] + params[name]["b"])
    return (x @ params["last"]["w"] + params["last"]["b"])[:, 0] - batch[1]


@jax.jit
def train_step(params, opt_state, key):
    batch = examples(key, BATCH)
    loss, gradient = jax.value_and_grad(lambda p: jnp.mean(errors(p, batch) ** 2))(params)
    update, opt_state = optimizer.update(gradient, opt_state, params)
    return optax.apply_updates(params, update), opt_state, loss


@jax.jit
def held_out_loss(params):
    """16 means over equal parts of a fixed set: the same loss as in training."""
    return jnp.mean(errors(params, held_out).reshape(16, -1) ** 2, 1)


teacher = jax.random.normal(next(keys), (16, 4)) / 2
params = {"first": layer(next(keys), 16, 128), "second": layer(next(keys), 128, 128)}
params["last"] = layer(next(keys), 128, 1)
held_out, test = examples(next(keys), 1024), examples(next(keys), 16384)
usual = "--usual" in sys.argv
if usual:
    optimizer = optax.adam(optax.warmup_cosine_decay_schedule(0.0, RATE, STEPS // 20, STEPS))
else:
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=RATE)
opt_state = optimizer.init(params)

if usual:
    for _ in range(STEPS):
        params, opt_state, loss = train_step(params, opt_state, next(keys))
else:
    run = twostep.init(project="optax", budget_steps=STEPS)
    hands = OptaxHands(
        params, opt_state, held_out_loss, examples=1024, optimizer="adam", momentum=0.9, batch_size=BATCH
    )
    run.take(hands)
    opt_state = hands.applied(opt_state)  # the rate of the first step
    while not run.finished and run.step_count < STEPS:
        params, opt_state, loss = train_step(params, opt_state, next(keys))
        params, opt_state = hands.step(run, loss, params, opt_state)
    run.finish()
    params = hands.finished()
print(f"test loss {jnp.mean(errors(params, test) ** 2):.4f}")
