// A whole training job in a few milliseconds, for tests and benches: SGD with momentum on a noisy quadratic,
// driven by the tuner as a real job is (plan, actions, acknowledgements, probes), without a network or a clock.
//   loss(w) = floor + ½ Σ h_i w_i²,   minibatch gradient = h·w + ξ,   ξ_i ~ N(0, trΣ/(n·B))
// Eigenvalues h_i are spread log-evenly over [curvatureMin, curvatureMax], so plain SGD diverges above
// 2(1 + μ)/((1 − μ)·curvatureMax)·(1 − μ), and there is a right time to anneal that an exhaustive search can find.
// Everything is drawn from one seed; a restored checkpoint brings the same batches again.

import { evaluatePlan } from '../../protocol/plan.ts'
import type {
  Action,
  Capability,
  Command,
  Decision,
  Observation,
  Plan,
  Probe,
  RunOptions,
  SampleColumns,
} from '../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../index.ts'
import { normals, random } from './random.ts'

export type SyntheticOptions = {
  readonly seed: number
  readonly budgetSteps: number | null
  readonly stepCount?: number
  readonly learningRate?: number | null
  readonly momentum?: number
  readonly dimensions?: number
  readonly curvatureMin?: number
  readonly curvatureMax?: number
  /** trΣ: sum of the variances of one example's gradient. */
  readonly traceSigma?: number
  readonly batchSize?: number
  readonly floor?: number
  readonly capabilities?: readonly Capability[]
  readonly mode?: RunOptions['mode']
  /** Commands by the step at which they arrive. */
  readonly commands?: Readonly<Record<number, Command>>
  /** Changes a step's reported loss (faults): gets step and loss. */
  readonly reportedLoss?: (step: number, loss: number) => number
  /** Steps per batch of samples. */
  readonly batchSteps?: number
}

export type SyntheticResult = {
  readonly log: readonly Observation[]
  readonly decisions: readonly Decision[]
  readonly state: TunerState
  readonly finalLoss: number
  readonly learningRates: readonly number[]
}

export const allCapabilities: readonly Capability[] = [
  'checkpoint',
  'microBatchNorms',
  'heldOutLoss',
  'averagedWeights',
  'lineProbe',
  'momentum',
]

type Weights = { w: Float64Array; v: Float64Array; batch: number }
type Saved = { weights: Weights }

/** The job: weights, averages, checkpoints, and the log that it has sent. */
class SyntheticJob {
  readonly log: Observation[] = []
  readonly decisions: Decision[] = []
  readonly learningRates: number[] = []
  state: TunerState = initialState()
  #weights: Weights
  #saved = new Map<string, Saved>()
  #blocks: Float64Array[] = []
  #blockSum: Float64Array
  #blockCount = 0
  #pending: { step: number; loss: number; rate: number; full: number; micro: number | null }[] = []
  #done = new Set<string>()
  readonly #h: Float64Array
  readonly #options: Required<Omit<SyntheticOptions, 'commands' | 'reportedLoss' | 'stepCount'>> &
    SyntheticOptions
  #isFinished = false
  #lastMomentum: number

  constructor(options: SyntheticOptions) {
    this.#options = {
      learningRate: null,
      momentum: 0.9,
      dimensions: 40,
      curvatureMin: 0.002,
      curvatureMax: 1,
      traceSigma: 40,
      batchSize: 32,
      floor: 0.2,
      capabilities: allCapabilities,
      mode: 'auto',
      batchSteps: 20,
      ...options,
    }
    const { dimensions: n, curvatureMin, curvatureMax, momentum } = this.#options
    this.#h = Float64Array.from(
      { length: n },
      (_, i) => curvatureMin * (curvatureMax / curvatureMin) ** (i / (n - 1)),
    )
    this.#weights = { w: new Float64Array(n).fill(1), v: new Float64Array(n), batch: 0 }
    this.#blockSum = new Float64Array(n)
    this.#lastMomentum = momentum
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  loss(w: Float64Array = this.#weights.w): number {
    let sum = 0
    for (let i = 0; i < w.length; i++) sum += this.#h[i]! * w[i]! * w[i]!
    return this.#options.floor + sum / 2
  }

  send(body: ObservationBody): void {
    const observation = {
      ...body,
      number: this.log.length + 1,
      receivedAt: '2026-01-01T00:00:00.000Z',
    } as Observation
    this.log.push(observation)
    const { state, decisions } = tune(this.state, observation)
    this.state = state
    this.decisions.push(...decisions)
  }

  start(): void {
    const { budgetSteps, capabilities, mode, learningRate, momentum } = this.#options
    const options: RunOptions = {
      name: 'synthetic',
      project: 'test',
      tags: [],
      framework: 'synthetic',
      optimizer: { name: 'momentum', momentum },
      budgetSteps,
      mode,
      capabilities,
      learningRate: { initial: learningRate, min: null, max: null },
      settings: {},
    }
    this.send({ kind: 'start', runId: 'synthetic', options })
  }

  /** Does what is due before a step, and reports it. */
  beforeStep(step: number): void {
    const command = this.#options.commands?.[step]
    if (command) {
      this.flush()
      this.send({ kind: 'command', command })
    }
    for (let action = this.#due(step); action !== undefined; action = this.#due(step)) this.#act(action, step)
    const { cadence, awaitAtStep } = this.state.plan
    if (cadence?.valleySteps && step > 0 && step % cadence.valleySteps === 0) this.#probe('valley', step)
    if (cadence?.lineSteps && step > 0 && step % cadence.lineSteps === 0) this.#probe('line', step)
    if (awaitAtStep === step || this.#pending.length >= this.#options.batchSteps) this.flush()
    for (let action = this.#due(step); action !== undefined; action = this.#due(step)) this.#act(action, step)
  }

  #due(step: number): Action | undefined {
    return this.state.actions.find(({ id, atStep }) => atStep <= step && !this.#done.has(id))
  }

  #act(action: Action, step: number): void {
    this.#done.add(action.id)
    this.flush()
    if (action.kind === 'checkpoint') this.#saved.set(action.checkpoint, { weights: copied(this.#weights) })
    if (action.kind === 'restore') this.#restore(action)
    if (action.kind === 'probe') this.#probe(action.probe, step)
    if (action.kind === 'finish') this.#isFinished = true
    this.send({
      kind: 'acknowledgement',
      acknowledgement: { actionId: action.id, status: 'done', step, detail: '' },
    })
  }

  #restore(action: Extract<Action, { kind: 'restore' }>): void {
    const saved = this.#saved.get(action.checkpoint)
    if (saved === undefined) throw new Error(`no checkpoint ${action.checkpoint}`)
    const batch = action.rewindData ? saved.weights.batch : this.#weights.batch
    this.#weights = { ...copied(saved.weights), batch: batch + action.skipBatches }
    this.#blocks = []
    this.#blockSum.fill(0)
    this.#blockCount = 0
  }

  #probe(kind: 'valley' | 'line', step: number): void {
    this.flush()
    this.send({ kind: 'probe', probe: kind === 'valley' ? this.#valley(step) : this.#line(step) })
  }

  #valley(step: number): Probe {
    const length = this.state.plan.cadence?.blockSteps ?? 10
    const averaged = [1, 2, 4]
      .filter((count) => count <= this.#blocks.length)
      .map((count) => {
        const mean = new Float64Array(this.#h.length)
        for (const block of this.#blocks.slice(-count))
          for (let i = 0; i < mean.length; i++) mean[i]! += block[i]! / count
        return { windowSteps: count * length, loss: this.loss(mean) }
      })
    return {
      kind: 'valley',
      step,
      set: 'held-out',
      examples: 512,
      seconds: 0.001,
      raw: { loss: this.loss() },
      averaged,
    }
  }

  #line(step: number): Probe {
    const { w } = this.#weights
    let [gg, ghg] = [0, 0]
    for (let i = 0; i < w.length; i++) {
      const g = this.#h[i]! * w[i]!
      gg += g * g
      ghg += g * g * this.#h[i]!
    }
    const noiseCurvature = this.#h.reduce((sum, h) => sum + h, 0) / this.#h.length
    return {
      kind: 'line',
      step,
      seconds: 0.001,
      criticalLearningRate: (2 * gg) / ghg,
      curvature: ghg,
      noiseCurvature,
    }
  }

  step(step: number): void {
    const { learningRate, momentum: planned } = evaluatePlan(this.state.plan, step)
    const momentum = planned ?? this.#options.momentum
    const { w, v } = this.#weights
    const scale = (1 - this.#lastMomentum) / (1 - momentum)
    if (momentum !== this.#lastMomentum) for (let i = 0; i < v.length; i++) v[i]! *= scale
    this.#lastMomentum = momentum
    const { gradient, full, micro } = this.#gradient(step)
    const loss = this.loss()
    for (let i = 0; i < w.length; i++) {
      v[i] = momentum * v[i]! + gradient[i]!
      w[i]! -= learningRate * v[i]!
      this.#blockSum[i]! += w[i]!
    }
    this.#average()
    this.learningRates.push(learningRate)
    const reported = this.#options.reportedLoss?.(step, loss) ?? loss
    this.#pending.push({ step, loss: reported, rate: learningRate, full, micro })
  }

  #average(): void {
    const length = this.state.plan.cadence?.blockSteps ?? 10
    this.#blockCount++
    if (this.#blockCount < length) return
    this.#blocks = [...this.#blocks.slice(-15), this.#blockSum.map((sum) => sum / this.#blockCount)]
    this.#blockSum.fill(0)
    this.#blockCount = 0
  }

  /** The batch's gradient as the mean of four micro-batches, drawn from (seed, batch number). */
  #gradient(step: number): { gradient: Float64Array; full: number; micro: number | null } {
    const { batchSize, traceSigma, seed } = this.#options
    const draw = normals(random(seed * 1_000_003 + this.#weights.batch++))
    const n = this.#h.length
    const gradient = new Float64Array(n)
    const deviation = Math.sqrt(traceSigma / n / (batchSize / 4))
    let microSum = 0
    for (let part = 0; part < 4; part++) {
      for (let i = 0; i < n; i++) {
        const g = this.#h[i]! * this.#weights.w[i]! + deviation * draw()
        gradient[i]! += g / 4
        microSum += (g * g) / 4
      }
    }
    const every = this.state.plan.cadence?.microBatchSteps
    const full = gradient.reduce((sum, g) => sum + g * g, 0)
    return { gradient, full, micro: every && step % every === 0 ? microSum : null }
  }

  flush(): void {
    if (this.#pending.length === 0) return
    const rows = this.#pending
    this.#pending = []
    const { batchSize } = this.#options
    const columns: SampleColumns = {
      step: rows.map(({ step }) => step),
      loss: rows.map(({ loss }) => loss),
      learningRate: rows.map(({ rate }) => rate),
      gradientNormSquared: rows.map(({ full }) => full),
      microGradientNormSquared: rows.map(({ micro }) => micro),
      batchSize: rows.map(() => batchSize),
      microBatchSize: rows.map(() => batchSize / 4),
      stepSeconds: rows.map(() => 0.01),
    }
    this.send({ kind: 'samples', columns })
  }
}

type ObservationBody = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

const copied = ({ w, v, batch }: Weights): Weights => ({ w: w.slice(), v: v.slice(), batch })

/** Runs a job under the tuner to its end (or `stepCount`). */
export function syntheticRun(options: SyntheticOptions): SyntheticResult {
  const job = new SyntheticJob(options)
  job.start()
  const stepCount = options.stepCount ?? options.budgetSteps ?? 5_000
  let step = 0
  for (; step < stepCount && !job.isFinished; step++) {
    job.beforeStep(step)
    if (!job.isFinished) job.step(step)
  }
  if (!job.isFinished) job.beforeStep(step)
  job.flush()
  const { log, decisions, state, learningRates } = job
  return { log, decisions, state, learningRates, finalLoss: job.loss() }
}

/** Expected final loss of the same job under a fixed plan, averaged over seeds. */
export function lossUnderPlan(options: SyntheticOptions, plan: Plan): number {
  const job = new SyntheticJob({ ...options, mode: 'off' })
  job.start()
  job.state = { ...job.state, plan }
  for (let step = 0; step < (options.budgetSteps ?? 0); step++) job.step(step)
  return job.loss()
}
