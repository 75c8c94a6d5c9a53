// What a race could know, and how the run would end: for each rate of a grid, the loss of averaged weights after a few
// dozen steps from the start (arms of a race see exactly these), and the final test loss of two fixed plans. At
// 10 and 25 % of the run short forks at other rates over three different stretches of data tell how much of a
// difference between two arms is chance. `npm run bench -- search --curves --task mnist --seeds 1`.

import type { Plan, ValleyProbe } from '../protocol/vocabulary.ts'
import { ownMomentum } from '../trainer/optimizers/optimizers.ts'
import { buildTrainer } from '../trainer/run.ts'
import type { Trainer } from '../trainer/trainer.ts'
import { bestAverage } from '../tuner/estimators/averagedGap.ts'
import { pairedDifference } from '../tuner/estimators/pairedLoss.ts'
import { scoreOf } from '../tuner/phases/search/search.ts'
import { plannedRun } from './steeredRun.ts'
import { type BenchTask, jobOf } from './tasks.ts'

const probeSteps = [20, 40, 60, 80, 120, 160, 240]
const forkShares = [0.1, 0.25]
const forkFactors = [1, 1.8, 0.56]
const forkSteps = 40
const warmupSteps = 10
/** Rates as multiples of the default: a factor of about 3 apart. */
const multiples = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]

/** Trains on; false = the loss is not finite any more. */
async function trained(
  trainer: Trainer,
  stepCount: number,
  rateAt: (step: number) => number,
  momentum: number,
) {
  for (let i = 0; i < stepCount; i++) {
    trainer.step({ learningRate: rateAt(trainer.stepCount), momentum, measureNorm: false })
    if (trainer.unreadCount < 50) continue
    const last = (await trainer.read()).at(-1)
    if (last !== undefined && !Number.isFinite(last.loss)) return false
  }
  await trainer.read()
  return true
}

/** Differences of forks at other rates to the fork at the present one, with their paired errors. */
async function forks(trainer: Trainer, rate: number, momentum: number) {
  const found: { factor: number; stretch: number; difference: number; standardError: number }[] = []
  trainer.checkpoint('fork')
  for (const stretch of [0, 1, 2]) {
    let base: ValleyProbe | undefined
    for (const factor of forkFactors) {
      trainer.restore('fork', { rewindData: true, skipBatches: 61 * stretch })
      await trained(trainer, forkSteps, () => rate * factor, momentum)
      const probe = await trainer.valleyProbe()
      if (base === undefined) base = probe
      else found.push({ factor, stretch, ...pairedDifference(scoreOf(probe, null), scoreOf(base, null)) })
    }
  }
  trainer.restore('fork', { rewindData: true })
  trainer.drop('fork')
  return found
}

function fixedPlans(rate: number, budgetSteps: number): Readonly<Record<string, Plan>> {
  const ramp = { fromStep: 0, toStep: warmupSteps, shape: 'linear', from: rate / 10, to: rate } as const
  const large = (toStep: number) =>
    ({ fromStep: warmupSteps, toStep, shape: 'constant', from: rate, to: rate }) as const
  const anneal = (fromStep: number) =>
    ({ fromStep, toStep: budgetSteps, shape: 'linear', from: rate, to: 0 }) as const
  const late = Math.round(0.3 * budgetSteps)
  return {
    linear: { version: 1, segments: [ramp, anneal(warmupSteps)] },
    anneal70: { version: 1, segments: [ramp, large(late), anneal(late)] },
  }
}

async function curveAt(task: BenchTask, seed: number, rate: number) {
  const job = jobOf(task, { seed })
  const { trainer } = await buildTrainer({ backend: 'wasm', widths: null, batchSize: 128, ...job })
  trainer.setBlockSteps(10)
  const momentum = ownMomentum[task.optimizer]
  const rateAt = (step: number) => rate * Math.min(1, 0.1 + (0.9 * step) / warmupSteps)
  const forkAt = forkShares.map((share) => Math.round(share * task.budgetSteps))
  const curve: object[] = []
  let isSound = true
  for (const at of [...probeSteps, ...forkAt].toSorted((a, b) => a - b)) {
    if (isSound) isSound = await trained(trainer, at - trainer.stepCount, rateAt, momentum)
    if (!isSound) break
    const probe = await trainer.valleyProbe()
    curve.push({ step: at, averagedLoss: bestAverage(probe)?.loss ?? null, score: scoreOf(probe, null) })
    if (forkAt.includes(at)) curve.push({ step: at, forks: await forks(trainer, rate, momentum) })
  }
  trainer.dispose()
  const ends = []
  for (const [name, plan] of Object.entries(fixedPlans(rate, task.budgetSteps)))
    ends.push({ name, ...(await plannedRun(job, plan)) })
  return { rate, curve, ends }
}

export async function searchCurves(task: BenchTask, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds)
    for (const multiple of multiples)
      console.log(
        JSON.stringify({
          task: task.name,
          seed,
          ...(await curveAt(task, seed, multiple * task.defaultRate)),
        }),
      )
}
