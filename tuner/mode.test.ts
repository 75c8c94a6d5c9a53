// How far decisions reach: the job's own rate under advice, and what a change of the mode takes back.

import { describe, expect, it } from 'vitest'
import type { Capability, Command } from '../protocol/vocabulary.ts'
import { valleyStepsMax } from './constants.ts'
import {
  allCapabilities,
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from './testing/syntheticRun.ts'

const budgetSteps = 2_000
const measuring: readonly Capability[] = ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe']
// Without averaged weights there is no race; slow enough to stay large to the deadline at step 1,800.
const slow: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.02,
  traceSigma: 0.05,
  capabilities: measuring,
}
const common = { reason: 'to see', by: 'somebody' }

const commanded = (commands: Readonly<Record<number, Command>>, options: Partial<SyntheticOptions> = {}) =>
  syntheticRun({ ...slow, ...options, commands })
const switchStep = (run: SyntheticResult) => decisionsOf(run, 'switch').map(({ step }) => step)

describe('the mode', () => {
  const to = (mode: 'auto' | 'advisory' | 'off') => ({ kind: 'set-mode', mode, ...common }) as const

  it('advisory leaves the job its own rate, and marks what is decided as advice', () => {
    const run = syntheticRun({ ...slow, mode: 'advisory' })
    expect(new Set(run.learningRates)).toEqual(new Set([0.02]))
    expect(run.decisions.find(({ kind }) => kind === 'start')?.summary).toBe(
      'Advice only, for 2,000 steps: the job keeps its own rate.',
    )
    const advice = run.decisions.filter(({ kind }) => kind !== 'start')
    expect(advice.length).toBeGreaterThan(20)
    expect(advice.every(({ status, mode }) => status === 'advisory' && mode === 'advisory')).toBe(true)
    // It would have switched where auto does: at the first probe after the plan's own switch.
    const [advised] = switchStep(run)
    const [made] = switchStep(syntheticRun(slow))
    expect(advised).toBeGreaterThanOrEqual(made!)
    expect(advised).toBeLessThan(made! + valleyStepsMax)
    expect(run.state.actions.every(({ kind }) => kind === 'probe')).toBe(true)
  })

  it('off records signals only', () => {
    const run = syntheticRun({ ...slow, mode: 'off' })
    expect(run.decisions.map(({ kind }) => kind)).toEqual(['start', 'finish'])
    expect(new Set(run.learningRates)).toEqual(new Set([0.02]))
    expect(run.state.signals.valley.count).toBeGreaterThan(20)
  })

  it('from auto to advisory the job keeps the rate that it has, and nothing more is asked', () => {
    const run = commanded({ 1900: to('advisory') })
    const rate = run.learningRates[1_899]
    expect(rate).toBeLessThan(0.02)
    expect(new Set(run.learningRates.slice(1_900))).toEqual(new Set([rate]))
    expect(run.state.actions).toEqual([])
  })

  it('from auto in a search, the search ends and its restores are taken back', () => {
    const run = commanded({ 30: to('advisory') }, { capabilities: allCapabilities })
    expect(run.state.warmup).toBeNull()
    // All that is still done is the probe where the advised anneal would end.
    const done = run.log.flatMap((entry) => (entry.kind === 'acknowledgement' ? [entry.acknowledgement] : []))
    expect(done.filter(({ step }) => step > 30).map(({ step }) => step)).toEqual([budgetSteps])
    expect(new Set(run.learningRates.slice(31)).size).toBe(1)
  })

  it('from advisory to auto the tuner steers from the job’s own rate', () => {
    const run = commanded({ 1000: to('auto') }, { mode: 'advisory' })
    expect(run.decisions.map(({ summary }) => summary)).toContain('Mode set to auto (to see).')
    expect(run.state.largeLearningRate).toBe(0.02)
    expect(run.learningRates[1_500]).toBe(0.02)
    expect(run.learningRates[1_999]).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })
})
