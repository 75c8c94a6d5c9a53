// Seeded chance for the trainer: everything random in a run (initial weights, data order, label noise) follows
// from its seed. `mulberry32` is a 32-bit counter with a mixing function: fast, one word of state, and good
// enough for shuffles and initial weights (not for cryptography). Streams for different purposes are made by
// hashing the seed with the purpose, so that one more draw in one place moves nothing in another.

/** A generator of numbers in [0, 1), from a 32-bit state. */
export type Random = { next(): number; integer(limit: number): number; normal(): number }

/** A 32-bit hash of whole numbers (murmur3's finalizer over each), to derive independent streams from one seed. */
export function hashSeed(...parts: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const part of parts) {
    hash = Math.imul(hash ^ (part >>> 0), 0x85ebca6b)
    hash ^= hash >>> 13
    hash = Math.imul(hash ^ Math.floor(part / 2 ** 32), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}

/** A generator from a seed (any whole number; only its low 32 bits count). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    integer: (limit) => Math.floor(next() * limit),
    // Box and Muller 1958; 1 − next() is in (0, 1], so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

/** The numbers 0 … count−1 in a seeded random order (Fisher–Yates). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
