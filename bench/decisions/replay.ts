// Folds a trace through the tuner as if the run were live: samples in batches, probes at the plan's own cadence (the
// trace has them twice as often), the rate given. The job offers no checkpoint, so there is no race and no rollback:
// what is judged is the time of the switch.

import { familyOf } from '../../protocol/optimizers.ts'
import type { Capability, Observation, Probe, RunOptions, SampleColumns } from '../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../tuner/index.ts'
import { cadenceOf } from '../../tuner/plan/cadence.ts'
import { switchStepOf } from '../../tuner/state.ts'
import type { BenchTask } from '../tasks.ts'
import { sparseColumns, type TraceRun } from '../traces/format.ts'
import { rateAt, tracedDistance, tracedLineStride } from '../traces/largeRun.ts'

/** What the tuner gets to see of a trace. */
export type Feed = {
  /** `off`: signals are folded and nothing is decided; `held`: likewise, by a hand on the rate of a run that is steered. */
  readonly mode: 'auto' | 'off' | 'held'
  readonly gradientNoise: boolean
  readonly heldOut: boolean
}
export const everything: Feed = { mode: 'auto', gradientNoise: true, heldOut: true }

type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

function runOptionsOf(task: BenchTask, run: TraceRun, feed: Feed): RunOptions {
  const capabilities: Capability[] = ['lineProbe']
  if (feed.gradientNoise) capabilities.push('microBatchNorms')
  if (feed.heldOut) capabilities.push('heldOutLoss', 'averagedWeights')
  if (task.optimizer !== 'sgd') capabilities.push('momentum')
  return {
    name: task.name,
    project: 'bench',
    tags: [],
    framework: 'trace',
    optimizer: {
      name: task.optimizer,
      family: familyOf(task.optimizer),
      momentum: run.momentum,
      weightDecay: null,
    },
    budgetSteps: run.budgetSteps,
    warmupSteps: run.rampSteps,
    firstStep: 0,
    mode: feed.mode === 'off' ? 'off' : 'auto',
    capabilities,
    learningRate: { initial: run.rate, min: null, max: null },
    settings: {},
  }
}

/** The run's samples of [fromStep, toStep) as columns. */
export function samplesOf(run: TraceRun, fromStep: number, toStep: number, feed: Feed): SampleColumns {
  const steps = Array.from({ length: toStep - fromStep }, (_, index) => fromStep + index)
  const columns: Record<string, (number | null)[]> = {
    loss: run.loss.slice(fromStep, toStep),
    learningRate: steps.map((step) => rateAt(run, step)),
    momentum: steps.map(() => run.momentum),
    batchSize: steps.map(() => run.batchSize),
    stepSeconds: steps.map(() => run.stepSeconds),
    signalSeconds: steps.map(() => run.signalSeconds),
  }
  for (const name of sparseColumns) {
    const sparse = run.columns[name]
    if (sparse === undefined || (!feed.gradientNoise && /microGradient/i.test(name))) continue
    const column: (number | null)[] = steps.map(() => null)
    sparse.step.forEach((step, index) => {
      if (step >= fromStep && step < toStep) column[step - fromStep] = sparse.value[index]!
    })
    columns[name] = column
  }
  const micro = columns.microGradientNormSquared
  if (micro !== undefined)
    columns.microBatchSize = micro.map((value) => (value === null ? null : run.microBatchSize))
  return { step: steps, ...columns }
}

function seenProbe(probe: Probe, { gradientNoise, heldOut }: Feed): Probe | undefined {
  if (probe.kind === 'valley') return heldOut ? probe : undefined
  if (probe.kind === 'line' && !gradientNoise) return { ...probe, noiseCurvature: null }
  return probe
}

/** Chooses of the recorded probes those that the tuner's cadence would have asked for. */
function createPacer() {
  const last = { valley: 0, line: 0 }
  const strides = { valley: 1, line: tracedLineStride }
  return ({ kind, step }: Probe, state: TunerState): boolean => {
    // Not the plan's: with decisions off there is none that follows the run.
    const cadence = cadenceOf(state)
    const wanted = kind === 'valley' ? cadence?.valleySteps : cadence?.lineSteps
    if (wanted == null || step - last[kind] < wanted - (strides[kind] * tracedDistance(step)) / 2)
      return false
    last[kind] = step
    return true
  }
}

/** Folds until the tuner switches, or to the end. `onProbe` sees the state after each valley probe, or block of steps. */
export function replay(
  task: BenchTask,
  run: TraceRun,
  feed: Feed = everything,
  onProbe: (state: TunerState) => void = () => undefined,
): TunerState {
  let state = initialState()
  let number = 0
  const fold = (body: Body): void => {
    number++
    state = tune(state, { ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation).state
  }
  fold({ kind: 'start', runId: 'trace', options: runOptionsOf(task, run, feed) })
  if (feed.mode === 'held')
    fold({
      kind: 'command',
      command: {
        kind: 'override',
        learningRate: run.rate,
        untilStep: run.budgetSteps,
        by: 'bench',
        reason: 'held',
      },
    })
  const isDue = createPacer()
  let folded = 0
  const foldSamples = (toStep: number): void => {
    if (toStep <= folded) return
    fold({ kind: 'samples', columns: samplesOf(run, folded, toStep, feed) })
    folded = toStep
  }
  for (const probe of run.probes) {
    foldSamples(Math.min(probe.step, run.loss.length))
    if (switchStepOf(state.course) !== null) return state
    if (!isDue(probe, state)) continue
    const seen = seenProbe(probe, feed)
    if (seen === undefined) continue
    fold({ kind: 'probe', probe: seen })
    if (seen.kind === 'valley') onProbe(state)
    if (switchStepOf(state.course) !== null) return state
  }
  foldSamples(run.loss.length)
  return state
}
