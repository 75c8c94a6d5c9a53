// The switch rule with its factors free, for fitting them on all tasks but one: what it weighs at each probe is taken
// from the tuner's own fold with the rate held by hand, so that the run goes on where the rule would have switched.
//
// b = c·G (gain), c·D (gap) or c·√(G·D) (both); the rule asks for the switch when staying gains at most 2b.

import { isBelowHealthy, type Memorising, memorisingFallMin } from '../../tuner/estimators/memorising.ts'
import { overfittingAnnealShare } from '../../tuner/phases/enter.ts'
import { judgementNow, memorisingNow } from '../../tuner/phases/judgement.ts'
import { knownProbesNeeded, switchFactorGain, switchFactorGap } from '../../tuner/phases/marginalCost.ts'
import {
  hitsNeeded,
  hitsWindow,
  isRising,
  riseDeviations,
  riseDeviationsAtSwitch,
} from '../../tuner/phases/rule.ts'
import {
  deadlineShare,
  holdShare,
  overfittingShare,
  sureLengthMin,
  sureShare,
} from '../../tuner/plan/bounds.ts'
import type { TunerState } from '../../tuner/state.ts'
import type { BenchTask } from '../tasks.ts'
import type { TraceRun } from '../traces/format.ts'
import { everything, replay } from './replay.ts'
import type { Choice } from './truth.ts'

/** What the rule sees at one probe; null = not measured. */
export type RuleRecord = {
  readonly step: number
  readonly staying: number | null
  readonly gain: number | null
  readonly gap: number | null
  /** Both sides are known well, and the rule holds by averaged weights alone. */
  readonly isKnown: boolean
  readonly isSure: boolean
  /** Held-out loss of averaged weights rises by so much that the rule switches by this alone. */
  readonly isRising: boolean
  /** The same sign with two deviations. */
  readonly isRisingSoon: boolean
  /** … and with those that do where the rule asks for the switch anyway. */
  readonly isRisingAtSwitch: boolean
  /** Fall of held-out over fall of training loss, in shares, with its error added, where it lies plainly below 1, as
   *  estimators/memorising.ts reads it. */
  readonly transfer: number | null
}

export type RuleKind = 'gain' | 'gap' | 'both'
export type RuleFactors = { readonly kind: RuleKind; readonly factor: number }

export const soonDeviations = 2

/** What the rule sees in a run's state. */
export function ruleRecordOf(state: TunerState): RuleRecord {
  const { cost, gain, reading } = judgementNow(state)
  return {
    step: state.seen.step,
    staying: cost?.staying.value ?? null,
    gain: gain.value,
    gap: reading.gap.value,
    isKnown: cost?.isKnown ?? false,
    isSure: cost?.isSure ?? false,
    isRising: isRising(state, riseDeviations),
    isRisingSoon: isRising(state, soonDeviations),
    isRisingAtSwitch: isRising(state, riseDeviationsAtSwitch),
    transfer: transferUpper(memorisingNow(state)),
  }
}

export function ruleRecords(task: BenchTask, run: TraceRun): RuleRecord[] {
  const records: RuleRecord[] = []
  replay(task, run, { ...everything, mode: 'held' }, (state) => {
    records.push(ruleRecordOf(state))
  })
  return records
}

const transferUpper = (sign: Memorising | undefined): number | null =>
  sign === undefined || sign.trainingFall < memorisingFallMin || !isBelowHealthy(sign)
    ? null
    : sign.ratio + sign.standardError

/** b; null where its parts are not measured or not positive. */
export function scaleOf({ gain, gap }: RuleRecord, { kind, factor }: RuleFactors): number | null {
  const parts = kind === 'both' ? [gain, gap] : [kind === 'gain' ? gain : gap]
  const known = parts.filter((part): part is number => part !== null && part > 0)
  if (known.length === 0) return null
  return factor * known.reduce((product, part) => product * part, 1) ** (1 / known.length)
}

export function ruleChoice(
  records: readonly RuleRecord[],
  factors: RuleFactors,
  budgetSteps: number,
  earliestShare: number = holdShare,
): Choice {
  const satisfied: boolean[] = []
  // Only with the factors that it was measured for.
  const sure: boolean[] = []
  let known = 0
  const early = (step: number): Choice => ({
    switchStep: step,
    finishStep: Math.min(budgetSteps, step + Math.max(2, Math.ceil(overfittingAnnealShare * step))),
  })
  for (const record of records) {
    const { step, staying } = record
    const scale = scaleOf(record, factors)
    const isMet = staying !== null && scale !== null && staying <= 2 * scale
    if (staying !== null && scale !== null) satisfied.push(isMet)
    if (step >= Math.floor(deadlineShare * budgetSteps)) return { switchStep: step, finishStep: budgetSteps }
    if (record.isRising && step >= Math.round(Math.min(overfittingShare, earliestShare) * budgetSteps))
      return early(step)
    known = record.isKnown ? known + 1 : 0
    sure.push(record.isSure && factors === factorsInForce)
    const isHeld = sure.at(-1)! && sure.slice(-hitsWindow).filter(Boolean).length >= hitsNeeded
    const isLong = budgetSteps >= sureLengthMin
    if (isLong && step >= Math.round(sureShare * budgetSteps) && isHeld && known >= knownProbesNeeded)
      return { switchStep: step, finishStep: budgetSteps }
    if (step < Math.round(earliestShare * budgetSteps)) continue
    const hits = satisfied.slice(-hitsWindow).filter(Boolean).length
    if (!isMet || hits < hitsNeeded) continue
    return staying < 0 && record.isRisingAtSwitch
      ? early(step)
      : { switchStep: step, finishStep: budgetSteps }
  }
  return 'never'
}

const scales = [0.05, 0.1, 0.15, 0.2, 0.3, 0.42, 0.6, 0.85, 1.2, 1.7] as const

export const factorsInForce: RuleFactors = {
  kind: 'both',
  factor: Math.sqrt(switchFactorGain * switchFactorGap),
}
/** What a fit may choose from; those in force come first, and so win ties. */
export const candidates: readonly RuleFactors[] = [
  factorsInForce,
  ...(['both', 'gain', 'gap'] as const).flatMap((kind) => scales.map((factor) => ({ kind, factor }))),
]
