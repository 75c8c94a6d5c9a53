// What some scenes of the gallery have decided differently: sample decisions, made from those of the sample run.

import type { Decision } from '../../protocol/vocabulary.ts'

/** The same question in every way in which it may end, besides the switch that was applied. */
export function everyAnswer(decisions: readonly Decision[]): Decision[] {
  const switched = decisions.find(({ kind }) => kind === 'switch')!
  const statuses = ['awaiting-approval', 'rejected', 'expired', 'superseded', 'advisory'] as const
  const others = statuses.map((status, i) => ({
    ...switched,
    status,
    number: 1000 + i,
    step: 1500 + 400 * i,
  }))
  return [...decisions.filter(({ step, kind }) => kind === 'start' || step >= switched.step), ...others].sort(
    (a, b) => a.step - b.step,
  )
}

/** The switch is asked for, and nothing has followed yet. */
export const asked = (decisions: readonly Decision[]): Decision[] =>
  decisions.slice(0, 1 + decisions.findIndex(({ kind }) => kind === 'switch')).map((decision) =>
    decision.kind === 'switch'
      ? {
          ...decision,
          status: 'awaiting-approval',
          summary:
            'Annealing from step 3,960 to 6,000 awaits approval until step 4,260: annealing gains as much.',
          reason: { key: 'marginal-cost', values: { expiresAtStep: 4260 } },
        }
      : decision,
  )

/** A guard at each of the last steps, until the run is stopped. */
export function guarded(decisions: readonly Decision[]): Decision[] {
  const guard = decisions.find(({ kind }) => kind === 'guard')!
  const trips = [2_700, 2_760, 2_820].map((step, i) => ({
    ...guard,
    step,
    number: decisions.length + 1 + i,
    summary: `Diverged at step ${step.toLocaleString('en-US')}: back to step ${(step - 40).toLocaleString('en-US')}, at half the rate.`,
  }))
  const end: Decision = {
    ...guard,
    kind: 'finish',
    step: 2_860,
    number: decisions.length + 4,
    summary: 'Stopped at step 2,860: the loss diverged a fourth time.',
    phase: { from: 'large', to: 'done' },
  }
  return [...decisions, ...trips, end]
}

/** Overrides, each of a few steps, side by side. */
export function manyByHand(decisions: readonly Decision[]): Decision[] {
  const hand = decisions.find(({ kind }) => kind === 'override')!
  const extra = Array.from({ length: 120 }, (_, i) => ({
    ...hand,
    step: 700 + 20 * i,
    number: 2000 + i,
    summary: `Set to 0.06 by hand until step ${(700 + 20 * i + 10).toLocaleString('en-US')}: trying.`,
  }))
  return [...decisions, ...extra].sort((a, b) => a.step - b.step)
}
