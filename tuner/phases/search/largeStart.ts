// The start of the large phase: the rate that the warm-up found, or a stated conservative one where it measured
// nothing, and the weights that it goes on from. Signals start afresh there, as those of the search belong to
// other weights and to a rate that was still warming up.

import { watchAfresh } from '../../guard/divergence.ts'
import { clampedRate, conservativeRate, offers } from '../../options.ts'
import { evidenceOfRace } from '../../record/evidence.ts'
import { formatRate } from '../../record/sentences.ts'
import { freshSignals } from '../../signals/signals.ts'
import {
  type ActionRequest,
  asked,
  decided,
  inPhase,
  replanned,
  type Turn,
  updated,
  withdrawn,
} from '../settle.ts'
import type { RaceState } from './race.ts'

export const warmupRule = { id: 'range-and-race', version: 2 } as const
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
  readonly kind: 'raise' | 'lower' | 'hold'
  readonly remark: string | null
  readonly race?: RaceState
}

export function startLarge(turn: Turn, start: LargeStart): Turn {
  const { signals, budgetSteps, divergence, step } = turn.state
  const large = updated(inPhase(turn, 'large'), {
    warmup: null,
    largeLearningRate: start.rate,
    largeSteps: start.largeSteps,
    signals: freshSignals(signals, budgetSteps),
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
