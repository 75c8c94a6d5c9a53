// One simulated job folded through the whole `tune()`: it follows the plan, reports training losses with the noise of
// batches, probes where it is asked to or at a distance of its own, keeps and restores weights, and ends when it is told to.
// Its place on the true course is S, steps at the large rate: a step at a tenth of it goes a tenth as far. The weights' own noise
// stands above the course in proportion to the rate; averaged weights do not have it. The rate is pinned, so nothing is searched.

import type { Action } from '../../protocol/vocabulary.ts'
import { normals, type Random, random } from '../../tuner/testing/random.ts'
import { ReportedJob } from '../../tuner/testing/reportedJob.ts'
import type { Course } from './courses.ts'
import { type ValidationKind, validationNoises } from './validation.ts'

const rate = 0.1
const stepSeconds = 0.01
/** Large steps of a run that holds for three quarters and then falls linearly, as a share of its budget. */
const heldShare = 7 / 8
/** A held-out loss is positive whatever its noise. */
const lossFactorMin = 0.05

/** `often`: steps tell their time and probes are cheap; `rarely`: steps tell no time; a number: every so many steps. */
export type Evaluation = 'often' | 'rarely' | number

export type JobSetting = {
  /** null = none; then `lengthSteps` is where the simulation ends. */
  readonly budgetSteps: number | null
  readonly lengthSteps: number
  readonly hasAverages: boolean
  readonly hasCheckpoints: boolean
  readonly evaluation: Evaluation
  /** Of the weights at the large rate, in shares of the loss. */
  readonly weightNoise: number
  /** Deviation of the logarithm of a batch's loss. */
  readonly batchNoise: number
  readonly validation: ValidationKind
  readonly scatter: number
  readonly seed: number
}

export type Ended = {
  readonly switchStep: number | null
  /** Why the anneal began: the reason's key. */
  readonly switchReason: string | null
  /** The rest of the anneal was shortened by a rise. */
  readonly isSqueezed: boolean
  readonly endStep: number
  readonly isFinished: boolean
  /** True held-out loss of the weights that are the result, and the lowest true one of any weights on the way. */
  readonly loss: number
  readonly lowest: number
  /** That of a run that anneals over the last quarter of its steps, to the end. */
  readonly toEnd: number
  readonly guardActs: number
}

class SimulatedJob {
  readonly job: ReportedJob
  #progress = 0
  #result: number | null = null
  #lowest = Infinity
  #probedAt = 0
  readonly #saved = new Map<string, number>()
  readonly #course: Course
  readonly #setting: JobSetting
  readonly #batch: Random
  readonly #weights: Random
  readonly #validation: (step: number) => number
  #step = 0

  constructor(course: Course, setting: JobSetting) {
    this.#course = course
    this.#setting = setting
    const { seed, lengthSteps, validation, hasAverages, hasCheckpoints, budgetSteps } = setting
    this.#batch = normals(random(4 * seed))
    this.#weights = normals(random(4 * seed + 1))
    this.#validation = validationNoises[validation](4 * seed + 2, lengthSteps)
    this.job = new ReportedJob({
      budgetSteps,
      learningRate: rate,
      rateLimits: { min: rate, max: rate },
      capabilities: [
        'heldOutLoss',
        ...(hasAverages ? (['averagedWeights'] as const) : []),
        ...(hasCheckpoints ? (['checkpoint'] as const) : []),
      ],
      acts: 'when-due',
      waits: true,
      answers: { probe: 'done' },
      does: (action) => this.#does(action),
    })
  }

  #heldOut(progress = this.#progress): number {
    return this.#course.heldOut(progress / this.#setting.lengthSteps)
  }

  #does(action: Action): void {
    if (action.kind === 'checkpoint') this.#saved.set(action.checkpoint, this.#progress)
    if (action.kind === 'restore') this.#progress = this.#saved.get(action.checkpoint) ?? 0
    if (action.kind === 'probe') this.#probe(action.checkpoints)
    if (action.kind !== 'finish') return
    const { keep } = action
    const kept = typeof keep === 'object' ? this.#saved.get(keep.checkpoint) : undefined
    this.#result = this.#heldOut(kept)
  }

  /** Kept weights are compared over all held-out examples, which know the course. */
  #probe(names?: readonly string[]): void {
    const { hasAverages, weightNoise, scatter } = this.#setting
    this.#probedAt = this.#step
    const noise = names === undefined ? scatter * this.#validation(this.#step) : 0
    const level = this.#heldOut() * Math.max(lossFactorMin, 1 + noise)
    const gap = weightNoise * (this.job.rateAt(this.#step) / rate) * (0.7 + 0.3 * this.#weights() ** 2)
    const checkpoints = names?.flatMap((checkpoint) => {
      const saved = this.#saved.get(checkpoint)
      return saved === undefined ? [] : [{ checkpoint, loss: this.#heldOut(saved) }]
    })
    this.job.addProbe({
      kind: 'valley',
      step: this.#step,
      set: 'held-out',
      examples: names === undefined ? 512 : 10_000,
      seconds: stepSeconds / 10,
      raw: { loss: level * (1 + gap) },
      averaged: hasAverages ? [{ windowSteps: 20, loss: level }] : [],
      ...(checkpoints === undefined ? {} : { checkpoints }),
    })
  }

  #isProbeDue(): boolean {
    const { evaluation } = this.#setting
    const every = typeof evaluation === 'number' ? evaluation : this.job.plan.cadence?.valleySteps
    return every != null && this.#step > 0 && this.#step % every === 0 && this.#probedAt < this.#step
  }

  /** Answers until nothing is due any more. */
  #settle(): void {
    const isDue = () => this.job.state.actions.some(({ atStep }) => atStep <= this.#step)
    if (this.job.plan.awaitAtStep === this.#step) this.job.flush()
    while (isDue() && !this.job.isFinished) {
      this.job.beforeStep(this.#step)
      this.job.flush()
    }
  }

  run(): Ended {
    const { lengthSteps, evaluation, weightNoise, batchNoise } = this.#setting
    for (this.#step = 0; ; this.#step++) {
      this.#settle()
      if (!this.job.isFinished && this.#isProbeDue()) {
        this.#probe()
        this.job.flush()
        this.#settle()
      }
      if (this.job.isFinished || this.#step >= lengthSteps) break
      const share = this.job.rateAt(this.#step) / rate
      const loss =
        this.#course.training(this.#progress / lengthSteps) *
        (1 + weightNoise * share) *
        Math.exp(batchNoise * this.#batch() - batchNoise ** 2 / 2)
      this.job.step(this.#step, { loss, ...(evaluation === 'rarely' ? {} : { stepSeconds }) })
      this.#progress += share
      this.#lowest = Math.min(this.#lowest, this.#heldOut())
    }
    return this.#ended()
  }

  #ended(): Ended {
    const { decisions, isFinished } = this.job
    const switched = decisions.find(({ kind }) => kind === 'switch')
    return {
      switchStep: switched?.step ?? null,
      switchReason: switched?.reason.key ?? null,
      isSqueezed: decisions.some(({ reason }) => reason.key === 'cut-rise'),
      endStep: this.#step,
      isFinished,
      loss: this.#result ?? this.#heldOut(),
      lowest: this.#lowest,
      toEnd: this.#heldOut(heldShare * this.#setting.lengthSteps),
      guardActs: decisions.filter(({ kind }) => kind === 'guard').length,
    }
  }
}

export const simulated = (course: Course, setting: JobSetting): Ended =>
  new SimulatedJob(course, setting).run()

/** What only a sign of memorising or of a rise can do: begin the anneal for it, or end the run before its budget is used up. */
export const isCut = ({ switchReason, isSqueezed, endStep }: Ended, { budgetSteps }: JobSetting): boolean =>
  isSqueezed ||
  switchReason === 'anneal-memorising' ||
  switchReason === 'anneal-overfitting' ||
  (budgetSteps !== null && endStep < budgetSteps)
