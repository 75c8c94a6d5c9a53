// The start of the large phase: the rate that the warm-up found, or a stated conservative one where it measured
// nothing, and the weights that it goes on from. Signals start afresh there, as those of the search belong to
// other weights; only the winner's own probes are kept.

import { valleySlope } from './estimators/valleySlope.ts'
import { evidenceOfRace } from './evidence.ts'
import { watchAfresh } from './guards/divergence.ts'
import { clampedRate, conservativeRate, offers } from './options.ts'
import { type Arm, type RaceState, roundSteps } from './rules/race.ts'
import { formatRate } from './sentences.ts'
import { freshSignals, type SignalsState } from './signals/signals.ts'
import {
  type ActionRequest,
  asked,
  decided,
  inPhase,
  replanned,
  type Turn,
  updated,
  withdrawn,
} from './turn.ts'

export const warmupRule = { id: 'range-and-race', version: 1 } as const
export const startCheckpoint = 'start'

/** Why there is no race. */
export const lacksForRace =
  'racing other rates needs the capabilities checkpoint, heldOutLoss and averagedWeights'

export const restore = (checkpoint: string, atStep: number): ActionRequest => ({
  kind: 'restore',
  atStep,
  checkpoint,
  rewindData: true,
  skipBatches: 0,
})

type LargeStart = {
  readonly rate: number
  readonly largeSteps: number
  readonly summary: string
  readonly kind: 'raise' | 'lower'
  readonly remark: string | null
  readonly race?: RaceState
  readonly winner?: Arm
}

export function startLarge(turn: Turn, start: LargeStart): Turn {
  const { signals, budgetSteps, divergence, step } = turn.state
  const large = updated(inPhase(turn, 'large'), {
    warmup: null,
    largeLearningRate: start.rate,
    largeSteps: start.largeSteps,
    signals: withRaceProbes(freshSignals(signals, budgetSteps), start),
    divergence: watchAfresh(divergence),
    validFromStep: step,
    remark: start.remark,
  })
  return decided(replanned(large), {
    kind: start.kind,
    summary: start.summary,
    phaseBefore: 'warmup',
    rule: warmupRule,
    evidence: start.race === undefined ? [] : evidenceOfRace(start.race),
  })
}

/**
 * The winner's own probes are the first ones of its valley. Its first round is left out: it averaged over a
 * warm-up of the rate.
 */
function withRaceProbes(signals: SignalsState, { race, winner, rate }: LargeStart): SignalsState {
  if (race === undefined || winner === undefined) return signals
  const lengths = winner.losses.map((_, round) => roundSteps(race.rounds, round, race.segmentSteps))
  let stepCount = 0
  let { valley } = signals
  for (const [round, averagedLoss] of winner.losses.entries()) {
    stepCount += lengths[round]!
    if (round > 0)
      valley = valleySlope.update(valley, {
        runLength: (stepCount * winner.learningRate) / rate,
        averagedLoss,
      })
  }
  return { ...signals, valley }
}

/** Nothing usable was measured: the conservative rate from the start weights, below what is known to diverge. */
export function withoutMeasurement(turn: Turn, reason: string, rateMax = Number.MAX_VALUE): Turn {
  const { options } = turn.state
  const rate = clampedRate(options, Math.min(conservativeRate(options), rateMax))
  const back: ActionRequest[] = offers(turn.state.options, 'checkpoint')
    ? [restore(startCheckpoint, turn.state.step)]
    : []
  const summary = `Large step ${formatRate(rate)}, a conservative rate and not a measured one: ${reason}.`
  return startLarge(asked(withdrawn(turn), back), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The large rate is not measured.',
  })
}
