// Seeded pseudo-random numbers for tests, benches and simulations: the same seed gives the same numbers on
// every machine. Generator: sfc32 (Doty-Humphrey's "small fast counting" generator from PractRand): 128 bits of
// state, period at least 2³², integer operations only. The seed fills one word of the state, constants the
// others, and 15 rounds are thrown away; oracles.py holds an independent copy. Not for secrets.

export type Random = () => number

/**
 * Uniform numbers in [0, 1) with 32 bits of resolution. `seed`: a whole number from 0 to 2³² − 1.
 * @throws RangeError for any other seed.
 */
export function random(seed: number): Random {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new RangeError(`seed must be a whole number from 0 to ${0xffffffff}, got ${seed}`)
  let a = 0
  let b = seed | 0
  let c = 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let round = 0; round < 15; round++) next()
  return next
}

/** Standard normal deviates from uniform ones, by Box and Muller's transform (both of each pair are used). */
export function normals(uniform: Random): Random {
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const kept = spare
      spare = undefined
      return kept
    }
    // 1 − u is in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}
