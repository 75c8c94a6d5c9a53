// What a person may ask of a run, and what it does.

import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../../protocol/plan.ts'
import { tune } from '../index.ts'
import {
  budgetSteps,
  byHand,
  commandedRun,
  common,
  firstByHand,
  slow,
  switchSteps,
} from '../testing/commandedRun.ts'
import { allCapabilities, decisionsOf, syntheticRun } from '../testing/syntheticRun.ts'

describe('an override', () => {
  const override = { kind: 'override', learningRate: 0.005, untilStep: 700, ...common } as const
  const run = commandedRun({ 500: override })

  it('is applied from the next answer to its last step, and then handed back', () => {
    expect(byHand(run)).toEqual([
      'Set by hand: 0.005 until step 700 (to see).',
      'Handed back at step 700, as its last step has come: the rate is 0.02 again.',
    ])
    expect(new Set(run.learningRates.slice(500, 700))).toEqual(new Set([0.005]))
    expect(run.learningRates[499]).toBe(0.02)
    expect(run.learningRates[720]).toBe(0.02)
    expect(decisionsOf(run, 'override')[0]?.status).toBe('applied')
  })

  it('is handed back by hand as well', () => {
    const back = commandedRun({ 500: override, 560: { kind: 'hand-back', ...common } })
    expect(byHand(back)[1]).toBe('Handed back at step 560 (to see): the rate is 0.02 again.')
    expect(back.learningRates[559]).toBe(0.005)
    expect(back.learningRates[560]).toBe(0.02)
    expect(byHand(commandedRun({ 500: { kind: 'hand-back', ...common } }))).toEqual([
      'Nothing done: no override is in force.',
    ])
  })

  it('is a client’s to follow alone: the plan holds the rate to its last step and then goes on', () => {
    const [{ plan } = { plan: undefined }] = decisionsOf(run, 'override')
    const rates = [500, 699, 700, 1_999].map((step) => evaluatePlan(plan!, step).learningRate)
    expect(rates.slice(0, 3)).toEqual([0.005, 0.005, 0.02])
    expect(rates[3]).toBeLessThan(0.001)
  })

  it('always wins: neither the rule nor the deadline switches while it is in force', () => {
    const long = commandedRun({ 1500: { ...override, learningRate: 0.03, untilStep: 1_950 } })
    expect(new Set(long.learningRates.slice(1_500, 1_950))).toEqual(new Set([0.03]))
    const held = long.decisions.filter(({ step }) => step > 1_500 && step < 1_950)
    expect(held.every(({ kind }) => kind === 'override' || kind === 'hold')).toBe(true)
    expect(held.at(-1)?.whyNotYet).toBe('The rate is set by hand until step 1,950.')
    expect(long.state).toMatchObject({ lifecycle: 'finished', step: budgetSteps })
  })

  it('lasts to the end of the budget at most', () => {
    const long = commandedRun({ 1500: { ...override, untilStep: 5_000 } })
    expect(long.state).toMatchObject({ lifecycle: 'finished', step: budgetSteps })
    expect(decisionsOf(long, 'finish')[0]?.summary).toBe(
      'Finished at step 2,000: the budget is used up; the last weights are kept.',
    )
  })

  it('is refused where its last step is past', () => {
    expect(firstByHand(commandedRun({ 500: { ...override, untilStep: 500 } }))).toBe(
      'Nothing done: the override was to end at step 500, and step 500 is past it.',
    )
  })

  it('is replaced by a later one', () => {
    const again = commandedRun({ 500: override, 600: { ...override, learningRate: 0.01, untilStep: 650 } })
    expect(again.learningRates[599]).toBe(0.005)
    expect(again.learningRates[600]).toBe(0.01)
    expect(again.learningRates[670]).toBe(0.02)
  })
})

describe('switching by hand', () => {
  const run = commandedRun({ 600: { kind: 'switch-now', ...common } })

  it('anneals from the present step to the end of the budget, and says who asked', () => {
    expect(switchSteps(run)).toEqual([600])
    expect(decisionsOf(run, 'switch')[0]?.summary).toBe(
      'Annealing from step 600 to 2,000: asked for by hand (to see).',
    )
    expect(run.learningRates[599]).toBe(0.02)
    expect(run.learningRates[1_999]).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('without a budget anneals over as many steps as are worth it, at most those so far', () => {
    const open = commandedRun(
      { 800: { kind: 'switch-now', ...common } },
      { budgetSteps: null, stepCount: 3_000 },
    )
    expect(open.state).toMatchObject({ lifecycle: 'finished', step: 1_600 })
    // With the loss alone nothing is measured: a quarter of the steps so far.
    const blind = commandedRun(
      { 800: { kind: 'switch-now', ...common } },
      { budgetSteps: null, stepCount: 3_000, capabilities: [] },
    )
    expect(blind.state).toMatchObject({ lifecycle: 'finished', step: 1_000 })
  })

  it('ends an override, and a search', () => {
    const overridden = commandedRun({
      500: { kind: 'override', learningRate: 0.01, untilStep: 900, ...common },
      600: { kind: 'switch-now', ...common },
    })
    expect(overridden.state.override).toBeNull()
    expect(decisionsOf(overridden, 'switch')[0]?.plan.segments[0]).toMatchObject({
      fromStep: 600,
      from: 0.01,
    })
    const searching = commandedRun(
      { 30: { kind: 'switch-now', ...common } },
      { capabilities: allCapabilities },
    )
    expect(switchSteps(searching)).toEqual([30])
    expect(searching.state).toMatchObject({ lifecycle: 'finished', warmup: null })
  })

  it('says so where the anneal is under way', () => {
    const twice = commandedRun({
      600: { kind: 'switch-now', ...common },
      700: { kind: 'switch-now', ...common },
    })
    expect(byHand(twice)).toEqual(['Nothing done: the anneal is already under way.'])
  })
})

describe('undoing a switch', () => {
  const switchNow = { kind: 'switch-now', ...common } as const
  const undo = { kind: 'undo-switch', ...common } as const

  it('climbs back to the large rate over 1 % of the budget', () => {
    const run = commandedRun({ 600: switchNow, 1000: undo })
    expect(byHand(run)).toEqual(['Switch undone at step 1,000 (to see): back to 0.02 over 20 steps.'])
    expect(run.learningRates[999]).toBeLessThan(0.02)
    expect(run.learningRates[1_030]).toBe(0.02)
    expect(run.state.phases.map(({ phase, fromStep }) => `${phase} from ${fromStep}`)).toEqual([
      'large from 0',
      'anneal from 600',
      'large from 1000',
      'anneal from 1800',
      'done from 2000',
    ])
  })

  it('lasts for a job that only reports its loss: it stays large until the switch is forced', () => {
    const run = commandedRun({ 1000: undo }, { capabilities: [] })
    expect(switchSteps(run)).toEqual([601, 1_801])
    expect(run.learningRates[1_750]).toBe(0.02)
  })

  it('is refused when under a fifth of the budget is left, and where there is no switch', () => {
    expect(byHand(commandedRun({ 600: switchNow, 1601: undo }))).toEqual([
      'Too late to undo: under 20 % of the budget is left.',
    ])
    expect(byHand(commandedRun({ 600: switchNow, 1600: undo }))).toHaveLength(1)
    expect(byHand(commandedRun({ 600: undo }))).toEqual(['Nothing done: there is no switch to undo.'])
  })
})

describe('pausing', () => {
  const pause = { kind: 'pause', ...common } as const
  const resume = { kind: 'resume', ...common } as const

  it('is asked of the job, and taken back by resuming', () => {
    const paused = syntheticRun({ ...slow, commands: { 500: pause }, stepCount: 510 })
    expect(paused.state.lifecycle).toBe('paused')
    const resumed = commandedRun({ 500: pause, 510: resume })
    expect(byHand(resumed)).toEqual(['Paused at step 500 by hand.', 'Resumed at step 510 by hand.'])
    expect(resumed.state.lifecycle).toBe('finished')
  })

  it('and asking twice changes nothing', () => {
    expect(byHand(commandedRun({ 500: pause, 510: pause }))[1]).toBe('Nothing done: the run is paused.')
    expect(byHand(commandedRun({ 500: resume }))).toEqual(['Nothing done: the run is running.'])
  })
})

describe('finishing by hand', () => {
  it('stops the job at once with the last weights', () => {
    const run = commandedRun({ 500: { kind: 'finish', ...common } })
    expect(run.learningRates).toHaveLength(500)
    expect(decisionsOf(run, 'finish')[0]?.summary).toBe('Finished at step 500 by hand (to see).')
    expect(run.state).toMatchObject({ lifecycle: 'finished', phase: 'done' })
  })

  it('works for a job that only takes advice', () => {
    const run = commandedRun({ 500: { kind: 'finish', ...common } }, { mode: 'advisory' })
    expect(run.learningRates).toHaveLength(500)
  })

  it('leaves nothing to command', () => {
    const { state, log } = commandedRun({ 500: { kind: 'finish', ...common } })
    const head = { number: log.length + 1, receivedAt: '2026-01-01T00:00:00.000Z' }
    const late = tune(state, { ...head, kind: 'command', command: { kind: 'switch-now', ...common } })
    expect(late.decisions.map(({ summary }) => summary)).toEqual([
      'Nothing done: the run has ended (switch-now).',
    ])
    expect(late.state.plan).toBe(state.plan)
  })
})
