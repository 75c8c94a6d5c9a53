"""A job of its own, as each backend of Keras needs one: `keras_job.py FOLDER STEPS`, with schedule.py in the folder.

Prints as JSON the rate of each step, as an optimizer has applied it, and all at once; and what a saved model goes on with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(folder: str, steps: int) -> dict[str, Any]:
    sys.path.insert(0, folder)
    import keras
    import numpy
    from schedule import Schedule

    @keras.saving.register_keras_serializable()
    def mean_of_output(_: Any, output: Any) -> Any:
        return keras.ops.mean(output)

    schedule = Schedule()
    optimizer = keras.optimizers.SGD(learning_rate=schedule)
    weight = keras.Variable([0.0])
    optimizer.build([weight])
    gradient = keras.ops.ones((1,))
    applied = []
    for _ in range(steps):
        weight.assign([0.0])
        optimizer.apply([gradient], [weight])
        applied.append(-float(keras.ops.convert_to_numpy(weight)[0]))
    at_once = keras.ops.convert_to_numpy(schedule(keras.ops.arange(steps, dtype="int32"))).tolist()

    # The gradient of this loss is 1, so a weight falls by the rates of all its steps.
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(learning_rate=Schedule(begin=0)), mean_of_output)
    ones = numpy.ones((80, 1), dtype="float32")
    model.fit(ones, ones, batch_size=8, verbose=0)
    model.save(Path(folder) / "model.keras")
    fallen = [float(keras.ops.convert_to_numpy(layer.kernel)[0, 0])]
    again = keras.saving.load_model(Path(folder) / "model.keras")
    again.fit(ones, ones, batch_size=8, verbose=0)
    fallen.append(float(keras.ops.convert_to_numpy(again.layers[-1].kernel)[0, 0]))
    config = keras.saving.serialize_keras_object(Schedule(begin=7))
    return {
        "applied": applied,
        "atOnce": at_once,
        "fallen": fallen,
        "begin": keras.saving.deserialize_keras_object(config).begin,
        "late": float(Schedule(begin=7)(keras.Variable(9, dtype="int32", trainable=False))),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
