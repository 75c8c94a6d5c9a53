// How far decisions reach: the job's own rate under advice, and what a change of the mode takes back.

import { describe, expect, it } from 'vitest'
import { summaryOf } from '../index.ts'
import { largeRateOf } from '../state.ts'
import { byHand, commandedRun, common, slow, switchSteps } from '../testing/commandedRun.ts'
import { allCapabilities, syntheticRun } from '../testing/syntheticRun.ts'

describe('advisory mode', () => {
  const run = syntheticRun({ ...slow, mode: 'advisory' })

  it('leaves the job its own rate, and marks what is decided as advice', () => {
    expect(new Set(run.learningRates)).toEqual(new Set([0.02]))
    expect(run.decisions[0]?.reason.key).toBe('start-advisory')
    const advice = run.decisions.filter(({ kind }) => kind !== 'start' && kind !== 'transition')
    expect(advice.length).toBeGreaterThan(20)
    expect(advice.every(({ status, mode }) => status === 'advisory' && mode === 'advisory')).toBe(true)
    expect(run.asked).toEqual([])
  })

  it('advises the switch once, where auto makes it: at the first probe after the plan’s own', () => {
    const [advised, ...others] = switchSteps(run)
    const [made] = switchSteps(syntheticRun(slow))
    expect(others).toEqual([])
    expect(advised).toBeGreaterThanOrEqual(made!)
    expect(advised).toBeLessThan(made! + 160)
  })

  it('never enters the anneal: what is advised and not done stands in the summary as advice', () => {
    const { state } = syntheticRun({ ...slow, mode: 'advisory', stepCount: 1_990 })
    const [advised] = switchSteps(run)
    expect(state.course).toMatchObject({ kind: 'large', advisedAtStep: advised })
    expect(summaryOf(state)).toMatchObject({
      advice: { step: advised, kind: 'switch' },
      switchStep: null,
      phase: 'large',
    })
    expect(run.state.phases.map(({ phase }) => phase)).toEqual(['large', 'done'])
    expect(summaryOf(run.state)).toMatchObject({ advice: null, switchStep: null })
  })

  it('ends with the budget', () => {
    expect(run.decisions.at(-1)?.reason.key).toBe('budget-used')
    expect(run.state.lifecycle).toBe('finished')
  })
})

describe('mode off', () => {
  it('records signals, and changes of the regime that they show', () => {
    const run = syntheticRun({ ...slow, mode: 'off' })
    const others = run.decisions.filter(({ kind }) => kind !== 'transition')
    expect(others.map(({ reason }) => reason.key)).toEqual(['start-off', 'budget-used'])
    expect(new Set(run.learningRates)).toEqual(new Set([0.02]))
    expect(run.state.seen.signals.valley.count).toBeGreaterThan(20)
    expect(run.asked).toEqual([])
  })
})

describe('another mode', () => {
  const to = (mode: 'auto' | 'advisory' | 'off' | 'approve') =>
    ({ kind: 'set-mode', mode, ...common }) as const

  it('is recorded, with its name as text', () => {
    const run = commandedRun({ 1000: to('approve') }, { stepCount: 1_010 })
    expect(byHand(run)).toEqual(['hold at 1000: mode-set'])
    expect(run.decisions.find(({ reason }) => reason.key === 'mode-set')?.reason.text).toBe('approve')
    expect(run.state.mode).toBe('approve')
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
    expect(run.state.phases.map(({ phase }) => phase)).toEqual(['warmup', 'large', 'done'])
    const done = run.log.flatMap((entry) => (entry.kind === 'acknowledgement' ? [entry.acknowledgement] : []))
    expect(done.filter(({ step }) => step > 30)).toEqual([])
    expect(new Set(run.learningRates.slice(31)).size).toBe(1)
  })

  it('from advisory to auto the tuner steers from the job’s own rate', () => {
    const run = commandedRun({ 1000: to('auto') }, { mode: 'advisory' })
    expect(largeRateOf(run.state.course)).toBe(0.02)
    expect(run.learningRates[1_500]).toBe(0.02)
    expect(run.learningRates[1_999]).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })
})
