// Noise is no sign of memorising: a small validation set scatters by as much as a whole run improves, with outliers. In
// doubt the run goes on to its budget; at most one in twenty may be ended falsely, over all looks together.

import { describe, expect, it } from 'vitest'
import type { Capability } from '../../../protocol/vocabulary.ts'
import { random } from '../random.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import { reportedRun, type Stream } from './driven.ts'
import { wholeRunFaults } from './judged.ts'
import { noiseOf } from './streams.ts'

const budgetSteps = 4_000
const offered: readonly Capability[] = ['heldOutLoss', 'averagedWeights', 'checkpoint']

type Scatter = {
  readonly raw: number
  readonly averaged: number
  /** One evaluation in so many is three times as far off; 0 = none. */
  readonly outlierEach?: number
  /** How much of an evaluation's error the next one keeps. */
  readonly kept?: number
}

function scattered(
  { raw, averaged, outlierEach = 20, kept = 0 }: Scatter,
  seed: number,
  every: number | 'asked',
): Stream {
  const normal = noiseOf(seed)
  const draw = random(seed + 1_000)
  const mean = (step: number) => 0.45 + 0.5 * (1 + step / 300) ** -0.8
  let shared = 0
  return {
    loss: (step) => mean(step) + 0.1 * normal(),
    evaluated: {
      every,
      otherwise: 80,
      at: (step) => {
        shared = kept * shared + Math.sqrt(1 - kept * kept) * normal()
        const error = kept > 0 ? shared : normal()
        const times = outlierEach > 0 && draw() < 1 / outlierEach ? 3 : 1
        const own = kept > 0 ? shared : normal()
        return { raw: mean(step) + 0.1 + raw * times * error, averaged: mean(step) + 0.08 + averaged * own }
      },
    },
  }
}

/** Faults of runs that should all reach their budget, by seed. */
function faultsOf(
  scatter: Scatter,
  seeds: number,
  every: number | 'asked',
  more: Partial<ReportedJobOptions> = {},
) {
  const faults: string[] = []
  for (let seed = 0; seed < seeds; seed++) {
    const job = reportedRun(
      {
        budgetSteps,
        learningRate: 0.01,
        optimizer: { name: 'adam' },
        capabilities: offered,
        batchRows: 40,
        ...more,
      },
      scattered(scatter, seed, every),
    )
    const disturbed = job.decisions
      .filter(({ kind }) => kind === 'guard' || kind === 'undo')
      .map(({ kind, step }) => `${kind} at ${step}`)
    const found = [...wholeRunFaults(job, budgetSteps), ...disturbed]
    if (found.length > 0) faults.push(`seed ${seed}: ${found.join(', ')}`)
  }
  return faults
}

const levels: readonly (Scatter & { name: string })[] = [
  { name: 'a fifth of the loss', raw: 0.12, averaged: 0.1 },
  { name: 'a fifth of the loss, raw and averaged alike', raw: 0.12, averaged: 0.1, kept: 0.3 },
  { name: 'a tenth of the loss', raw: 0.06, averaged: 0.05 },
  { name: 'two hundredths of the loss', raw: 0.012, averaged: 0.01 },
  { name: 'a third of the loss', raw: 0.2, averaged: 0.16 },
  { name: 'a fifth, with many outliers', raw: 0.12, averaged: 0.1, outlierEach: 5 },
]

describe.each(levels)('validation noise of $name', (scatter) => {
  it('ends no healthy run early, nor disturbs it, but one in twenty', () => {
    const faults = faultsOf(scatter, 40, 'asked')
    expect(faults.length, faults.join('\n')).toBeLessThanOrEqual(2)
  })

  it('nor where the job has its own distance, says little, or is told late', () => {
    const faults = [
      ...faultsOf(scatter, 10, 40),
      ...faultsOf(scatter, 10, 200),
      ...faultsOf(scatter, 10, 100, { capabilities: ['heldOutLoss', 'averagedWeights'] }),
      ...faultsOf(scatter, 10, 80, { lagSteps: 30, sendsPlanVersion: false }),
    ]
    expect(faults.length, faults.join('\n')).toBeLessThanOrEqual(2)
  })

  it('nor in approve mode', () => {
    const faults = faultsOf(scatter, 10, 'asked', { mode: 'approve' })
    expect(faults.length, faults.join('\n')).toBeLessThanOrEqual(1)
  })
})
