"""A Keras model whose learning rate Twostep steers. `--usual`: the same with a cosine schedule instead."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # so small a model is slower on many
import keras
import numpy as np

import twostep
from twostep.keras import TwostepCallback

EPOCHS, BATCH = 6, 64
random = np.random.default_rng(1)
keras.utils.set_random_seed(1)
teacher = random.normal(size=(20, 5))


# Data made here: classes of random points, a fifth of the labels wrong. Replace it by your own.
def points(count):
    x = random.normal(size=(count, 20)).astype("float32")
    y = (x @ teacher + np.sin(3 * x[:, :5])).argmax(1)
    return x, np.where(random.random(count) < 0.2, random.integers(0, 5, count), y)


train, held_out, test = points(65536), points(1024), points(8192)
usual = "--usual" in sys.argv
rate = keras.optimizers.schedules.CosineDecay(0.05, EPOCHS * len(train[0]) // BATCH) if usual else 0.05
model = keras.Sequential(
    [keras.layers.Dense(128, "relu"), keras.layers.Dense(64, "relu"), keras.layers.Dense(5)]
)
model.compile(
    keras.optimizers.SGD(rate, momentum=0.9),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.build((None, 20))
callbacks = []
if not usual:
    run = twostep.init(project="keras")  # the budget is epochs * steps per epoch
    callbacks = [TwostepCallback(run, validation_data=held_out, batch_size=BATCH)]
model.fit(*train, batch_size=BATCH, epochs=EPOCHS, callbacks=callbacks, verbose=0)
loss = model.evaluate(*test, batch_size=512, verbose=0)
print(f"test loss {loss:.4f}")
