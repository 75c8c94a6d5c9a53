// Which family an optimizer belongs to, from its name: usual rates, the range of a range test and what momentum means
// differ by family. A job that knows better says so (`optimizer.family`).

import type { OptimizerFamily } from './lists.ts'

const muon = /muon/i
const adam = /adam|lamb|lion|adafactor|adagrad|rmsprop|sophia|shampoo|soap|prodigy/i
const sgd = /sgd|momentum|nesterov|lars|heavy/i

/**
 * The family of a name, in any case: "AdamW" is adam, "SGD with Nesterov" is sgd, "Muon+AdamW" is muon, since its
 * matrices follow Muon. A name that none of the lists knows is `other`.
 */
export function familyOf(name: string): OptimizerFamily {
  if (muon.test(name)) return 'muon'
  if (adam.test(name)) return 'adam'
  return sgd.test(name) ? 'sgd' : 'other'
}
