// Traces by formula, for tests: a valley that falls as a power of the steps, a gap of known size above it, and a
// ground truth with its lowest point at a chosen share of the budget. Milliseconds, and the same for the same seed.

import type { LineProbe, ValleyProbe } from '../../../protocol/vocabulary.ts'
import { createRandom } from '../../../trainer/random.ts'
import { type BenchTask, benchTask } from '../../tasks.ts'
import { annealLengths } from '../../traces/branches.ts'
import type { CheckpointTruth, Score, TaskTraces, TraceRun } from '../../traces/format.ts'
import { headerOf } from '../../traces/generate.ts'
import { forkShares, tracedDistance } from '../../traces/largeRun.ts'

export type MadeUp = {
  readonly name?: string
  readonly budgetSteps?: number
  /** Elapsed share at which an anneal to the end of the budget ends lowest. */
  readonly bestShare?: number
  readonly gap?: number
  readonly rates?: readonly number[]
}

const flat = (loss: number): Score => ({ loss, accuracy: 1 - loss / 4 })

export function madeUpTask({
  name = 'made-up',
  budgetSteps = 2_000,
  rates = [0.03, 0.1],
}: MadeUp = {}): BenchTask {
  return { ...benchTask('digits'), name, budgetSteps, rateGrid: rates }
}

export function madeUpRun(task: BenchTask, key: { rate: number; seed: number }, made: MadeUp = {}): TraceRun {
  const { budgetSteps } = task
  const { bestShare = 0.6, gap = 0.1 } = made
  const random = createRandom(key.seed)
  const valley = (step: number) => 0.2 + 4 / Math.sqrt(step + 4)
  const rateCost = 0.05 * Math.log(key.rate / task.defaultRate) ** 2
  const finalLoss = (share: number, length: number) =>
    0.3 +
    0.2 * (share - bestShare) ** 2 +
    0.01 * Math.abs(Math.log(length / 0.3)) +
    rateCost +
    0.002 * key.seed
  const checkpoints = forkShares.map((share): CheckpointTruth => {
    const step = Math.round(share * budgetSteps)
    const scores = (loss: number) => ({ test: flat(loss), heldOut: flat(loss), train: flat(0.9 * loss) })
    const anneals = annealLengths(step, budgetSteps).map(([annealName, steps]) => ({
      name: annealName,
      toStep: step + steps,
      ...scores(finalLoss(share, steps / budgetSteps)),
    }))
    return { share, step, before: scores(valley(step) + gap), anneals, forks: [] }
  })
  const probes: (ValleyProbe | LineProbe)[] = []
  for (let step = 10; step < budgetSteps; step++) {
    if (step % tracedDistance(step) !== 0) continue
    const level = valley(step) + 0.002 * random.normal()
    const averaged = [10, 20, 40].map((windowSteps) => ({ windowSteps, ...flat(level) }))
    const raw = flat(level + gap)
    probes.push({ kind: 'valley', step, set: 'held-out', examples: 512, seconds: 0.01, raw, averaged })
    if (step % (2 * tracedDistance(step)) === 0)
      probes.push({
        kind: 'line',
        step,
        seconds: 0.01,
        criticalLearningRate: 0.2,
        curvature: 3,
        noiseCurvature: 2,
      })
  }
  const every20 = Array.from({ length: Math.ceil(budgetSteps / 20) }, (_, index) => 20 * index)
  return {
    kind: 'run',
    ...key,
    budgetSteps,
    rampSteps: 20,
    momentum: 0.9,
    batchSize: 64,
    microBatchSize: 16,
    divergedAtStep: null,
    stepSeconds: 0.01,
    signalSeconds: 0,
    loss: Array.from({ length: budgetSteps }, (_, step) => valley(step) + gap + 0.05 * random.normal()),
    columns: {
      gradientNormSquared: { step: every20, value: every20.map(() => 1) },
      microGradientNormSquared: { step: every20, value: every20.map(() => 1.5 + 0.1 * random.normal()) },
    },
    probes,
    checkpoints,
    final: { test: flat(0.6), heldOut: flat(0.6), train: flat(0.5) },
  }
}

export function madeUpTraces(made: MadeUp = {}): TaskTraces {
  const task = madeUpTask(made)
  const runs = task.rateGrid.flatMap((rate) =>
    task.seeds.map((seed) => madeUpRun(task, { rate, seed }, made)),
  )
  return { header: headerOf(task), runs }
}
