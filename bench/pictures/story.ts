// What a steered run tells, as plain values for the pictures: its held-out losses, the rates that were applied, its
// phases, its switch, and both sides of the switch rule at every probe. Taken from the log and the decisions alone,
// which is what the server keeps of any run. What is not finite is left out.

import type { Decision, Observation, PhaseSpan, ValleyProbe } from '../../protocol/vocabulary.ts'

export type StepValue = { readonly step: number; readonly value: number }
export type Side = { readonly value: number; readonly standardError: number }
/** The rule at one probe. */
export type Verdict = { readonly step: number; readonly staying: Side; readonly annealing: Side }
export type Mark = { readonly step: number; readonly summary: string }

export type Story = {
  readonly title: string
  readonly stepCount: number
  readonly rawLoss: readonly StepValue[]
  readonly averagedLoss: readonly StepValue[]
  readonly rates: readonly StepValue[]
  readonly phases: readonly PhaseSpan[]
  readonly switched: Mark | null
  readonly verdicts: readonly Verdict[]
}

type Told = {
  readonly log: readonly Observation[]
  readonly decisions: readonly Decision[]
  readonly phases: readonly PhaseSpan[]
  readonly stepCount: number
}

export function storyOf(title: string, { log, decisions, phases, stepCount }: Told): Story {
  const probes = log.flatMap((entry) =>
    entry.kind === 'probe' && entry.probe.kind === 'valley' ? [entry.probe] : [],
  )
  const last = decisions.findLast(({ kind }) => kind === 'switch')
  return {
    title,
    stepCount,
    rawLoss: finite(probes.map(({ step, raw }) => ({ step, value: raw.loss }))),
    averagedLoss: finite(probes.flatMap(averagedOf)),
    rates: finite(log.flatMap(ratesOf)),
    phases,
    switched: last === undefined ? null : { step: last.step, summary: last.summary },
    verdicts: decisions.flatMap(verdictOf),
  }
}

const finite = (values: readonly StepValue[]): StepValue[] =>
  values.filter(({ value }) => Number.isFinite(value))

/** The best window, which is what the rule looks at. */
function averagedOf({ step, averaged }: ValleyProbe): StepValue[] {
  return averaged.length === 0 ? [] : [{ step, value: Math.min(...averaged.map(({ loss }) => loss)) }]
}

function ratesOf(entry: Observation): StepValue[] {
  if (entry.kind !== 'samples') return []
  const { step, learningRate = [] } = entry.columns
  return step.flatMap((at, index) => {
    const value = learningRate[index]
    return value == null ? [] : [{ step: at, value }]
  })
}

function verdictOf({ step, test }: Decision): Verdict[] {
  if (test?.key !== 'marginal-cost') return []
  const { left, right } = test
  const sideOf = ({ value, standardError }: typeof left): Side => ({
    value,
    standardError: standardError ?? 0,
  })
  return [{ step, staying: sideOf(left), annealing: sideOf(right) }]
}
