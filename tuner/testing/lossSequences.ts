// Loss sequences by name, for the rivals' reference tests: made of sums, products and quotients only, so that the
// copy in rivals/oracles/sequences.py gives the same doubles, bit for bit, and no loss has to be stored.

import { random } from './random.ts'

export type SequenceKind = 'falling' | 'level' | 'bend' | 'rising' | 'stairs' | 'constant' | 'broken'

export type SequenceOptions = {
  readonly kind: SequenceKind
  readonly seed: number
  readonly count: number
  /** Half-width of the triangular noise. */
  readonly noise: number
}

const courses: Readonly<Record<SequenceKind, (k: number, count: number) => number>> = {
  falling: (k) => 0.2 + 2 / (1 + k / 20),
  level: () => 1,
  bend: (k, count) => (2 * k < count ? 2 - (2 * k) / count : 1),
  rising: (k) => 1 + 0.01 * k,
  stairs: (k) => 1 / (1 + Math.floor(k / 25)),
  constant: () => 1,
  broken: (k) =>
    k % 7 === 3 ? Number.NaN : k % 11 === 5 ? Number.POSITIVE_INFINITY : 0.2 + 2 / (1 + k / 20),
}

export function lossSequence({ kind, seed, count, noise }: SequenceOptions): number[] {
  const draw = random(seed)
  return Array.from({ length: count }, (_, k) => courses[kind](k, count) + noise * (draw() + draw() - 1))
}
