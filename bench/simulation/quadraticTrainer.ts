// A trainer for the built-in session: SGD with momentum on a noisy quadratic (tuner/testing/noisyQuadratic.ts). Steps take
// virtual time, which passes when their signals are read; its checkpoints outlive the process, as those on a disk do.

import type { LineProbe, ValleyProbe } from '../../protocol/vocabulary.ts'
import type { StepReading } from '../../trainer/signals.ts'
import type { KeepChoice, SessionTrainer, StepRequest } from '../../trainer/trainer.ts'
import {
  batchGradient,
  eigenvalues,
  type QuadraticOptions,
  quadraticLoss,
} from '../../tuner/testing/noisyQuadratic.ts'
import type { Life } from './life.ts'

export type Problem = QuadraticOptions & {
  readonly seed: number
  readonly stepMilliseconds: number
  /** From this step on, every loss is NaN; null = never. */
  readonly brokenFrom: number | null
}

type Weights = { readonly w: Float64Array; readonly v: Float64Array; readonly batch: number }
/** What is saved of it, and where a later process begins. */
export type Saved = {
  readonly weights: Weights
  readonly named: ReadonlyMap<string, Weights>
  readonly stepCount: number
}

const windowsMax = 4
const examples = 512
const copied = ({ w, v, batch }: Weights): Weights => ({ w: w.slice(), v: v.slice(), batch })

export class QuadraticTrainer implements SessionTrainer {
  stepCount = 0
  /** Rates of the steps that this process took. */
  readonly rates: number[] = []
  private readonly problem: Problem
  private readonly life: Life
  private readonly curvatures: Float64Array
  private weights: Weights
  private named = new Map<string, Weights>()
  private unread: StepReading[] = []
  private blockSteps = 20
  private block: Float64Array
  private blockCount = 0
  private blocks: Float64Array[] = []
  private readonly nextProbe: () => number

  /** @param nextProbe numbers the probes of all processes of the job */
  constructor(problem: Problem, life: Life, nextProbe: () => number) {
    this.problem = problem
    this.life = life
    this.nextProbe = nextProbe
    this.curvatures = eigenvalues(problem)
    this.weights = {
      w: new Float64Array(problem.dimensions).fill(1),
      v: new Float64Array(problem.dimensions),
      batch: 0,
    }
    this.block = new Float64Array(problem.dimensions)
  }

  get unreadCount(): number {
    return this.unread.length
  }

  save(): Saved {
    const { weights, named, stepCount } = this
    return { weights: copied(weights), named: new Map(named), stepCount }
  }

  /** A step's number never comes again. */
  resume(saved: Saved | undefined, stepCount: number): void {
    if (saved !== undefined) {
      this.weights = copied(saved.weights)
      this.named = new Map(saved.named)
    }
    this.stepCount = Math.max(saved?.stepCount ?? 0, stepCount)
  }

  private lossOf(w: Float64Array): number {
    const { brokenFrom, floor } = this.problem
    if (brokenFrom !== null && this.stepCount >= brokenFrom) return Number.NaN
    return quadraticLoss(this.curvatures, w, floor)
  }

  step({ learningRate, momentum, measureMicroBatches, measureNorm = true }: StepRequest): void {
    const { batchSize, traceSigma, seed, stepMilliseconds } = this.problem
    const { w, v, batch } = this.weights
    this.life.sign()
    const { gradient, full, micro } = batchGradient(this.curvatures, w, {
      traceSigma,
      batchSize,
      batchSeed: seed * 1_000_003 + batch,
    })
    const loss = this.lossOf(w)
    for (let i = 0; i < w.length; i++) {
      v[i] = momentum * v[i]! + gradient[i]!
      w[i]! -= learningRate * v[i]!
      this.block[i]! += w[i]!
    }
    this.weights = { w, v, batch: batch + 1 }
    this.average()
    this.rates.push(learningRate)
    this.unread.push({
      step: this.stepCount++,
      learningRate,
      momentum,
      batchSize,
      microBatchSize: batchSize / 4,
      stepSeconds: stepMilliseconds / 1_000,
      signalSeconds: 0,
      loss,
      gradientNormSquared: measureNorm || measureMicroBatches === true ? full : null,
      microGradientNormSquared: measureMicroBatches === true ? micro : null,
      gradientDotUpdate: null,
      updateNormSquared: null,
      weightNormSquared: null,
      preconditionedGradientNormSquared: null,
      preconditionedMicroGradientNormSquared: null,
    })
  }

  private average(): void {
    if (++this.blockCount < this.blockSteps) return
    this.blocks = [...this.blocks.slice(1 - windowsMax), this.block.map((sum) => sum / this.blockCount)]
    this.clearBlock()
  }

  private clearBlock(): void {
    this.block.fill(0)
    this.blockCount = 0
  }

  async read(): Promise<StepReading[]> {
    await this.life.sleep(this.unread.length * this.problem.stepMilliseconds)
    const readings = this.unread
    this.unread = []
    return readings
  }

  setBlockSteps(blockSteps: number): void {
    if (blockSteps === this.blockSteps) return
    this.blockSteps = blockSteps
    this.clearBlock()
  }

  private meanOf(count: number): Float64Array {
    const mean = new Float64Array(this.weights.w.length)
    for (const block of this.blocks.slice(-count))
      for (let i = 0; i < mean.length; i++) mean[i]! += block[i]! / count
    return mean
  }

  async valleyProbe(_windows?: unknown, checkpoints?: readonly string[]): Promise<ValleyProbe> {
    await this.life.sleep(this.problem.stepMilliseconds)
    const averaged = [1, 2, 4]
      .filter((count) => count <= this.blocks.length)
      .map((count) => ({ windowSteps: count * this.blockSteps, loss: this.lossOf(this.meanOf(count)) }))
    const probe: ValleyProbe = {
      kind: 'valley',
      step: this.stepCount,
      set: 'held-out',
      examples,
      seconds: this.probeSeconds,
      raw: { loss: this.lossOf(this.weights.w) },
      averaged,
    }
    if (checkpoints === undefined) return probe
    return {
      ...probe,
      checkpoints: checkpoints.map((checkpoint) => ({
        checkpoint,
        loss: this.lossOf(this.get(checkpoint).w),
      })),
    }
  }

  async lineProbe(): Promise<LineProbe> {
    await this.life.sleep(this.problem.stepMilliseconds)
    let slope = 0
    let curvature = 0
    for (const [i, h] of this.curvatures.entries()) {
      const g = h * this.weights.w[i]!
      slope += g * g
      curvature += g * g * h
    }
    const isKnown = curvature > 0 && Number.isFinite(curvature)
    return {
      kind: 'line',
      step: this.stepCount,
      seconds: this.probeSeconds,
      criticalLearningRate: isKnown ? (2 * slope) / curvature : null,
      curvature: isKnown ? curvature : null,
    }
  }

  /** No two take equally long, so that one that is told twice is known from two that found the same. */
  private get probeSeconds(): number {
    return this.problem.stepMilliseconds / 1_000 + 1e-6 * this.nextProbe()
  }

  private get(name: string): Weights {
    const saved = this.named.get(name)
    if (saved === undefined) throw new RangeError(`there is no checkpoint ${name}`)
    return saved
  }

  checkpoint(name: string, weights?: 'averaged'): string[] {
    const { v, batch } = this.weights
    const isAveraged = weights === 'averaged' && this.blocks.length > 0
    this.named.set(name, copied(isAveraged ? { w: this.meanOf(this.blocks.length), v, batch } : this.weights))
    return []
  }

  restore(name: string, { rewindData = true, skipBatches = 0 } = {}): void {
    const saved = copied(this.get(name))
    const batch = (rewindData ? saved.batch : this.weights.batch) + skipBatches
    this.weights = { ...saved, batch }
    this.blocks = []
    this.clearBlock()
  }

  drop(name: string): boolean {
    return this.named.delete(name)
  }

  keep(choice: KeepChoice): void {
    if (typeof choice === 'object') this.weights = copied(this.get(choice.checkpoint))
    else if (choice === 'averaged' && this.blocks.length > 0)
      this.weights = { ...this.weights, w: this.meanOf(this.blocks.length) }
  }
}
