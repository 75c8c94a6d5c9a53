// How far decisions reach: the job's own rate under advice, and what a change of the mode takes back.

import { describe, expect, it } from 'vitest'
import { valleyStepsMax } from '../constants.ts'
import { budgetSteps, commandedRun, common, slow, switchSteps } from '../testing/commandedRun.ts'
import { allCapabilities, syntheticRun } from '../testing/syntheticRun.ts'

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
    const [advised] = switchSteps(run)
    const [made] = switchSteps(syntheticRun(slow))
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
    const run = commandedRun({ 1900: to('advisory') })
    const rate = run.learningRates[1_899]
    expect(rate).toBeLessThan(0.02)
    expect(new Set(run.learningRates.slice(1_900))).toEqual(new Set([rate]))
    expect(run.state.actions).toEqual([])
  })

  it('from auto in a search, the search ends and its restores are taken back', () => {
    const run = commandedRun({ 30: to('advisory') }, { capabilities: allCapabilities })
    expect(run.state.warmup).toBeNull()
    // All that is still done is the probe where the advised anneal would end.
    const done = run.log.flatMap((entry) => (entry.kind === 'acknowledgement' ? [entry.acknowledgement] : []))
    expect(done.filter(({ step }) => step > 30).map(({ step }) => step)).toEqual([budgetSteps])
    expect(new Set(run.learningRates.slice(31)).size).toBe(1)
  })

  it('from advisory to auto the tuner steers from the job’s own rate', () => {
    const run = commandedRun({ 1000: to('auto') }, { mode: 'advisory' })
    expect(run.decisions.map(({ summary }) => summary)).toContain('Mode set to auto (to see).')
    expect(run.state.largeLearningRate).toBe(0.02)
    expect(run.learningRates[1_500]).toBe(0.02)
    expect(run.learningRates[1_999]).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })
})
