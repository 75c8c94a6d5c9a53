// The schedules that experiment E sets beside the tuner's one switch: plans over a given number of steps, scaled by
// one learning rate. Shares of the budget are the usual ones of each schedule.

import type { Plan, Segment, SegmentShape } from '../../protocol/vocabulary.ts'

const stepFactor = 0.1
const stepShares = [0.5, 0.75] as const
const warmupShare = 0.05
const warmupFrom = 0.01
const stableShare = 0.8
const cycleShare = 0.3
/** The one-cycle schedule starts at this share of its peak (Smith and Topin 2017; PyTorch's default). */
const cycleFrom = 1 / 25

/** Joins [share of the budget at its end, shape, from, to] into a plan. */
function planOf(
  budgetSteps: number,
  parts: readonly (readonly [end: number, shape: SegmentShape, from: number, to: number])[],
): Plan {
  const segments: Segment[] = []
  let fromStep = 0
  for (const [end, shape, from, to] of parts) {
    const toStep = Math.round(end * budgetSteps)
    segments.push({ fromStep, toStep, shape, from, to })
    fromStep = toStep
  }
  return { version: 1, segments }
}

export const schedules: Readonly<Record<string, (rate: number, budgetSteps: number) => Plan>> = {
  step: (rate, budgetSteps) =>
    planOf(
      budgetSteps,
      [...stepShares, 1].map((end, index) => {
        const level = rate * stepFactor ** index
        return [end, 'constant', level, level] as const
      }),
    ),
  cosine: (rate, budgetSteps) => planOf(budgetSteps, [[1, 'cosine', rate, 0]]),
  linear: (rate, budgetSteps) => planOf(budgetSteps, [[1, 'linear', rate, 0]]),
  'warmup-stable-decay': (rate, budgetSteps) =>
    planOf(budgetSteps, [
      [warmupShare, 'linear', warmupFrom * rate, rate],
      [stableShare, 'constant', rate, rate],
      [1, 'linear', rate, 0],
    ]),
  'one-cycle': (rate, budgetSteps) =>
    planOf(budgetSteps, [
      [cycleShare, 'cosine', cycleFrom * rate, rate],
      [1, 'cosine', rate, 0],
    ]),
}
