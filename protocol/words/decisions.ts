// Decisions with everything they rest on, and the signals that the tuner derives from the log.

import type { DecisionKind, DecisionStatus, Mode, Phase, RegimeName } from './lists.ts'
import type { Plan } from './plan.ts'

/** A measured number: value with its standard error (same unit) and the count behind it. */
export type Measured = {
  readonly value: number | null
  readonly standardError: number | null
  readonly count: number
}

export type RegimeReading = {
  readonly name: RegimeName
  /** In [0, 1], 1 = large-step; null while unknown. */
  readonly index: number | null
  /** 95 % interval of the index. */
  readonly low: number | null
  readonly high: number | null
  /** What is missing, while unknown. */
  readonly reason?: string
}

export type DecisionTest = {
  readonly left: { readonly name: string; readonly value: number; readonly standardError: number | null }
  readonly relation: '<=' | '>=' | '<' | '>'
  readonly right: { readonly name: string; readonly value: number; readonly standardError: number | null }
  readonly satisfied: boolean
  /** Such as "2 of 3". */
  readonly consecutive: string
  /** P(relation holds), from both standard errors; null where one is unknown. */
  readonly probability: number | null
}

export type Evidence = {
  readonly signal: string
  readonly value: number | null
  readonly standardError: number | null
  readonly unit: string
  readonly count: number
  readonly source: string
}

export type Alternative = {
  readonly name: string
  readonly finalLoss: number
  readonly standardError: number | null
}
export type Counterfactual = { readonly rule: string; readonly step: number | null }

/** An immutable record of what changed, from what evidence, or why not yet. */
export type Decision = {
  readonly number: number
  readonly runId: string
  readonly step: number
  readonly kind: DecisionKind
  /** One sentence that an engineer without the theory understands. */
  readonly summary: string
  readonly phase: { readonly from: Phase; readonly to: Phase }
  readonly regime: RegimeReading
  readonly plan: Plan
  readonly test?: DecisionTest
  readonly evidence: readonly Evidence[]
  readonly whyNotYet?: string
  readonly earliestStep?: number | null
  readonly alternatives: readonly Alternative[]
  readonly counterfactuals: readonly Counterfactual[]
  readonly rule: { readonly id: string; readonly version: number }
  readonly mode: Mode
  readonly status: DecisionStatus
  /** Of a record that ends the wait of an earlier decision for approval: that decision's number. */
  readonly answers?: number
  /** Number of the observation that caused it. */
  readonly cause: number
  /** When that observation was received (ISO 8601, UTC). */
  readonly madeAt: string
}

/** A signal's value as charted: at a step, with its uncertainty. Stored as a series beside the raw columns. */
export type SignalReading = {
  readonly signal: SignalName
  readonly step: number
  readonly value: number
  readonly standardError: number | null
}

/** Signals that the tuner derives. Raw columns keep their own names (`loss`, `learningRate`, …). */
export const signalNames = [
  'lossSmoothed',
  'probeLoss',
  'probeAccuracy',
  'averagedLoss',
  'averagedAccuracy',
  'averagedGap',
  'valleySlope',
  'annealingGain',
  'stayingGain',
  'noiseScale',
  'traceSigma',
  'curvature',
  'noiseCurvature',
  'criticalLearningRate',
  'rateRatio',
  'regimeIndex',
  'regimeIndexLow',
  'regimeIndexHigh',
  'signalShare',
  'probeShare',
] as const
export type SignalName = (typeof signalNames)[number]
