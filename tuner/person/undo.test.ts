// Undoing a switch on whole runs: by evidence in the anneal, once, and with which weights the run goes on.

import { describe, expect, it } from 'vitest'
import {
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../../testing/syntheticRun.ts'

const budgetSteps = 3_000
const capabilities = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const
const noisy: SyntheticOptions = { seed: 1, budgetSteps, learningRate: 0.03, capabilities }
const undos = (run: SyntheticResult) => decisionsOf(run, 'undo')

describe('a switch that was a mistake', () => {
  // The rule switches before step 1,000; from step 800 on held-out loss falls as it never did before.
  const heldOutExtra = (step: number) => 3 - Math.max(0, step - 800) / 1_000
  const run = syntheticRun({ ...noisy, heldOutExtra })
  const [undo] = undos(run)

  it('is undone at a quarter or at half of the anneal, with the evidence and the test', () => {
    const [first] = decisionsOf(run, 'switch')
    expect(first?.step).toBeLessThan(1_000)
    expect(undo?.step).toBeGreaterThanOrEqual(first!.step + (budgetSteps - first!.step) / 4)
    expect(undo?.step).toBeLessThan(first!.step + (budgetSteps - first!.step) * 0.6)
    expect(undo).toMatchObject({ rule: { id: 'undo' }, phase: { from: 'anneal', to: 'large' } })
    expect(undo?.test).toMatchObject({ relation: '>', satisfied: true })
    expect(undo?.evidence.length).toBeGreaterThan(3)
    expect(undo?.summary).toMatch(
      /^Switch undone at step [\d,]+ \(staying still gains plainly more than annealing after all\): back to 0.03 over 30 steps\.$/,
    )
  })

  it('goes on from the annealed weights: the rate climbs from where it was, and is then the large one again', () => {
    const rates = run.learningRates.slice(undo!.step - 1, undo!.step + 40)
    expect(rates[1]).toBeGreaterThanOrEqual(rates[0]! - 1e-3)
    expect(Math.max(...rates.map((rate, i) => (i === 0 ? 0 : rate - rates[i - 1]!)))).toBeLessThan(0.002)
    expect(rates[35]).toBe(0.03)
  })

  it('is undone once; the run ends annealed and with its budget', () => {
    expect(undos(run)).toHaveLength(1)
    expect(run.state).toMatchObject({ lifecycle: 'finished', step: budgetSteps, isUndone: true })
    expect(run.learningRates.at(-1)).toBeLessThan(0.003)
  })

  it('stands where a person has asked for it', () => {
    const commands = { 500: { kind: 'switch-now', reason: '', by: 'test' } } as const
    expect(undos(syntheticRun({ ...noisy, heldOutExtra, commands }))).toEqual([])
  })
})

describe('a switch on a known valley', () => {
  it('is not undone by evidence: 12 runs from little noise to much', () => {
    const kinds: readonly Partial<SyntheticOptions>[] = [
      { learningRate: 0.02, traceSigma: 1 },
      { learningRate: 0.02, traceSigma: 4, curvatureMin: 1e-3 },
      { learningRate: 0.02, dimensions: 100, curvatureMin: 1e-4 },
      {},
    ]
    const undone = kinds.flatMap((kind) =>
      Array.from({ length: 3 }, (_, i) => i + 1).filter(
        (seed) => undos(syntheticRun({ ...noisy, budgetSteps: 1_000, ...kind, seed })).length > 0,
      ),
    )
    expect(undone).toEqual([])
  })
})

describe('the weights after an undo by hand', () => {
  const common = { reason: '', by: 'test' }
  const job: SyntheticOptions = {
    ...noisy,
    traceSigma: 1,
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe'],
    commands: { 600: { kind: 'switch-now', ...common }, 1900: { kind: 'undo-switch', ...common } },
  }
  /** Held-out loss is worse by .2 from step 1,000 on. */
  const heldOutExtra = (step: number) => (step > 1_000 ? 0.2 : 0)

  it('are those of the switch where over half was annealed and held-out loss is worse', () => {
    const run = syntheticRun({ ...job, heldOutExtra })
    expect(undos(run)[0]?.summary).toContain('steps, from the weights of step 600.')
    expect(run.state).toMatchObject({ lifecycle: 'finished', awaitedRestore: null })
    const restored = run.log.filter((entry) => entry.kind === 'acknowledgement').length
    expect(restored).toBeGreaterThan(0)
    // Run length in large steps counts on from the switch.
    expect(run.state.largeSteps).toBeLessThan(600 + budgetSteps - 1_900)
  })

  it('are the annealed ones otherwise', () => {
    expect(undos(syntheticRun(job))[0]?.summary).not.toContain('from the weights')
    const early = { ...job.commands, 1900: undefined, 1300: { kind: 'undo-switch', ...common } as const }
    const commands = Object.fromEntries(
      Object.entries(early).filter(([, command]) => command !== undefined),
    ) as NonNullable<typeof job.commands>
    expect(undos(syntheticRun({ ...job, heldOutExtra, commands }))[0]?.summary).not.toContain(
      'from the weights',
    )
  })

  it('are the annealed ones where the restore fails, and the record says so', () => {
    const run = syntheticRun({ ...job, heldOutExtra, restores: 'failed' })
    expect(undos(run).map(({ summary }) => summary)[1]).toBe(
      'The earlier weights could not be restored: the rate climbs back from the present ones.',
    )
    expect(run.state).toMatchObject({ lifecycle: 'finished', awaitedLargeSteps: null })
  })
})
