// The optimizers by name, with the momentum that each has by itself.

import { createAdam } from './adam.ts'
import type { Optimizer, OptimizerName } from './optimizer.ts'
import { createSgd } from './sgd.ts'

/** The job's own momentum (β₁ for Adam), used where the plan names none. */
export const ownMomentum: Readonly<Record<OptimizerName, number>> = { sgd: 0, momentum: 0.9, adam: 0.9 }

export const createOptimizer = (name: OptimizerName): Optimizer =>
  name === 'adam' ? createAdam() : createSgd(name)
