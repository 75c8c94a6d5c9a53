// What a training job would send to the tuner, without training: a noisy loss that falls as it should under the
// plan, norms, probes at the plan's cadence, actions done and acknowledged at once. It costs next to nothing and
// its columns are those of the built-in trainer, so a fold over it costs what a real run's does.

import { evaluatePlan } from '../protocol/plan.ts'
import type { Action, Observation, Plan, Probe, RunOptions, SampleColumns } from '../protocol/vocabulary.ts'
import { normals, random } from '../tuner/testing/random.ts'
import { allCapabilities } from '../tuner/testing/syntheticRun.ts'

export type JobOptions = {
  readonly budgetSteps: number | null
  readonly seed: number
  /** Steps in one report at most. */
  readonly batchSteps: number
}

type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

const batchSize = 128
/** Parts of a probe's examples that the trainer reports. */
const partCount = 16

export const startOf = ({ budgetSteps }: JobOptions): Body => {
  const options: RunOptions = {
    name: 'fold',
    project: 'bench',
    tags: [],
    framework: 'none',
    optimizer: { name: 'momentum', family: 'sgd', momentum: 0.9, weightDecay: null },
    budgetSteps,
    warmupSteps: null,
    firstStep: 0,
    mode: 'auto',
    capabilities: allCapabilities,
    learningRate: { initial: 0.1, min: null, max: null },
    settings: {},
  }
  return { kind: 'start', runId: 'fold', options }
}

export class ReportedJob {
  readonly #options: JobOptions
  readonly #draw: () => number
  readonly #done = new Set<string>()
  #heard: { readonly plan: Plan; readonly actions: readonly Action[] }
  #probedAt = { valley: 0, line: 0 }
  step = 0
  isFinished = false

  constructor(options: JobOptions, heard: { readonly plan: Plan; readonly actions: readonly Action[] }) {
    this.#options = options
    this.#heard = heard
    this.#draw = normals(random(options.seed))
  }

  hear(heard: { readonly plan: Plan; readonly actions: readonly Action[] }): void {
    this.#heard = heard
  }

  /** The next thing that the job has to say; steps of samples never go beyond `untilStep`. */
  next(untilStep: number): Body {
    const action = this.#heard.actions.find(({ id, atStep }) => atStep <= this.step && !this.#done.has(id))
    if (action !== undefined) return this.#act(action)
    const { cadence } = this.#heard.plan
    for (const kind of ['valley', 'line'] as const) {
      const every = kind === 'valley' ? cadence?.valleySteps : cadence?.lineSteps
      if (every != null && this.step % every === 0 && this.#probedAt[kind] < this.step)
        return this.#probe(kind)
    }
    return { kind: 'samples', columns: this.#samples(this.#samplesUntil(untilStep)) }
  }

  #act(action: Action): Body {
    this.#done.add(action.id)
    if (action.kind === 'finish') this.isFinished = true
    const acknowledgement = { actionId: action.id, status: 'done', step: this.step, detail: '' } as const
    if (action.kind !== 'probe') return { kind: 'acknowledgement', acknowledgement }
    return this.#probe(action.probe)
  }

  /** A report ends where the job has something else to do. */
  #samplesUntil(untilStep: number): number {
    const { plan, actions } = this.#heard
    const ends = [this.step + this.#options.batchSteps, untilStep]
    for (const every of [plan.cadence?.valleySteps, plan.cadence?.lineSteps])
      if (every != null) ends.push((Math.floor(this.step / every) + 1) * every)
    for (const step of [plan.awaitAtStep, ...actions.map(({ atStep }) => atStep)])
      if (step != null && step > this.step) ends.push(step)
    return Math.min(...ends)
  }

  /** Slow enough that the large step pays to the end of a run of any length. */
  #loss(step: number): number {
    return 0.5 + 3 * (1 + step / 1_000) ** -0.15
  }

  #samples(to: number): SampleColumns {
    const draw = this.#draw
    const every = this.#heard.plan.cadence?.microBatchSteps
    const step = Array.from({ length: to - this.step }, (_, index) => this.step + index)
    const isSplit = step.map((at) => every != null && at % every === 0)
    const norm = step.map(() => 1 + 0.1 * draw())
    this.step = to
    const rates = step.map((at) => evaluatePlan(this.#heard.plan, at).learningRate)
    return {
      step,
      loss: step.map((at) => this.#loss(at) + 0.1 * draw()),
      learningRate: rates,
      momentum: step.map(() => 0.9),
      gradientNormSquared: norm,
      microGradientNormSquared: norm.map((value, index) => (isSplit[index] ? 2 * value : null)),
      batchSize: step.map(() => batchSize),
      microBatchSize: isSplit.map((split) => (split ? batchSize / 4 : null)),
      stepSeconds: step.map(() => 0.004),
      signalSeconds: isSplit.map((split) => (split ? 0.001 : 0.00004)),
    }
  }

  #probe(kind: 'valley' | 'line'): Body {
    const { step } = this
    this.#probedAt[kind] = step
    const draw = this.#draw
    const score = (loss: number) => ({
      loss,
      accuracy: 0.8,
      lossByPart: Array.from({ length: partCount }, () => loss + 0.05 * draw()),
    })
    const loss = this.#loss(step)
    const probe: Probe =
      kind === 'line'
        ? {
            kind,
            step,
            seconds: 0.02,
            criticalLearningRate: 0.3 * Math.exp(0.1 * draw()),
            curvature: 5,
            noiseCurvature: 2 * Math.exp(0.1 * draw()),
            examples: 512,
          }
        : {
            kind,
            step,
            set: 'held-out',
            examples: 512,
            seconds: 0.02,
            raw: score(loss + 0.05 + 0.01 * draw()),
            averaged: [1, 2, 4].map((blocks) => ({
              windowSteps: 10 * blocks,
              ...score(loss + 0.0005 * draw()),
            })),
          }
    return { kind: 'probe', probe }
  }
}
