// Noises with mean 0 and standard deviation 1: independent, with heavy tails, or alike from one to the next.

import { normals, type Random, random } from '../../tuner/testing/random.ts'

export type NoiseKind = 'normal' | 'student-t3' | 'ar-0.5'

export function noiseOf(kind: NoiseKind, seed: number): Random {
  const normal = normals(random(seed))
  if (kind === 'normal') return normal
  // Student's t of 3 degrees of freedom has variance 3.
  if (kind === 'student-t3')
    return () => normal() / Math.sqrt((normal() ** 2 + normal() ** 2 + normal() ** 2) / 3) / Math.sqrt(3)
  return correlated(0.5, normal)
}

/** A first-order autoregression with this lag-1 correlation. */
export function correlated(correlation: number, normal: Random): Random {
  let value = normal()
  return () => {
    value = correlation * value + Math.sqrt(1 - correlation * correlation) * normal()
    return value
  }
}
