// What is done about divergence. A first trip: back to the newest checkpoint whose probe was normal, past the
// batches that followed it, with half the rate climbing back. A second trip soon after lowers the large rate
// for good; a third anneals from where it is; a fourth stops and says so. The number of attempts is bounded
// because a run that diverges for a reason we cannot mend must not burn its budget on retries.

import {
  guardLargeFactor,
  guardRateFactor,
  guardRepeatShare,
  guardRewarmSteps,
  guardSkipBatches,
} from '../constants.ts'
import { nominalBudget, offers } from '../options.ts'
import { switched, withLastProbe } from '../phases/anneal/switching.ts'
import { finished } from '../phases/done.ts'
import { judgementNow } from '../phases/large/judgement.ts'
import { asked, decided, replanned, type Turn, updated, withdrawn } from '../phases/settle.ts'
import { formatRate, formatStep } from '../record/sentences.ts'
import type { AnnealState, TunerState } from '../state.ts'
import { watchAfresh } from './divergence.ts'

const divergenceRule = { id: 'divergence-guard', version: 1 } as const

/** Trips within the repeat window before a step, this one included. */
function tripCount(trips: readonly number[], step: number, window: number): number {
  let count = 1
  let from = step
  for (const trip of [...trips].reverse()) {
    if (from - trip > window) break
    from = trip
    count++
  }
  return count
}

const repeatWindow = (state: TunerState): number =>
  Math.max(guardRepeatShare * nominalBudget(state.budgetSteps), 2 * rewarmSteps(state))
const rewarmSteps = (state: TunerState): number =>
  Math.min(guardRewarmSteps, Math.ceil(nominalBudget(state.budgetSteps) / 50))
const skipBatches = (state: TunerState): number =>
  Math.min(guardSkipBatches, Math.ceil(nominalBudget(state.budgetSteps) / 50))

/** Acts on a sign of divergence. */
export function recovered(turn: Turn, sign: string): Turn {
  const { state } = turn
  const count = tripCount(state.divergence.trips, state.step, repeatWindow(state))
  const tripped = updated(turn, {
    divergence: { ...state.divergence, trips: [...state.divergence.trips, state.step].slice(-16) },
  })
  const back = rolledBack(tripped)
  const where =
    back.checkpoint === undefined ? '' : ` Back to the weights of step ${formatStep(back.checkpoint.step)}.`
  if (count >= 4) return stopped(tripped, sign)
  // In the anneal there is nothing to switch to: its rate is halved once more.
  if (count === 3 && state.phase !== 'anneal')
    return switched(back.turn, 'guard', judgementNow(back.turn.state), {
      detail: `the loss diverged a third time (${sign})`,
    })
  return slowed(back.turn, { sign, where, isForGood: count === 2 })
}

/** Asks for the newest good checkpoint. */
function rolledBack(turn: Turn): {
  turn: Turn
  checkpoint: { name: string; step: number; largeSteps: number } | undefined
} {
  const { state } = turn
  const checkpoint = state.divergence.checkpoints.at(-1)
  if (checkpoint === undefined || !offers(state.options, 'checkpoint'))
    return {
      turn: updated(turn, { divergence: watchAfresh(state.divergence), validFromStep: state.step }),
      checkpoint: undefined,
    }
  const asks = asked(withdrawn(turn), [
    {
      kind: 'restore',
      atStep: state.step,
      checkpoint: checkpoint.name,
      rewindData: false,
      skipBatches: skipBatches(state),
    },
  ])
  // What was measured since is forgotten once the job has gone back: it may not be able to.
  const next = updated(asks, {
    divergence: watchAfresh(state.divergence),
    awaitedRestore: asks.state.actions.at(-1)?.id ?? null,
    awaitedLargeSteps: checkpoint.largeSteps,
    outlook: null,
  })
  return { turn: next, checkpoint }
}

function slowed(turn: Turn, options: { sign: string; where: string; isForGood: boolean }): Turn {
  const { state } = turn
  const { sign, where, isForGood } = options
  const { anneal, step } = state
  const before = anneal?.fromRate ?? state.largeLearningRate ?? state.learningRate ?? 0
  const rate = isForGood ? before * guardLargeFactor : before
  const toStep = step + rewarmSteps(state)
  const change = anneal === null ? { largeLearningRate: rate } : { anneal: slowedAnneal(anneal) }
  const next = updated(turn, {
    ...change,
    rewarm: { fromStep: step, toStep, fromRate: rate * guardRateFactor },
  })
  const course =
    anneal !== null
      ? `the anneal goes on from half its rate`
      : `the rate starts again at ${formatRate(rate * guardRateFactor)} and climbs to ${formatRate(rate)} by step ${formatStep(toStep)}`
  return decided(replanned(withLastProbe(next)), {
    kind: 'guard',
    summary: `Divergence at step ${formatStep(step)}: ${sign}.${where} ${course[0]!.toUpperCase()}${course.slice(1)}.`,
    phaseBefore: state.phase,
    rule: divergenceRule,
  })
}

function slowedAnneal(anneal: AnnealState): AnnealState {
  const { fromRate, rest } = anneal
  return {
    ...anneal,
    fromRate: fromRate * guardRateFactor,
    rest: rest === null ? null : { ...rest, fromRate: rest.fromRate * guardRateFactor },
  }
}

/** The job could not go back: what the guard has changed stands, and the record says which weights go on. */
export function notRestored(turn: Turn, detail: string): Turn {
  const { state } = turn
  const { anneal, rewarm, phase, plan } = state
  const rate = formatRate(anneal?.fromRate ?? plan.segments[0]?.from ?? 0)
  const course = rewarm === null ? `the anneal from ${rate}` : `the lowered rate of ${rate}`
  const said = detail === '' ? '' : ` (${detail})`
  return decided(turn, {
    kind: 'guard',
    summary: `The checkpoint could not be restored${said}: training goes on from the present weights, with ${course}.`,
    phaseBefore: phase,
    rule: divergenceRule,
  })
}

function stopped(turn: Turn, sign: string): Turn {
  const { state } = turn
  const checkpoint = state.divergence.checkpoints.at(-1)
  const kept =
    checkpoint === undefined
      ? 'no earlier weights are kept'
      : `the weights of step ${formatStep(checkpoint.step)} are kept`
  const summary = `Stopped at step ${formatStep(state.step)}: the loss diverged a fourth time (${sign}); ${kept}.`
  const end = finished(turn, {
    keep: checkpoint === undefined ? 'last' : { checkpoint: checkpoint.name },
    summary,
  })
  return updated(end, { lifecycle: 'diverged' })
}
