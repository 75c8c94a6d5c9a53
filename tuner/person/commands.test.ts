// What a person may ask of a run, and what it does.

import { describe, expect, it } from 'vitest'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Command } from '../../protocol/vocabulary.ts'
import { tune } from '../index.ts'
import { switchStepOf } from '../state.ts'
import { budgetSteps, byHand, commandedRun, common, slow, switchSteps } from '../testing/commandedRun.ts'
import { allCapabilities, decisionsOf, syntheticRun } from '../testing/syntheticRun.ts'

describe('an override', () => {
  const override = { kind: 'override', learningRate: 0.005, untilStep: 700, ...common } as const
  const run = commandedRun({ 500: override })

  it('is applied from the next answer to its last step, and then handed back', () => {
    expect(byHand(run)).toEqual(['override at 500: set-by-hand', 'hand-back at 700: handed-back-in-time'])
    expect(new Set(run.learningRates.slice(500, 700))).toEqual(new Set([0.005]))
    expect(run.learningRates[499]).toBe(0.02)
    expect(run.learningRates[720]).toBe(0.02)
  })

  it('leaves a record of who, why, and what was asked', () => {
    expect(decisionsOf(run, 'override')).toMatchObject([
      {
        status: 'applied',
        person: { by: common.by, reason: common.reason },
        reason: { values: { rate: 0.005, asked: 0.005, untilStep: 700 } },
      },
    ])
  })

  it('is handed back by hand as well', () => {
    const back = commandedRun({ 500: override, 560: { kind: 'hand-back', ...common } })
    expect(byHand(back)).toEqual(['override at 500: set-by-hand', 'hand-back at 560: handed-back'])
    expect(back.learningRates[559]).toBe(0.005)
    expect(back.learningRates[560]).toBe(0.02)
    expect(byHand(commandedRun({ 500: { kind: 'hand-back', ...common } }))).toEqual([
      'hold at 500: noted-no-override',
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
    expect(held.at(-1)?.reason).toMatchObject({ key: 'by-hand', values: { untilStep: 1_950 } })
    expect(long.state.lifecycle).toBe('finished')
  })

  it('lasts to the end of the budget at most', () => {
    const long = commandedRun({ 1500: { ...override, untilStep: 5_000 } })
    expect(decisionsOf(long, 'finish')).toMatchObject([
      { step: budgetSteps, reason: { key: 'budget-used', values: { step: budgetSteps } } },
    ])
  })

  it('is kept within the job’s limits, and the record says what was asked', () => {
    const limited = commandedRun({ 500: override }, { rateLimits: { min: 0.01, max: null } })
    expect(decisionsOf(limited, 'override')[0]?.reason.values).toMatchObject({ rate: 0.01, asked: 0.005 })
    expect(limited.learningRates[600]).toBe(0.01)
  })

  it('is refused where its last step is past', () => {
    expect(byHand(commandedRun({ 500: { ...override, untilStep: 500 } }))).toEqual([
      'hold at 500: noted-override-past',
    ])
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
    expect(decisionsOf(run, 'switch')).toMatchObject([
      {
        step: 600,
        rule: { id: 'person' },
        person: { by: common.by, reason: common.reason },
        reason: { key: 'anneal-command', values: { fromStep: 600, toStep: budgetSteps } },
      },
    ])
    expect(run.learningRates[599]).toBe(0.02)
    expect(run.learningRates[1_999]).toBeLessThan(0.001)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('without a budget anneals over .4 of the steps so far', () => {
    const commands = { 800: { kind: 'switch-now', ...common } } as const
    const open = commandedRun(commands, { budgetSteps: null, stepCount: 3_000 })
    expect(open.state).toMatchObject({ lifecycle: 'finished', seen: { step: 1_120 } })
    const blind = commandedRun(commands, { budgetSteps: null, stepCount: 3_000, capabilities: [] })
    expect(blind.state).toMatchObject({ lifecycle: 'finished', seen: { step: 1_120 } })
  })

  it('ends an override, from its rate on', () => {
    const overridden = commandedRun({
      500: { kind: 'override', learningRate: 0.01, untilStep: 900, ...common },
      600: { kind: 'switch-now', ...common },
    })
    expect(overridden.state.person.override).toBeNull()
    expect(decisionsOf(overridden, 'switch')[0]?.plan.segments[0]).toMatchObject({
      fromStep: 600,
      from: 0.01,
    })
  })

  it('ends a search, and nothing of it is asked any more', () => {
    const searching = commandedRun(
      { 30: { kind: 'switch-now', ...common } },
      { capabilities: allCapabilities },
    )
    expect(switchSteps(searching)).toEqual([30])
    expect(searching.state.lifecycle).toBe('finished')
    expect(searching.asked.filter(({ kind }) => kind === 'restore')).toEqual([])
  })

  it('says so where the anneal is under way', () => {
    const twice = commandedRun({
      600: { kind: 'switch-now', ...common },
      700: { kind: 'switch-now', ...common },
    })
    expect(byHand(twice)).toEqual(['switch at 600: anneal-command', 'hold at 700: noted-annealing'])
  })

  it('is noted where nothing is steered, and the job does as it will', () => {
    const advised = commandedRun({ 600: { kind: 'switch-now', ...common } }, { mode: 'advisory' })
    expect(decisionsOf(advised, 'switch')[0]).toMatchObject({
      status: 'advisory',
      reason: { key: 'anneal-command' },
    })
    expect(switchStepOf(advised.state.course)).toBeNull()
    expect(new Set(advised.learningRates)).toEqual(new Set([0.02]))
  })
})

describe('pausing', () => {
  const pause = { kind: 'pause', ...common } as const
  const resume = { kind: 'resume', ...common } as const

  it('is asked of the job, and taken back by resuming', () => {
    const paused = syntheticRun({ ...slow, commands: { 500: pause }, stepCount: 510 })
    expect(paused.state.lifecycle).toBe('paused')
    const resumed = commandedRun({ 500: pause, 510: resume })
    expect(byHand(resumed)).toEqual(['hold at 500: paused', 'hold at 510: resumed-by-hand'])
    expect(
      resumed.asked.flatMap(({ kind }) => (kind === 'pause' || kind === 'resume' ? [kind] : [])),
    ).toEqual(['pause', 'resume'])
    expect(resumed.state.lifecycle).toBe('finished')
  })

  it.each([
    ['was asked to pause', { 1950: pause }],
    ['was asked to pause and to go on', { 1950: pause, 1960: resume }],
  ])('a job that %s, and has not said so, goes on where the run ends by its budget', (_, commands) => {
    const { state, asked } = commandedRun(commands, {
      mode: 'off',
      cutOff: { fromStep: 1_900, toStep: budgetSteps },
    })
    expect(state.lifecycle).toBe('finished')
    expect(asked.at(-1)).toMatchObject({ kind: 'resume' })
  })

  it('and asking twice changes nothing', () => {
    expect(byHand(commandedRun({ 500: pause, 510: pause }))[1]).toBe('hold at 510: noted-paused-already')
    expect(byHand(commandedRun({ 500: resume }))).toEqual(['hold at 500: noted-not-paused'])
  })
})

describe('finishing by hand', () => {
  const finish = { kind: 'finish', ...common } as const

  it('stops the job at once with the last weights', () => {
    const run = commandedRun({ 500: finish })
    expect(run.learningRates).toHaveLength(500)
    expect(byHand(run)).toEqual(['finish at 500: finished-by-hand'])
    expect(run.asked.at(-1)).toMatchObject({ kind: 'finish', keep: 'last' })
    expect(run.state).toMatchObject({ lifecycle: 'finished', course: { kind: 'done' } })
  })

  it('keeps the averages where the last probe found them better, and says so', () => {
    const averaging = { capabilities: [...allCapabilities], traceSigma: 2, seed: 3 }
    const run = commandedRun({ 1000: finish }, averaging)
    const [ended] = decisionsOf(run, 'finish')
    expect(run.asked.at(-1)).toMatchObject({ kind: 'finish', keep: 'averaged' })
    const { averagedLoss, lastLoss } = ended!.reason.values as Record<string, number>
    expect(averagedLoss).toBeLessThan(lastLoss!)
    // In a search the averages are those of an arm; advice takes no weights away.
    expect(commandedRun({ 20: finish }, averaging).asked.at(-1)).toMatchObject({ keep: 'last' })
    expect(commandedRun({ 1000: finish }, { ...averaging, mode: 'advisory' }).asked.at(-1)).toMatchObject({
      keep: 'last',
    })
  })

  it('works for a job that only takes advice', () => {
    expect(commandedRun({ 500: finish }, { mode: 'advisory' }).learningRates).toHaveLength(500)
  })

  it('leaves nothing to command', () => {
    const { state, log } = commandedRun({ 500: finish })
    const head = { number: log.length + 1, receivedAt: '2026-01-01T00:00:00.000Z' }
    const commands: readonly Command[] = [
      { kind: 'switch-now', ...common },
      { kind: 'undo-switch', ...common },
      { kind: 'override', learningRate: 1, untilStep: 900, ...common },
      { kind: 'set-budget', budgetSteps: 900, ...common },
      { kind: 'set-mode', mode: 'off', ...common },
      { kind: 'approve', decision: 1, ...common },
      { kind: 'pause', ...common },
    ]
    for (const command of commands) {
      const late = tune(state, { ...head, kind: 'command', command })
      expect(late.decisions.map(({ reason }) => reason.key)).toEqual(['noted-ended'])
      expect(late.state.plan).toBe(state.plan)
      expect(late.state.mode).toBe(state.mode)
      // Nor where the job still takes some steps.
      const steps = { step: [500, 501], loss: [1, 1] }
      const after = tune(state, { ...head, kind: 'samples', columns: steps }).state
      expect(tune(after, { ...head, kind: 'command', command }).state.plan).toBe(state.plan)
    }
  })
})
