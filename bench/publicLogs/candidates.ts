// Candidates for "may the rule speak before three quarters?": the switch rule freed of the hold, behind a gate that must be open
// at a probe for its verdict to count. From three quarters on the rule is as it is in force, but for b.

import { holdShare } from '../../tuner/plan/bounds.ts'
import { ruleChoice } from '../decisions/rule.ts'
import type { Choice } from '../decisions/truth.ts'
import type { FeatureRecord } from './features.ts'

export type Gate = {
  readonly name: string
  readonly what: string
  /** `early`: the record at a quarter of the steps; undefined = there is none. */
  isOpen(record: FeatureRecord, early: FeatureRecord | undefined): boolean
}

/** A freed rule speaks from this share of the steps on, where rises and memorising are heard as well. */
export const freedShare = 0.25
/** b = c · D: chosen among these on the settings that candidates are found on. */
export const factors = [0.3, 0.45, 0.6] as const
export const candidateFactor = 0.45

// Limits: written down before they were judged (bench/records/2026-11-28-public-logs/README.md).
const longSteps = 10_000
const gapShares = { min: 0.01, max: 0.04 }
const togetherRatio = 0.08
const togetherDrift = 0.03
const slowExponent = 0.6
const sureStaying = 0.1
const sureGap = 0.05

const isLong = ({ length }: FeatureRecord): boolean => length >= longSteps

const isSmallGap = ({ gapShare }: FeatureRecord): boolean =>
  gapShare !== null && gapShare >= gapShares.min && gapShare <= gapShares.max

function isTogether({ trainingRatio }: FeatureRecord, early: FeatureRecord | undefined): boolean {
  const before = early?.trainingRatio ?? null
  if (trainingRatio === null || before === null) return false
  return (
    Math.abs(Math.log(trainingRatio)) <= togetherRatio &&
    Math.abs(Math.log(trainingRatio / before)) <= togetherDrift
  )
}

const isSlow = ({ exponent }: FeatureRecord): boolean => exponent !== null && exponent <= slowExponent

const isSure = ({ stayingError, gapError }: FeatureRecord): boolean =>
  stayingError !== null && stayingError <= sureStaying && gapError !== null && gapError <= sureGap

export const gates: readonly Gate[] = [
  { name: 'none', what: 'the rule freed of the hold', isOpen: () => true },
  { name: 'long', what: 'a budget of 10,000 steps or more', isOpen: isLong },
  { name: 'small gap', what: 'D is 1 to 4 % of the loss', isOpen: isSmallGap },
  { name: 'together', what: 'training and held-out loss fall together', isOpen: isTogether },
  { name: 'slow valley', what: 'exponent .6 or less', isOpen: isSlow },
  { name: 'sure', what: 'error of staying 10 %, of D 5 % or less', isOpen: isSure },
  {
    name: 'all three',
    what: 'small gap, together and slow valley',
    isOpen: (record, early) => isSmallGap(record) && isTogether(record, early) && isSlow(record),
  },
]

/** The switch of the freed rule behind a gate. */
export function gatedChoice(
  records: readonly FeatureRecord[],
  gate: Gate,
  length: number,
  factor: number = candidateFactor,
): Choice {
  const early = records.find(({ share }) => share >= freedShare)
  const seen = records.map((record) =>
    record.share >= holdShare || gate.isOpen(record, early) ? record : { ...record, gap: null },
  )
  return ruleChoice(seen, { kind: 'gap', factor }, length, freedShare)
}

/** Whether a choice goes before the hold's end by the rule: ends early are the tuner's own, with or without a gate. */
export const isEarlySwitch = (choice: Choice, length: number): boolean =>
  choice !== 'never' && choice.finishStep >= length && choice.switchStep < earlyShare * length

/** Between this and the hold's end a switch is as good as one at it. */
const earlyShare = 0.7
