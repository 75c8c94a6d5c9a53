// Closed-loop rows of our own: the built-in trainer under the tuner, from the default rate, from none, from one ten
// times off, and with parts of the evidence withheld.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Capability } from '../../protocol/vocabulary.ts'
import { tunerVersion } from '../../tuner/index.ts'
import { largeRateOf, switchStepOf } from '../../tuner/state.ts'
import { type SteeredOutcome, steeredRun } from '../steeredRun.ts'
import { type BenchTask, jobOf } from '../tasks.ts'
import type { Outcome } from './outcomes.ts'

export type OurRow = {
  readonly row: string
  /** Given rate as a multiple of the default; null = none given. */
  readonly rateFactor: number | null
  readonly withheld: readonly Capability[]
}

export const ourRows: readonly OurRow[] = [
  { row: 'ours', rateFactor: 1, withheld: [] },
  { row: 'ours, no rate given', rateFactor: null, withheld: [] },
  { row: 'ours, rate 10× too high', rateFactor: 10, withheld: [] },
  { row: 'ours, rate 10× too low', rateFactor: 0.1, withheld: [] },
  { row: 'ours, without gradient noise', rateFactor: 1, withheld: ['microBatchNorms'] },
  { row: 'ours, without held-out data', rateFactor: 1, withheld: ['heldOutLoss', 'averagedWeights'] },
  { row: 'ours, no race', rateFactor: 1, withheld: ['checkpoint'] },
]

/** Today, as a date. */
export const today = (): string => new Date().toISOString().slice(0, 10)

export async function ourOutcome(task: BenchTask, row: OurRow, seed: number): Promise<Outcome> {
  const givenRate = row.rateFactor === null ? null : task.defaultRate * row.rateFactor
  const job = jobOf(task, { seed, ...(givenRate === null ? {} : { learningRate: givenRate }) })
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  try {
    const steered = await steeredRun({ ...job, withheld: row.withheld }, folder)
    return outcomeOf(steered, { row: row.row, seed, givenRate })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function outcomeOf(
  { state, summary, testLoss, testAccuracy }: SteeredOutcome,
  known: Pick<Outcome, 'row' | 'seed' | 'givenRate'>,
): Outcome {
  const large = state.phases.find(({ phase }) => phase === 'large')
  return {
    ...known,
    test: { loss: testLoss, accuracy: testAccuracy },
    steps: summary.steps,
    largeRate: largeRateOf(state.course),
    switchStep: switchStepOf(state.course),
    searchSteps: large?.fromStep ?? null,
    tunerVersion,
    date: today(),
  }
}
