// Folds a trunk through the whole tuner, as a job at that rate with a budget would report it: every step with its rate, the
// training losses and gradient norms that were logged, and each evaluation as a valley probe of raw and averaged weights. The
// job offers no checkpoint, so there is no race: what is judged is the time of the switch.

import type { Observation, RunOptions, SampleColumns, ValleyProbe } from '../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../tuner/index.ts'
import { switchStepOf } from '../../tuner/state.ts'
import { type FeatureRecord, featuresOf } from './features.ts'
import { curveAt } from './logs.ts'
import type { Trunk } from './trunk.ts'

export type Feed = {
  /** Null = no budget. */
  readonly length: number | null
  /** A hand holds the rate, so that the run goes on where the tuner would have switched. */
  readonly isHeld?: boolean
  /** Steps between two reports; 1 = each is told, with the loss where it was logged. */
  readonly everySteps?: number
  /** Of so many evaluations that were logged one is made. */
  readonly everyProbes?: number
}

/** Tokens of an evaluation are not logged; what stands here is shown, and decides nothing. */
const examples = 1

function optionsOf({ log }: Trunk, length: number | null): RunOptions {
  return {
    name: log.run,
    project: 'bench',
    tags: [],
    framework: 'log',
    optimizer: { name: 'adamw', family: 'adam', momentum: null, weightDecay: null },
    budgetSteps: length,
    warmupSteps: log.warmupSteps,
    firstStep: 0,
    mode: 'auto',
    capabilities: ['heldOutLoss', 'averagedWeights'],
    learningRate: { initial: log.learningRate, min: null, max: null },
    settings: {},
  }
}

/** Samples of [fromStep, toStep): the n-th logged loss is that of step n − 1, counted from 0. */
function samplesOf({ log }: Trunk, fromStep: number, toStep: number, everySteps: number): SampleColumns {
  const { loss, gradientNorm } = log
  const logged = new Map(loss.step.map((step, index) => [step - 1, loss.value[index]!]))
  const norms = new Map(gradientNorm?.step.map((step, index) => [step - 1, gradientNorm.value[index]!]))
  const all = Array.from({ length: toStep - fromStep }, (_, index) => fromStep + index)
  const step = everySteps === 1 ? all : all.filter((at) => (at + 1) % everySteps === 0)
  return {
    step,
    loss: step.map((at) => logged.get(at) ?? null),
    learningRate: step.map((at) => curveAt(log.rate, at + 1)),
    gradientNormSquared: step.map((at) => norms.get(at) ?? null).map((norm) => norm && norm * norm),
    batchSize: step.map(() => log.batchSize),
  }
}

function probeAt({ log, donor, gap }: Trunk, index: number): ValleyProbe {
  const [step, loss] = [log.heldOut.step[index]!, log.heldOut.value[index]!]
  const windowSteps = donor.averagedWindowSteps ?? 1
  const averaged = [{ windowSteps, loss: loss - curveAt(gap, step) }]
  return { kind: 'valley', step, set: 'held-out', examples, seconds: 0, raw: { loss }, averaged }
}

type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

/** Up to the switch, or to the end of the budget or of the log. `onProbe` sees the state after each probe. */
export function foldTrunk(
  trunk: Trunk,
  { length, isHeld = false, everySteps = 1, everyProbes = 1 }: Feed,
  onProbe: (state: TunerState) => void = () => undefined,
): TunerState {
  const { log } = trunk
  let state = initialState()
  let number = 0
  const fold = (body: Body): void => {
    number++
    state = tune(state, { ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation).state
  }
  fold({ kind: 'start', runId: 'log', options: optionsOf(trunk, length) })
  if (isHeld) fold({ kind: 'command', command: heldFor(log.learningRate, length) })
  let folded = 0
  for (const [index, step] of log.heldOut.step.entries()) {
    if (length !== null && step > length) break
    if (step > folded) fold({ kind: 'samples', columns: samplesOf(trunk, folded, step, everySteps) })
    folded = Math.max(folded, step)
    if (switchStepOf(state.course) !== null) return state
    // An evaluation before the first step is of no trained weights.
    if (step === 0 || index % everyProbes !== 0) continue
    fold({ kind: 'probe', probe: probeAt(trunk, index) })
    onProbe(state)
    if (switchStepOf(state.course) !== null) return state
  }
  return state
}

const heldFor = (learningRate: number, length: number | null) => ({
  kind: 'override' as const,
  learningRate,
  untilStep: length ?? Number.MAX_SAFE_INTEGER,
  by: 'bench',
  reason: 'held',
})

/** What the rule weighs, and the gates see, at each probe of a trunk that is held to the end of its budget. */
export function recordsOf(
  trunk: Trunk,
  length: number,
  feed: Pick<Feed, 'everySteps' | 'everyProbes'> = {},
): FeatureRecord[] {
  const records: FeatureRecord[] = []
  foldTrunk(trunk, { ...feed, length, isHeld: true }, (state) => records.push(featuresOf(state)))
  return records
}
