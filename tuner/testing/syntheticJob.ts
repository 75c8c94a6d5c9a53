// A training job as the tuner meets one: SGD with momentum on a noisy quadratic that follows the plan, does
// the actions and acknowledges them, makes its probes, obeys the tripwire, and reports in batches. It may be
// cut off for a while: then it follows the last plan it heard of, and its reports are folded when it is back.
// No network and no clock; everything is drawn from one seed, and a restored checkpoint brings the same
// batches again.

import { evaluatePlan, tripwireTrips } from '../../protocol/plan.ts'
import type {
  Action,
  Command,
  Decision,
  Observation,
  Plan,
  Probe,
  RunOptions,
  SampleColumns,
  ValleyProbe,
} from '../../protocol/vocabulary.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { initialState, type TunerState, tune } from '../index.ts'
import { batchGradient, eigenvalues, quadraticLoss } from './noisyQuadratic.ts'
import { rounded } from './rounded.ts'
import { type SyntheticOptions, syntheticDefaults } from './syntheticOptions.ts'

type Settled = typeof syntheticDefaults & SyntheticOptions
type Weights = { w: Float64Array; v: Float64Array; batch: number }
type Row = { step: number; loss: number; rate: number; full: number; micro: number | null }
type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

const copied = ({ w, v, batch }: Weights): Weights => ({ w: w.slice(), v: v.slice(), batch })

export class SyntheticJob {
  readonly log: Observation[] = []
  readonly decisions: Decision[] = []
  readonly learningRates: number[] = []
  /** Every action that was ever asked, by its id. */
  readonly asked = new Map<string, Action>()
  state: TunerState = initialState()
  /** What the job last heard: the plan that it follows and the actions that it is asked. */
  heard: { plan: Plan; actions: readonly Action[] } = this.state
  isFinished = false
  isCutOff = false
  #weights: Weights
  #kept: Float64Array | undefined
  #saved = new Map<string, Weights>()
  #savedAt = new Map<string, number>()
  #blocks: Float64Array[] = []
  #blockSum: Float64Array
  #blockCount = 0
  #pending: Row[] = []
  #outbox: Body[] = []
  #done = new Set<string>()
  #smoother = lossSmoother.init()
  #nonFiniteCount = 0
  #isTripped = false
  #lastMomentum: number
  readonly #h: Float64Array
  readonly #options: Settled

  constructor(options: SyntheticOptions) {
    this.#options = { ...syntheticDefaults, ...options } as Settled
    this.#h = eigenvalues(this.#options)
    const n = this.#h.length
    this.#weights = { w: new Float64Array(n).fill(1), v: new Float64Array(n), batch: 0 }
    this.#blockSum = new Float64Array(n)
    this.#lastMomentum = this.#options.momentum
  }

  #loss(w: Float64Array): number {
    return quadraticLoss(this.#h, w, this.#options.floor)
  }

  /** Loss of the last weights, and of those that the finish asked to keep. */
  get losses(): { readonly last: number; readonly kept: number } {
    return { last: this.#loss(this.#weights.w), kept: this.#loss(this.#kept ?? this.#weights.w) }
  }

  start(): void {
    const { budgetSteps, capabilities, mode, learningRate, momentum, rateLimits } = this.#options
    const options: RunOptions = {
      name: 'synthetic',
      project: 'test',
      tags: [],
      framework: 'synthetic',
      optimizer: { name: 'momentum', family: 'sgd', momentum, weightDecay: null },
      budgetSteps,
      warmupSteps: null,
      firstStep: null,
      mode,
      capabilities,
      learningRate: { initial: learningRate, ...(rateLimits ?? { min: null, max: null }) },
      settings: {},
    }
    this.#send({ kind: 'start', runId: 'synthetic', options })
  }

  #send(body: Body): void {
    const { digits } = this.#options
    this.#outbox.push(digits === undefined ? body : rounded(body, digits))
    if (!this.isCutOff) this.deliver()
  }

  /** Everything reported so far reaches the tuner, and its answer the job. */
  deliver(): void {
    for (const body of this.#outbox) {
      const number = this.log.length + 1
      const observation = { ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation
      this.log.push(observation)
      const { state, decisions } = tune(this.state, observation)
      this.state = state
      this.decisions.push(...decisions)
      for (const action of state.actions) this.asked.set(action.id, action)
    }
    this.#outbox = []
    this.heard = this.state
    this.#isTripped = false
  }

  command(command: Command): void {
    this.flush()
    this.#send({ kind: 'command', command })
  }

  /** Does what is due before a step, and reports it. */
  beforeStep(step: number): void {
    this.#actAllDue(step)
    const { cadence, awaitAtStep } = this.heard.plan
    if (cadence?.valleySteps && step > 0 && step % cadence.valleySteps === 0) this.#probe('valley', step)
    if (cadence?.lineSteps && step > 0 && step % cadence.lineSteps === 0) this.#probe('line', step)
    if (awaitAtStep === step || this.#pending.length >= this.#options.batchSteps) this.flush()
    this.#actAllDue(step)
  }

  #actAllDue(step: number): void {
    const due = () => this.heard.actions.find(({ id, atStep }) => atStep <= step && !this.#done.has(id))
    for (let action = due(); action !== undefined && !this.isFinished; action = due()) this.#act(action, step)
  }

  #act(action: Action, step: number): void {
    this.#done.add(action.id)
    this.flush()
    const { restores } = this.#options
    if (action.kind === 'checkpoint') {
      this.#saved.set(action.checkpoint, copied(this.#weights))
      this.#savedAt.set(action.checkpoint, step)
    }
    if (action.kind === 'restore' && restores === 'done') this.#restore(action)
    if (action.kind === 'drop') this.#saved.delete(action.checkpoint)
    if (action.kind === 'probe') this.#probe(action.probe, step, action.checkpoints)
    if (action.kind === 'finish') this.#finish(action)
    if (action.kind === 'restore' && restores === 'unanswered') return
    const status = action.kind === 'restore' && restores === 'failed' ? 'failed' : 'done'
    this.#send({
      kind: 'acknowledgement',
      acknowledgement: { actionId: action.id, status, step, detail: '' },
    })
  }

  #restore(action: Extract<Action, { kind: 'restore' }>): void {
    const saved = this.#saved.get(action.checkpoint)
    if (saved === undefined) throw new Error(`no checkpoint ${action.checkpoint}`)
    const batch = action.rewindData ? saved.batch : this.#weights.batch
    this.#weights = { ...copied(saved), batch: batch + action.skipBatches }
    this.#blocks = []
    this.#blockSum.fill(0)
    this.#blockCount = 0
  }

  #finish({ keep }: Extract<Action, { kind: 'finish' }>): void {
    this.isFinished = true
    if (typeof keep === 'object') this.#kept = this.#saved.get(keep.checkpoint)?.w
    else if (keep === 'averaged') this.#kept = this.#blocks.at(-1)
  }

  #probe(kind: 'valley' | 'line', step: number, checkpoints?: readonly string[]): void {
    this.flush()
    if (kind === 'line') this.#send({ kind: 'probe', probe: this.#line(step) })
    else if (checkpoints === undefined) this.#send({ kind: 'probe', probe: this.#valley(step) })
    else this.#send({ kind: 'probe', probe: this.#withKept(this.#valley(step), checkpoints) })
  }

  /** Scores of kept weights, whose extra is that of the step at which they were kept: it is they who have memorised less. */
  #withKept(probe: ValleyProbe, names: readonly string[]): ValleyProbe {
    const checkpoints = names.flatMap((checkpoint) => {
      const saved = this.#saved.get(checkpoint)
      const extra = this.#options.heldOutExtra?.(this.#savedAt.get(checkpoint) ?? 0) ?? 0
      return saved === undefined ? [] : [{ checkpoint, loss: this.#loss(saved.w) + extra }]
    })
    return { ...probe, examples: 2_000, checkpoints }
  }

  #valley(step: number): ValleyProbe {
    const length = this.heard.plan.cadence?.blockSteps ?? 10
    const extra = this.#options.heldOutExtra?.(step) ?? 0
    const offered = this.#options.capabilities.includes('averagedWeights') ? [1, 2, 4] : []
    const averaged = offered
      .filter((count) => count <= this.#blocks.length)
      .map((count) => {
        const mean = new Float64Array(this.#h.length)
        for (const block of this.#blocks.slice(-count))
          for (let i = 0; i < mean.length; i++) mean[i]! += block[i]! / count
        return { windowSteps: count * length, loss: this.#loss(mean) + extra }
      })
    const raw = { loss: this.#loss(this.#weights.w) + extra }
    const { probeSeconds = 0.001 } = this.#options
    return { kind: 'valley', step, set: 'held-out', examples: 512, seconds: probeSeconds, raw, averaged }
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
    const criticalLearningRate = ghg > 0 && Number.isFinite(ghg) ? (2 * gg) / ghg : null
    return { kind: 'line', step, seconds: 0.001, criticalLearningRate, curvature: ghg, noiseCurvature }
  }

  step(step: number): void {
    const { plan } = this.heard
    const planned = evaluatePlan(plan, step)
    const heard = this.#isTripped && plan.tripwire ? plan.tripwire.thenLearningRate : planned.learningRate
    const learningRate = this.#options.appliedRate?.(step, heard) ?? heard
    const momentum = planned.momentum ?? this.#options.momentum
    const { w, v } = this.#weights
    const last = this.#lastMomentum
    const kept = last === momentum ? momentum : Math.min(last, (momentum * (1 - last)) / (1 - momentum))
    this.#lastMomentum = momentum
    const { traceSigma, batchSize, seed } = this.#options
    const batchSeed = seed * 1_000_003 + this.#weights.batch++
    const { gradient, full, micro } = batchGradient(this.#h, w, { traceSigma, batchSize, batchSeed })
    const loss = this.#options.reportedLoss?.(step, this.#loss(w)) ?? this.#loss(w)
    for (let i = 0; i < w.length; i++) {
      v[i] = kept * v[i]! + gradient[i]!
      w[i]! -= learningRate * v[i]!
      this.#blockSum[i]! += w[i]!
    }
    this.#average()
    this.learningRates.push(learningRate)
    const every = plan.cadence?.microBatchSteps
    this.#pending.push({
      step,
      loss,
      rate: learningRate,
      full,
      micro: every && step % every === 0 ? micro : null,
    })
    this.#watch(step, loss, full)
  }

  #average(): void {
    const length = this.heard.plan.cadence?.blockSteps ?? 10
    this.#blockCount++
    if (this.#blockCount < length) return
    this.#blocks = [...this.#blocks.slice(-15), this.#blockSum.map((sum) => sum / this.#blockCount)]
    this.#blockSum.fill(0)
    this.#blockCount = 0
  }

  #watch(step: number, loss: number, full: number): void {
    this.#smoother = lossSmoother.update(this.#smoother, { step, value: loss })
    this.#nonFiniteCount = Number.isFinite(loss) ? 0 : this.#nonFiniteCount + 1
    const trips = tripwireTrips(this.heard.plan.tripwire, {
      lossSmoothed: lossSmoother.read(this.#smoother),
      gradientNorm: Math.sqrt(full),
      nonFiniteCount: this.#nonFiniteCount,
    })
    if (!trips || this.#isTripped) return
    this.#isTripped = true
    this.flush()
  }

  flush(): void {
    if (this.#pending.length === 0) return
    const rows = this.#pending
    this.#pending = []
    const { batchSize, reportsRate, namesPlan } = this.#options
    const columns: SampleColumns = {
      step: rows.map(({ step }) => step),
      loss: rows.map(({ loss }) => loss),
      ...(reportsRate ? { learningRate: rows.map(({ rate }) => rate) } : {}),
      gradientNormSquared: rows.map(({ full }) => full),
      microGradientNormSquared: rows.map(({ micro }) => micro),
      batchSize: rows.map(() => batchSize),
      microBatchSize: rows.map(() => batchSize / 4),
      stepSeconds: rows.map(() => 0.01),
    }
    // Whatever changes the plan flushes first, so all of these steps followed the one that was heard last.
    const named = namesPlan === true ? { planVersion: this.heard.plan.version } : {}
    this.#send({ kind: 'samples', columns, ...named })
  }
}
