// Numbers that jobs report: seeded noise, and curves that learn.

import { normals, type Random, random } from '../random.ts'

/** Standard normal deviates of a seed. */
export const noiseOf = (seed: number): Random => normals(random(seed))

/** A positive number that scatters round its mean as a sum of `parts` squares does (Wilson and Hilferty's cube). */
export function squares(mean: number, parts: number, normal: Random): number {
  const variance = 1 / (9 * parts)
  return mean * Math.max(1 - variance + Math.sqrt(variance) * normal(), 0) ** 3
}

/** Learning: from `from` towards `to`, exponentially. */
export const exponential = (from: number, to: number, steps: number) => (step: number) =>
  to + (from - to) * Math.exp(-step / steps)

/** Learning as most networks do: fast, then ever slower. */
export const powerLaw = (from: number, to: number, steps: number, power: number) => (step: number) =>
  to + (from - to) * (1 + step / steps) ** -power

/** A mean with normal scatter of a fixed width. */
export const noisy = (mean: (step: number) => number, deviation: number, normal: Random) => (step: number) =>
  mean(step) + deviation * normal()

/** A mean with scatter in proportion. */
export const scaled = (mean: (step: number) => number, deviation: number, normal: Random) => (step: number) =>
  mean(step) * Math.exp(deviation * normal())

/** What a progress bar shows of a loss: the running mean of the last so many, each weighing a little less. */
export function smoothed(loss: (step: number) => number, keep: number): (step: number) => number {
  let mean: number | null = null
  return (step) => {
    const value = loss(step)
    mean = mean === null ? value : keep * mean + (1 - keep) * value
    return mean
  }
}

/** What a progress bar shows of an epoch: the mean since it began. */
export function epochMean(loss: (step: number) => number, epochSteps: number): (step: number) => number {
  let sum = 0
  return (step) => {
    if (step % epochSteps === 0) sum = 0
    sum += loss(step)
    return sum / ((step % epochSteps) + 1)
  }
}
