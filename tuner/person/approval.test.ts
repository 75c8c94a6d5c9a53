// Approve mode: the same decisions as in auto, waiting for a person; who answers how, what happens if nobody does, and
// what overrides, guards, budgets and modes make of a question that is open.

import { describe, expect, it } from 'vitest'
import type { Command, Decision } from '../../protocol/vocabulary.ts'
import { headline, summaryOf } from '../index.ts'
import { budgetSteps, type CommandsByStep, common, measuring } from '../testing/commandedRun.ts'
import {
  allCapabilities,
  decisionsOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../testing/syntheticRun.ts'

/** Noisy enough to be asked for the switch long before its end. */
const asked: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.05,
  mode: 'approve',
  capabilities: measuring,
}

const run = (options: Partial<SyntheticOptions> = {}) => syntheticRun({ ...asked, ...options })
const commanded = (commands: CommandsByStep, options: Partial<SyntheticOptions> = {}) =>
  run({ ...options, commands })
const waits = (result: SyntheticResult) =>
  result.decisions.filter(({ status }) => status === 'awaiting-approval')
const answers = (result: SyntheticResult) => result.decisions.filter(({ answers }) => answers !== undefined)
const isPlain = ({ status }: Decision) => status === 'applied'
const answer = (kind: 'approve' | 'reject', decision: number) => ({ kind, decision, ...common }) as const

const silent = run()
const [first] = waits(silent)
const number = first!.number
const askedStep = first!.step
const answerStep = askedStep + 20

describe('a decision that changes the plan', () => {
  it('is the one of auto, at the same step, and waits', () => {
    const auto = decisionsOf(run({ mode: 'auto', capabilities: measuring }), 'switch')[0]!
    expect(askedStep).toBe(auto.step)
    expect(first?.test).toEqual(auto.test)
    expect(first).toMatchObject({ kind: 'switch', mode: 'approve', phase: { from: 'large', to: 'large' } })
    expect(first?.summary).toMatch(
      /^Annealing from step [\d,]+ to 2,000 awaits approval until step [\d,]+: staying still gains no more than annealing \(.*\)\. Without an answer the anneal starts at step 1,800\.$/,
    )
  })

  it('leaves the plan as it is: large to the last tenth, then annealed', () => {
    expect(first?.plan.segments.map(({ phase, fromStep, toStep }) => [phase, fromStep, toStep])).toEqual([
      ['large', expect.any(Number), 1_800],
      ['anneal', 1_800, 2_000],
    ])
  })

  it('expires where nobody answers, is asked again, and the anneal is forced at last', () => {
    expect(new Set(silent.learningRates.slice(100, 1_800))).toEqual(new Set([0.05]))
    expect(silent.learningRates.at(-1)).toBeLessThan(0.005)
    expect(waits(silent).length).toBeGreaterThan(1)
    for (const question of waits(silent))
      expect(answers(silent).filter((record) => record.answers === question.number)).toHaveLength(1)
    expect(answers(silent)[0]?.status).toBe('expired')
    expect(answers(silent)[0]?.summary).toMatch(
      /^Decision \d+ is expired: nobody answered\. Waiting took \d+ steps and, by the fitted curve, (cost|gained) [\d.e-]+ of the final loss\.$/,
    )
    const forced = decisionsOf(silent, 'switch').filter(isPlain)
    expect(forced).toMatchObject([{ step: 1_801, phase: { from: 'large', to: 'anneal' } }])
    expect(silent.state.lifecycle).toBe('finished')
  })

  it('stands alone: at each probe meanwhile a hold says what it waits for', () => {
    const after = silent.decisions.filter(({ number: n }) => n > number).slice(0, 2)
    expect(after[0]).toMatchObject({ kind: 'hold' })
    expect(after[0]?.whyNotYet).toMatch(/^Decision \d+ awaits approval until step [\d,]+\.$/)
  })
})

describe('a person', () => {
  it('approves: the anneal begins then, and the record says what waiting took', () => {
    const approved = commanded({ [answerStep]: answer('approve', number) })
    const [record] = answers(approved)
    expect(record).toMatchObject({ status: 'approved', answers: number, kind: 'switch', step: answerStep })
    expect(record?.summary).toMatch(
      /^Approved by hand \(to see\)\. Waiting took 20 steps and, by the fitted curve, (cost|gained) .* of the final loss\. Annealing from step /,
    )
    expect(record?.evidence.map(({ signal }) => signal)).toEqual(
      expect.arrayContaining(['stepsWaited', 'waitingCost']),
    )
    expect(approved.learningRates[answerStep - 1]).toBe(0.05)
    expect(approved.learningRates[answerStep + 100]).toBeLessThan(0.05)
    expect(approved.state).toMatchObject({ lifecycle: 'finished', switchStep: answerStep })
    // The question itself stays as it was.
    expect(approved.decisions.find((decision) => decision.number === number)).toEqual(first)
  })

  it('rejects: nothing changes, and nobody is asked again for a tenth of the budget', () => {
    const rejected = commanded({ [answerStep]: answer('reject', number) })
    expect(answers(rejected)[0]).toMatchObject({ status: 'rejected', answers: number })
    const again = waits(rejected)[1]!
    expect(again.step).toBeGreaterThanOrEqual(answerStep + 200)
    expect(rejected.learningRates[again.step - 1]).toBe(0.05)
  })

  it('answers what does not wait: a record says that nothing was done', () => {
    const late = commanded({ 100: answer('approve', 1), [answerStep]: answer('reject', number + 5) })
    const notes = late.decisions.filter(({ summary }) => summary.startsWith('Nothing done: decision'))
    expect(notes.map(({ summary }) => summary)).toEqual([
      'Nothing done: decision 1 does not await approval.',
      `Nothing done: decision ${number + 5} does not await approval.`,
    ])
    expect(answers(late)[0]?.status).toBe('expired')
  })

  it.each<[string, Command]>([
    ['switches by hand', { kind: 'switch-now', ...common }],
    ['finishes', { kind: 'finish', ...common }],
    ['sets the rate', { kind: 'override', learningRate: 0.01, untilStep: 1_500, ...common }],
    ['sets the mode', { kind: 'set-mode', mode: 'auto', ...common }],
    ['sets the budget', { kind: 'set-budget', budgetSteps: 3_000, ...common }],
  ])('%s: the open question is superseded', (_, command) => {
    const result = commanded({ [answerStep]: command }, { stepCount: answerStep + 10 })
    expect(answers(result)).toMatchObject([{ status: 'superseded', answers: number }])
    expect(result.state.approval.pending).toBeNull()
    expect(result.state.lifecycle).not.toBe('waiting')
  })

  it('sets the rate and hands it back: only then is the question asked again', () => {
    const override = { kind: 'override', learningRate: 0.01, untilStep: askedStep + 300, ...common } as const
    const result = commanded({ [answerStep]: override })
    expect(waits(result)[1]?.step).toBeGreaterThanOrEqual(askedStep + 300)
    expect(decisionsOf(result, 'hand-back')).toHaveLength(1)
    const early = commanded({ [answerStep]: override, [answerStep + 50]: { kind: 'hand-back', ...common } })
    expect(waits(early)[1]?.step).toBeLessThan(askedStep + 300)
  })

  it('pauses and resumes while a question is open', () => {
    const result = commanded(
      {
        [answerStep]: { kind: 'pause', ...common },
        [answerStep + 5]: { kind: 'resume', ...common },
        [answerStep + 10]: answer('approve', number),
      },
      { stepCount: answerStep + 12 },
    )
    expect(answers(result)).toMatchObject([{ status: 'approved' }])
    expect(result.state).toMatchObject({ lifecycle: 'running', phase: 'anneal' })
  })
})

describe('approve mode', () => {
  it('keeps a rate that is given, and searches where none is', () => {
    const given = syntheticRun({ seed: 1, budgetSteps, learningRate: 0.05, mode: 'approve', stepCount: 10 })
    expect(given.decisions[0]?.summary).toBe(
      'Starting for 2,000 steps at the given rate 0.05; in approve mode a given rate is kept. Changes of this plan wait for approval; without an answer the anneal starts at step 1,800.',
    )
    const open = syntheticRun({ seed: 1, budgetSteps, mode: 'approve', stepCount: 400 })
    expect(open.decisions[0]?.summary).toContain('with a range test')
    expect(open.state).toMatchObject({ phase: 'large', warmup: null })
    expect(open.decisions.every(isPlain)).toBe(true)
  })

  it('lets guards act at once', () => {
    const burst = (step: number, loss: number) =>
      step >= askedStep + 4 && step < askedStep + 12 ? Number.NaN : loss
    const result = run({ reportedLoss: burst, stepCount: askedStep + 20 })
    expect(decisionsOf(result, 'guard')).toMatchObject([{ status: 'applied' }])
    expect(answers(result)).toMatchObject([{ status: 'superseded', answers: number }])
  })

  it('asks for the fallback plan where only the loss is reported, and forces it at last', () => {
    const blind = run({ capabilities: [] })
    expect(waits(blind)[0]).toMatchObject({ step: 600 })
    expect(waits(blind)[0]?.summary).toContain('by the fallback plan')
    expect(decisionsOf(blind, 'switch').filter(isPlain)).toMatchObject([{ step: expect.any(Number) }])
    expect(blind.learningRates.at(-1)).toBeLessThan(0.005)
    expect(blind.learningRates[1_799]).toBe(0.05)
  })

  it('without a budget goes on large for as long as nobody answers', () => {
    // Levels off within a thousand steps.
    const shape = { dimensions: 200, curvatureMin: 0.3, traceSigma: 20, capabilities: allCapabilities }
    const rest = { ...asked, ...shape, budgetSteps: null, stepCount: 5_400 }
    const result = syntheticRun(rest)
    expect(waits(result).length).toBeGreaterThan(1)
    expect(waits(result)[0]?.summary).toContain('Without an answer the large step goes on.')
    expect(result.state.phase).toBe('large')
    expect(answers(result)[0]?.summary).toContain('what they cost is not known')
    const at = waits(result)[0]!
    const yes = syntheticRun({
      ...rest,
      stepCount: 12_000,
      commands: { [at.step + 50]: answer('approve', at.number) },
    })
    expect(yes.state).toMatchObject({ lifecycle: 'finished', switchStep: at.step + 50 })
  })

  it('says over everything that it waits, and for what', () => {
    const { state } = run({ stepCount: askedStep + 5 })
    expect(state.lifecycle).toBe('waiting')
    expect(headline(state)).toMatch(
      /^Waiting for you, step [\d,]+ of 2,000: decision \d+, to start annealing, awaits approval until step [\d,]+\. The large step goes on at 0\.05\.$/,
    )
    expect(summaryOf(state).awaitingDecision).toBe(number)
  })

  it('makes of an anneal that was only advised a question', () => {
    const advised = commanded(
      { 1500: { kind: 'set-mode', mode: 'approve', ...common } },
      { mode: 'advisory', stepCount: 1_700 },
    )
    expect(advised.state.phase).toBe('large')
    expect(waits(advised).length).toBeGreaterThan(0)
  })
})
