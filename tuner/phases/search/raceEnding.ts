// How a race ends: with the rate that its evidence asks for, which is the given one where there is doubt; or early, because
// the job trained on without an answer, or a person took the rate over. The sentence says what was tried, what was
// found, and what it cost.

import { rangeOnlyShare } from '../../constants.ts'
import { lossSmoother } from '../../estimators/lossSmoother.ts'
import { clampedRate } from '../../options.ts'
import { formatRate, formatStep } from '../../record/sentences.ts'
import type { Sample } from '../../signals/signals.ts'
import type { TunerState } from '../../state.ts'
import { type ActionRequest, asked, type Turn, withdrawn } from '../settle.ts'
import { restore, startCheckpoint, startLarge, withoutMeasurement } from './largeStart.ts'
import type { RaceState } from './race.ts'
import { goingOnFrom, type RaceResult, raceResult } from './raceResult.ts'

export function endRace(turn: Turn, race: RaceState): Turn {
  const result = raceResult(race)
  if (result.kind === 'no-arm-left') {
    const slowest = Math.min(...race.arms.map(({ learningRate }) => learningRate))
    return withoutMeasurement(turn, 'every rate of the race diverged', slowest * rangeOnlyShare)
  }
  const { step, options } = turn.state
  const rate = clampedRate(options, result.learningRate)
  const { stepCount, learningRate, checkpoint, id } = goingOnFrom(race, result.winner, rate)
  const isLastArm = id === race.arms.length - 1
  const back = checkpoint === null || isLastArm ? [] : [restore(checkpoint, step)]
  return startLarge(asked(turn, [...back, ...drops(race, step)]), {
    rate,
    largeSteps: (stepCount * learningRate) / rate,
    summary: raceSummary(race, result, { rate, step }),
    kind: rate > race.reference ? 'raise' : rate < race.reference ? 'lower' : 'hold',
    remark: null,
    race,
  })
}

/** Frees the job's memory of everything that the race kept. */
function drops({ arms }: RaceState, step: number): ActionRequest[] {
  const kept = [startCheckpoint, ...arms.flatMap(({ checkpoint }) => checkpoint ?? [])]
  return kept.map((checkpoint) => ({ kind: 'drop', atStep: step, checkpoint }))
}

type Won = Extract<RaceResult, { kind: 'won' }>

function raceSummary(race: RaceState, result: Won, { rate, step }: { rate: number; step: number }): string {
  const { reference, fromStep } = race
  const cost = `${formatStep(step - fromStep)} steps of search`
  if (rate === reference) {
    const others = race.arms.filter(({ id }) => id !== result.winner.id)
    return `Keeping ${formatRate(reference)}: ${listed(others.map(armText))}; ${cost}.`
  }
  const diverged = race.arms.filter((arm) => arm.diverged).length
  const tried = `of ${race.arms.length} rates from ${extremes(race).from} to ${extremes(race).to}`
  const lost = diverged === 0 ? '' : `, and ${diverged} diverged`
  return `Large step ${formatRate(rate)}: ${tried}, averaged weights did best near ${formatRate(result.optimum)}${lost}; ${cost}.`
}

const armText = ({ learningRate, diverged }: RaceState['arms'][number]): string =>
  `${formatRate(learningRate)} ${diverged ? 'diverged' : 'was not clearly better'}`

const listed = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

function extremes({ arms }: RaceState): { from: string; to: string } {
  const rates = arms.map(({ learningRate }) => learningRate)
  return { from: formatRate(Math.min(...rates)), to: formatRate(Math.max(...rates)) }
}

/** Whether the job's present weights are better than those of the start. */
export function areWeightsSound(
  { signals }: TunerState,
  { lossFirst }: RaceState,
  { loss }: Pick<Sample, 'loss'>,
): boolean {
  const smoothed = lossSmoother.read(signals.smoother).value
  return Number.isFinite(loss ?? 0) && smoothed !== null && lossFirst !== null && smoothed < lossFirst
}

/**
 * The job left the race (it was cut off from the server): its present weights go on at the rate that it has
 * held since, if they are better than those of the start; else it goes back to the start.
 */
export function abandonRace(turn: Turn, race: RaceState, sample: Sample): Turn {
  const { state } = turn
  const applied = state.learningRate ?? race.arms[race.current!.arm]!.learningRate
  return searchCutShort(turn, {
    rate: applied,
    why: 'the race was cut short, because the job trained on without an answer',
    isFromStart: !areWeightsSound(state, race, sample),
  })
}

/** Ends a search, of whatever kind, before it has an answer: the present weights, or those of the start, go on at a rate. */
export function searchCutShort(
  turn: Turn,
  options: { readonly rate: number; readonly why: string; readonly isFromStart?: boolean },
): Turn {
  const { state } = turn
  const rate = clampedRate(state.options, options.rate)
  const back = options.isFromStart ? [restore(startCheckpoint, state.step)] : []
  const race = state.warmup?.kind === 'race' ? state.warmup.race : undefined
  const dropped = race === undefined ? [] : drops(race, state.step)
  return startLarge(asked(withdrawn(turn), [...back, ...dropped]), {
    rate,
    largeSteps: 0,
    summary: `Large step ${formatRate(rate)}: ${options.why}.`,
    kind: rate === state.options.learningRate.initial ? 'hold' : 'lower',
    remark: 'The search was cut short.',
  })
}
