// Random jobs for the laws: what each asks for, offers and reports, and what goes wrong on its way. All is drawn from one
// seed, so that a seed is a history; what a law needs to be so, it fixes.

import type { Capability, Command, Mode } from '../../../protocol/vocabulary.ts'
import { reportedRun, type Stream } from '../cases/driven.ts'
import { squares } from '../cases/streams.ts'
import { normals, type Random, random } from '../random.ts'
import type { ReportedJob } from '../reportedJob.ts'
import type { ReportedJobOptions, Status } from '../reportedJobOptions.ts'

/** A stretch of learning: from a level towards another. */
export type Stage = {
  readonly fromStep: number
  readonly from: number
  readonly to: number
  readonly steps: number
}

export type History = {
  readonly seed: number
  readonly options: ReportedJobOptions
  readonly origin: number
  readonly stepCount: number
  readonly everySteps: number
  readonly stages: readonly Stage[]
  /** Scatter of training losses, and of evaluations, as a share of what a stage learns. */
  readonly noise: number
  readonly evaluationNoise: number
  /** How far evaluations of the present weights lie above those of averaged ones, by the same measure. */
  readonly gap: number
  /** Steps between evaluations; null = none. */
  readonly evaluationSteps: number | 'asked' | null
  readonly hasNorms: boolean
  readonly cutOff: { readonly fromStep: number; readonly toStep: number } | null
  readonly commands: Readonly<Record<number, Command>>
}

export const pick = <T>(draw: Random, list: readonly T[]): T => list[Math.floor(draw() * list.length)]!
export const whole = (draw: Random, below: number): number => Math.floor(draw() * below)

const everything: readonly Capability[] = [
  'checkpoint',
  'rewind',
  'heldOutLoss',
  'averagedWeights',
  'microBatchNorms',
  'momentum',
]
const optimizers = ['sgd', 'momentum', 'lars', 'adam', 'adamw', 'lion', 'muon', 'unheard-of'] as const

/** Stages that all fall; the first begins with the run. */
function stagesOf(draw: Random, stepCount: number, stageCount: number): readonly Stage[] {
  const scale = 10 ** (4 * draw() - 2)
  const lift = pick(draw, [0, 0, 0, -1, 3]) * scale
  const starts = Array.from({ length: stageCount - 1 }, () => whole(draw, stepCount)).toSorted(
    (a, b) => a - b,
  )
  return [0, ...starts].map((fromStep) => {
    const to = scale * (0.2 + draw())
    const from = to + scale * (0.5 + 2 * draw())
    return {
      fromStep,
      from: from + lift,
      to: to + lift,
      steps: Math.max(5, stepCount * (0.02 + 0.3 * draw())),
    }
  })
}

function commandsOf(draw: Random, stepCount: number, origin: number): Readonly<Record<number, Command>> {
  const common = { reason: '', by: 'test' }
  const make = (at: number): Command =>
    pick<Command>(draw, [
      { kind: 'override', learningRate: 0.01, untilStep: at + 1 + whole(draw, 100), ...common },
      { kind: 'hand-back', ...common },
      { kind: 'switch-now', ...common },
      { kind: 'undo-switch', ...common },
      { kind: 'pause', ...common },
      { kind: 'resume', ...common },
      {
        kind: 'set-budget',
        budgetSteps: Math.max(20, Math.round(stepCount * (0.5 + draw()))),
        ...common,
      },
      { kind: 'set-mode', mode: pick<Mode>(draw, ['auto', 'advisory', 'approve', 'off']), ...common },
    ])
  const steps = Array.from({ length: whole(draw, 4) }, () => origin + whole(draw, stepCount))
  return Object.fromEntries(steps.map((step) => [step, make(step)]))
}

/** The same job with a counter that begins at 0. */
export function fromZero(history: History): History {
  const { origin, options, commands } = history
  const moved = Object.entries(commands).map(([step, command]) => [Number(step) - origin, command])
  return {
    ...history,
    origin: 0,
    options: { ...options, firstStep: null },
    commands: Object.fromEntries(moved),
  }
}

/** A healthy job of a seed. */
export function historyOf(seed: number, fixed: Partial<ReportedJobOptions> = {}): History {
  const draw = random(seed)
  const budgetSteps = pick(draw, [60, 200, 500, 1_000, 1_500, 2_000])
  const capabilities = everything.filter(() => draw() < 0.6)
  const status = () => pick<Status>(draw, ['done', 'done', 'done', 'failed', 'unsupported'])
  const options: ReportedJobOptions = {
    budgetSteps,
    learningRate: pick(draw, [null, 0.1, 0.01, 0.001, 1e-5]),
    optimizer: { name: pick(draw, optimizers), momentum: pick(draw, [null, 0.9]) },
    capabilities,
    mode: pick<Mode>(draw, ['auto', 'auto', 'auto', 'approve']),
    batchRows: pick(draw, [1, 5, 10, 37, 100]),
    lagSteps: pick(draw, [0, 0, 3, 20]),
    waits: draw() < 0.7,
    sendsPlanVersion: draw() < 0.6,
    reportsRate: draw() < 0.85,
    acts: pick(draw, ['at-once', 'when-due'] as const),
    answers: { restore: status(), checkpoint: status() },
    ...fixed,
  }
  const stepCount = options.budgetSteps ?? pick(draw, [300, 1_500])
  // Beyond every budget, where it is plain that this is the steps to take.
  const origin = pick(draw, [0, 0, 0, 5_000, 123_034])
  const everySteps = pick(draw, [1, 1, 1, 1, 5])
  const isTold = draw() < 0.4
  const canEvaluate = options.capabilities?.includes('heldOutLoss') === true && draw() < 0.9
  const distance = pick<number | 'asked'>(draw, [
    'asked',
    Math.ceil(stepCount / 40),
    Math.ceil(stepCount / (8 + whole(draw, 90))),
  ])
  return {
    seed,
    options: { ...options, firstStep: isTold ? origin : null },
    origin,
    stepCount,
    everySteps,
    stages: stagesOf(draw, stepCount, 1),
    noise: 0.02 + 0.08 * draw(),
    evaluationNoise: 0.002 + 0.01 * draw(),
    gap: 10 ** (-3 + 2.3 * draw()),
    evaluationSteps: canEvaluate ? distance : null,
    hasNorms: options.capabilities?.includes('microBatchNorms') === true || draw() < 0.3,
    cutOff: null,
    commands: {},
  }
}

/** Of levels that rise faster than they are evaluated nobody can tell that each of them falls: three probes see each. */
const probesPerStage = 4

/** The same job with more stages: new levels, each of them learned. */
export function withStages(history: History, stageCount: number): History {
  const { seed, stepCount, evaluationSteps } = history
  const stages = stagesOf(random(seed ^ 0x5bd1e995), stepCount, stageCount)
  const apart = probesPerStage * (evaluationSteps === 'asked' ? stepCount / 50 : (evaluationSteps ?? 0))
  const isApart = ({ fromStep }: Stage, i: number) => i === 0 || fromStep - stages[i - 1]!.fromStep >= apart
  return { ...history, stages: stages.filter(isApart) }
}

export function withCommands(history: History): History {
  const draw = random(history.seed ^ 0x2545f491)
  return { ...history, commands: commandsOf(draw, history.stepCount, history.origin) }
}

/** The same job, cut off for a stretch or for good. */
export function withCutOff(history: History): History {
  const draw = random(history.seed ^ 0x1b873593)
  const fromStep = history.origin + history.everySteps * whole(draw, history.stepCount / history.everySteps)
  const length = history.everySteps * whole(draw, history.stepCount / history.everySteps)
  const toStep = draw() < 0.4 ? Number.POSITIVE_INFINITY : fromStep + length
  return { ...history, cutOff: { fromStep, toStep } }
}

/** What it reports. */
export function streamOf(history: History): Stream {
  const {
    seed,
    origin,
    stages,
    noise,
    gap,
    evaluationNoise,
    evaluationSteps,
    hasNorms,
    everySteps,
    options,
  } = history
  const normal = normals(random(seed ^ 0x3243f6a8))
  const stageAt = (step: number) => stages.findLast(({ fromStep }) => step - origin >= fromStep) ?? stages[0]!
  const level = (step: number) => {
    const { fromStep, from, to, steps } = stageAt(step)
    return to + (from - to) * (1 + Math.max(0, step - origin - fromStep) / steps) ** -0.7
  }
  const range = (step: number) => stageAt(step).from - stageAt(step).to
  const averages = options.capabilities?.includes('averagedWeights') === true
  const scores = (step: number) => ({
    raw: level(step) + range(step) * (0.02 + gap + evaluationNoise * normal()),
    averaged: averages ? level(step) + range(step) * (0.02 + evaluationNoise * normal()) : undefined,
  })
  return {
    everySteps,
    loss: (step) => level(step) + range(step) * noise * normal(),
    ...(hasNorms
      ? {
          columns: () => ({
            gradientNormSquared: squares(2, 20, normal),
            microGradientNormSquared: squares(5, 60, normal),
            batchSize: 64,
            microBatchSize: 16,
          }),
        }
      : {}),
    ...(evaluationSteps === null
      ? {}
      : { evaluated: { every: evaluationSteps, otherwise: Math.ceil(history.stepCount / 50), at: scores } }),
  }
}

export function runOf(history: History): ReportedJob {
  const { origin, stepCount, cutOff, commands, options } = history
  const course = { fromStep: origin, toStep: origin + stepCount, commands }
  return reportedRun(options, streamOf(history), cutOff === null ? course : { ...course, cutOff })
}

/** The rate that most such optimizers are used at, which bounds what is planned without a measurement. */
export function usualRateMax({ options }: History): number {
  const name = options.optimizer?.name ?? 'sgd'
  return /adam|lion/.test(name) ? 0.001 : 0.1
}
