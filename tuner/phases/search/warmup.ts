// The warm-up: how the large rate is found. A range test bounds it from above, a race below that bound (or
// around a rate that was given) chooses it; the winner keeps its weights. Where the job cannot go back, or where
// a measurement says nothing, a stated conservative rate is used and the record says so: never a guess that
// looks like a measurement. Here is which of them a run begins with, and which of them a sample goes to.

import {
  canRace,
  conservativeRate,
  isSteering,
  nominalBudget,
  offers,
  rateBounds,
  segmentSteps,
} from '../../options.ts'
import { formatRate } from '../../record/sentences.ts'
import type { Sample } from '../../signals/signals.ts'
import type { TunerState, WarmupState } from '../../state.ts'
import { asked, decided, type Turn, updated } from '../settle.ts'
import { startCheckpoint, warmupRule } from './largeStart.ts'
import { searchCutShort } from './raceEnding.ts'
import { raceAround } from './raceOpening.ts'
import { foldArm, runNextArm } from './raceSearch.ts'
import { foldRange, rangeWithin } from './rangeSearch.ts'

/** How this run's warm-up begins; null = there is no way to search, so it starts large. */
export function initialWarmup(state: TunerState): WarmupState | null {
  const { options, budgetSteps, mode } = state
  if (!isSteering(mode)) return null
  const rate = options.learningRate.initial
  if (rate === null) {
    const range = rangeWithin(state)
    return range === null ? null : { kind: 'range', range }
  }
  // In approve mode giving no rate asks for the search; a rate that is given is the person's, and stays.
  if (mode === 'approve' || !canRace(options)) return null
  const race = raceAround({
    learningRate: rate,
    fromStep: 0,
    segmentSteps: segmentSteps(budgetSteps),
    budgetSteps: nominalBudget(budgetSteps),
    lossFirst: null,
    ...rateBounds(options),
  })
  return race === undefined ? null : { kind: 'race', race }
}

/** What the job is asked before its first step. */
export function beginWarmup(turn: Turn): Turn {
  const { warmup, options } = turn.state
  const kept = warmup !== null && warmup.kind !== 'ramp' && offers(options, 'checkpoint')
  const saved = kept ? asked(turn, [{ kind: 'checkpoint', atStep: 0, checkpoint: startCheckpoint }]) : turn
  return warmup?.kind === 'race' ? runNextArm(saved, warmup.race, 0) : saved
}

/** Folds a sample of the warm-up; returns the same turn when nothing is to be decided yet. */
export function foldWarmupSample(turn: Turn, sample: Sample): Turn {
  const { warmup } = turn.state
  if (warmup?.kind === 'range') return foldRange(turn, sample)
  if (warmup?.kind === 'race') return foldArm(turn, warmup.race, sample)
  if (warmup?.kind === 'ramp' && turn.state.step >= warmup.untilStep) return updated(turn, { warmup: null })
  return turn
}

/** A restore that the job could not do ends the search: its present weights go on. */
export function restoreFailed(turn: Turn, detail: string): Turn {
  const { warmup, options } = turn.state
  if (warmup === null) return turn
  const running = warmup.kind === 'race' ? warmup.race.current : null
  const rate =
    warmup.kind === 'race' && running !== null
      ? warmup.race.arms[running.arm]!.learningRate
      : conservativeRate(options)
  const said = detail === '' ? '' : ` (${detail})`
  return searchCutShort(turn, {
    rate,
    why: `the search was cut short, because a checkpoint could not be restored${said}`,
  })
}

/** A person takes the rate over: what follows is no arm's result, so the search ends without one. */
export function searchOverridden(turn: Turn): Turn {
  const { warmup, options } = turn.state
  if (warmup === null || warmup.kind === 'ramp') return turn
  const rate = warmup.kind === 'race' ? warmup.race.reference : conservativeRate(options)
  return searchCutShort(turn, { rate, why: 'the search was cut short, because the rate was set by hand' })
}

/** The search is over, and the job could not go back to the weights that it chose. */
export function winnerNotRestored(turn: Turn, detail: string): Turn {
  const { phase, largeLearningRate, learningRate } = turn.state
  const said = detail === '' ? '' : ` (${detail})`
  const rate = formatRate(largeLearningRate ?? learningRate ?? 0)
  return decided(turn, {
    kind: 'hold',
    summary: `The weights that the search chose could not be restored${said}: the present ones go on at ${rate}.`,
    phaseBefore: phase,
    rule: warmupRule,
  })
}
