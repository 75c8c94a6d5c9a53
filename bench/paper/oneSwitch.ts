// E. Is one switch enough? The tuner against five schedules, all with the same number of steps and of trials: a
// trial is a run at one given rate, and of a seed's trials the one with the best held-out loss counts. The tuner
// races around the given rate, and the steps of its race are steps of its run.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Observation, ValleyProbe } from '../../protocol/vocabulary.ts'
import { steeredRun } from '../steeredRun.ts'
import type { Lab, Subject } from './lab.ts'
import { schedules } from './schedules.ts'
import { kept, type Store } from './store.ts'

export type SwitchSizes = {
  readonly subjects: readonly {
    readonly name: string
    readonly subject: Subject
    readonly budgetSteps: number
  }[]
  readonly seeds: readonly number[]
  readonly rates: readonly number[]
}

export type Trial = {
  readonly rate: number
  readonly heldOutLoss: number | null
  readonly testLoss: number | null
  readonly testAccuracy: number | null
  /** Of the tuner: when it switched, from which rate. */
  readonly switchStep?: number | null
  readonly largeLearningRate?: number | null
}

/** Trials of each row: by seed, then by rate. */
export type RowTrials = { readonly name: string; readonly trials: readonly (readonly Trial[])[] }
export type SwitchResult = readonly { readonly name: string; readonly rows: readonly RowTrials[] }[]

export const tunerRow = 'twostep'
const momentum = 0.9

async function scheduledTrial(
  lab: Lab,
  run: { subject: Subject; seed: number; budgetSteps: number; schedule: string; rate: number },
): Promise<Trial> {
  const { subject, seed, budgetSteps, schedule, rate } = run
  const plan = schedules[schedule]!(rate, budgetSteps)
  const job = lab.start(subject, seed)
  for (let step = 0; step < budgetSteps && !job.isBroken; step++)
    await job.take(1, { learningRate: evaluatePlan(plan, step).learningRate, momentum })
  const heldOut = await job.heldOut()
  const test = await job.test()
  job.dispose()
  return {
    rate,
    heldOutLoss: kept(heldOut.loss),
    testLoss: kept(test.loss),
    testAccuracy: kept(test.accuracy),
  }
}

/** Held-out loss of the weights that were kept, as the tuner's own last probes saw it; NaN without a probe. */
export function keptLoss(log: readonly Observation[], keptWeights: string): number {
  const probes = log.flatMap((observation) =>
    observation.kind === 'probe' && observation.probe.kind === 'valley' ? [observation.probe] : [],
  )
  const lossOf = ({ raw, averaged }: ValleyProbe): number =>
    (keptWeights === 'averaged' ? averaged[0] : raw)?.loss ?? raw.loss
  const isLast = keptWeights === 'last' || keptWeights === 'averaged'
  // A kept checkpoint is the best probe's.
  const losses = (isLast ? probes.slice(-1) : probes).map(lossOf).filter(Number.isFinite)
  return losses.length === 0 ? Number.NaN : Math.min(...losses)
}

async function steeredTrial(run: {
  subject: Subject
  seed: number
  budgetSteps: number
  rate: number
}): Promise<Trial> {
  const { subject, seed, budgetSteps, rate } = run
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  try {
    const { summary, log, testLoss, testAccuracy } = await steeredRun(
      {
        ...subject,
        model: 'mlp',
        optimizer: 'momentum',
        seed,
        budgetSteps,
        learningRate: rate,
        backend: 'wasm',
      },
      folder,
    )
    const { switchStep, largeLearningRate } = summary
    const heldOutLoss = kept(keptLoss(log, summary.kept))
    return {
      rate,
      heldOutLoss,
      testLoss: kept(testLoss),
      testAccuracy: kept(testAccuracy),
      switchStep,
      largeLearningRate,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function runOneSwitch(lab: Lab, store: Store, sizes: SwitchSizes): Promise<SwitchResult> {
  const { subjects, seeds, rates } = sizes
  const tasks = []
  for (const { name, subject, budgetSteps } of subjects) {
    const rows: RowTrials[] = []
    for (const row of [...Object.keys(schedules), tunerRow]) {
      const trials: Trial[][] = []
      for (const seed of seeds) {
        const ofSeed: Trial[] = []
        for (const rate of rates)
          ofSeed.push(
            await store.once(`${name}, ${row}, rate ${rate}, seed ${seed}`, () =>
              row === tunerRow
                ? steeredTrial({ subject, seed, budgetSteps, rate })
                : scheduledTrial(lab, { subject, seed, budgetSteps, schedule: row, rate }),
            ),
          )
        trials.push(ofSeed)
      }
      rows.push({ name: row, trials })
    }
    tasks.push({ name, rows })
  }
  return tasks
}
