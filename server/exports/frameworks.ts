// What each format adds to the rates: the schedule in the form that its framework takes. A framework is imported where it
// is used, so that learning_rate() needs none.

import { rowText, tablesText } from './columns.ts'
import { pythonText } from './literals.ts'

export const pythonFormats = ['pytorch', 'keras', 'optax', 'transformers'] as const
export type PythonFormat = (typeof pythonFormats)[number]

export type Framework = {
  /** Three lines of the head: how the file is used. */
  readonly use: readonly string[]
  /** Modules of the standard library that its text needs besides those of the rates. */
  readonly modules?: readonly string[]
  readonly text: (runId: string) => string
}

const lambdaText = `def lr_scheduler(optimizer, last_epoch=-1):
    """A torch.optim.lr_scheduler.LambdaLR: its step() comes after each optimizer.step(), not after each epoch.

    The first parameter group gets the run's rates, whatever rate it was made with; the others keep their ratio to it.
    The rate that it was made with must be above 0 for that. Its state_dict() resumes it.
    """
    from torch.optim.lr_scheduler import LambdaLR

    group = optimizer.param_groups[0]
    reference = float(group.get("initial_lr", group["lr"]))
    if not reference > 0:
        raise ValueError(f"the first parameter group must have a rate above 0, got {reference}")
    return LambdaLR(optimizer, lambda count: learning_rate(FIRST_STEP + count) / reference, last_epoch)
`

const mixinText = `class WithSchedule:
    """For a Trainer that makes its optimizer itself: class MyTrainer(WithSchedule, Trainer): pass

    lr_scheduler_type and warmup_steps of the arguments have no effect then. Their learning_rate must be above 0 and
    has none either.
    """

    def create_scheduler(self, num_training_steps, optimizer=None):
        if self.lr_scheduler is None:
            self.lr_scheduler = lr_scheduler(self.optimizer if optimizer is None else optimizer)
        return self.lr_scheduler
`

const kerasText = (runId: string) => `${tablesText}

${rowText}

if importlib.util.find_spec("keras") is not None:
    import keras
    from keras import ops

    @keras.saving.register_keras_serializable(package="twostep", name=${pythonText(`Schedule ${runId}`)})
    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        """keras.optimizers.SGD(learning_rate=Schedule()), on any backend. In 32 bits: within a relative 1e-6.

        \`begin\` is the value of optimizer.iterations at the run's first step. A saved model keeps it alone: import
        this file before keras.saving.load_model().
        """

        def __init__(self, begin=0):
            self.begin = int(begin)
            whole, numbers, listed = _tables()
            self._whole = ops.convert_to_tensor(whole, dtype="int32")
            self._numbers = ops.convert_to_tensor(numbers, dtype="float32")
            self._listed = ops.convert_to_tensor(listed, dtype="float32")

        def __call__(self, step):
            count = ops.maximum(ops.cast(step, "int32") - self.begin, 0)
            begun = ops.cast(ops.expand_dims(count, -1) >= self._whole[:, 0], "int32")
            index = ops.maximum(ops.sum(begun, axis=-1) - 1, 0)
            row, numbers = ops.take(self._whole, index, axis=0), ops.take(self._numbers, index, axis=0)
            return _rate(ops, lambda x: ops.cast(x, "float32"), count, row, numbers, self._listed)

        def get_config(self):
            return {"begin": self.begin}
`

const optaxText = `${tablesText}

${rowText}

_TABLES = []


def schedule(count):
    """optax.sgd(learning_rate=schedule); jit-able. Rates in JAX's own precision: in 32 bits within a relative 1e-6."""
    import jax.numpy as jnp

    if not _TABLES:
        _TABLES.extend(_tables())
    whole, numbers, listed = _TABLES
    count = jnp.maximum(jnp.asarray(count), 0)
    index = jnp.maximum(jnp.searchsorted(jnp.asarray(whole[:, 0]), count, side="right") - 1, 0)
    row, own = jnp.asarray(whole)[index], jnp.asarray(numbers, dtype=float)[index]
    return _rate(jnp, lambda x: x.astype(float), count, row, own, jnp.asarray(listed, dtype=float))
`

export const frameworks: Readonly<Record<PythonFormat, Framework>> = {
  pytorch: {
    use: [
      'from schedule import lr_scheduler',
      'scheduler = lr_scheduler(optimizer)',
      'optimizer.step(); scheduler.step()  # each step',
    ],
    text: () => lambdaText,
  },
  transformers: {
    use: [
      'from schedule import lr_scheduler',
      'trainer = Trainer(..., optimizers=(optimizer, lr_scheduler(optimizer)))',
      '# or, if the Trainer makes its optimizer: class MyTrainer(WithSchedule, Trainer): pass',
    ],
    text: () => `${lambdaText}\n\n${mixinText}`,
  },
  keras: {
    use: [
      'from schedule import Schedule',
      'model.compile(keras.optimizers.SGD(learning_rate=Schedule(), momentum=0.9), ...)',
      'keras.saving.load_model(...)  # of a saved model, after this import',
    ],
    modules: ['importlib.util'],
    text: kerasText,
  },
  optax: {
    use: [
      'from schedule import schedule',
      'optimizer = optax.sgd(learning_rate=schedule)',
      '# schedule(k) is the rate of the k-th step from here, counted from 0',
    ],
    text: () => optaxText,
  },
}
