// Approve mode: the same decisions as in auto, waiting for a person; who answers how, what happens if nobody does, and
// what overrides, guards, budgets and modes make of a question that is open.

import { describe, expect, it } from 'vitest'
import type { Command, Decision } from '../../protocol/vocabulary.ts'
import { summaryOf } from '../index.ts'
import { switchStepOf } from '../state.ts'
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
    const auto = decisionsOf(run({ mode: 'auto' }), 'switch')[0]!
    expect(askedStep).toBe(auto.step)
    expect(first?.test).toEqual(auto.test)
    expect(first).toMatchObject({
      kind: 'switch',
      mode: 'approve',
      phase: { from: 'large', to: 'large' },
      reason: { key: 'anneal-rule', values: { deadline: 1_800, toStep: budgetSteps } },
    })
    expect(first?.reason.values.expiresAtStep).toBeGreaterThanOrEqual(askedStep + 200)
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
    const [expired] = answers(silent)
    expect(expired).toMatchObject({
      status: 'expired',
      rule: { id: 'approval' },
      reason: { key: 'proposal-unanswered', values: { number } },
    })
    expect(expired?.reason.values.steps).toBe(expired!.step - askedStep)
    expect(expired?.reason.values.loss).not.toBeNull()
    const forced = decisionsOf(silent, 'switch').filter(isPlain)
    expect(forced).toMatchObject([
      { step: 1_801, phase: { from: 'large', to: 'anneal' }, reason: { key: 'anneal-deadline' } },
    ])
    expect(silent.state.lifecycle).toBe('finished')
  })

  it('stands alone: at each probe meanwhile a hold says what it waits for', () => {
    const [after] = silent.decisions.filter(({ number: n }) => n > number)
    expect(after).toMatchObject({ kind: 'hold', reason: { key: 'asked', values: { number } } })
    expect(after?.whyNotYet).toBeDefined()
  })
})

describe('a person', () => {
  it('approves: the anneal begins then, and the record says what waiting took', () => {
    const approved = commanded({ [answerStep]: answer('approve', number) })
    const [record] = answers(approved)
    expect(record).toMatchObject({
      status: 'approved',
      answers: number,
      kind: 'switch',
      step: answerStep,
      person: { by: common.by },
      reason: { key: 'anneal-rule', values: { waitedSteps: 20, fromStep: answerStep } },
    })
    expect(record?.evidence.map(({ signal }) => signal)).toEqual(
      expect.arrayContaining(['stepsWaited', 'waitingCost']),
    )
    expect(approved.learningRates[answerStep - 1]).toBe(0.05)
    expect(approved.learningRates[answerStep + 100]).toBeLessThan(0.05)
    expect(approved.state.lifecycle).toBe('finished')
    expect(switchStepOf(approved.state.course)).toBe(answerStep)
    // The question itself stays as it was.
    expect(approved.decisions.find((decision) => decision.number === number)).toEqual(first)
  })

  it('rejects: nothing changes, and nobody is asked again for a tenth of the budget', () => {
    const rejected = commanded({ [answerStep]: answer('reject', number) })
    expect(answers(rejected)[0]).toMatchObject({
      status: 'rejected',
      answers: number,
      reason: { key: 'proposal-refused', values: { askedFromStep: answerStep + 200 } },
    })
    expect(rejected.decisions.some(({ reason }) => reason.key === 'refused')).toBe(true)
    const again = waits(rejected)[1]!
    expect(again.step).toBeGreaterThanOrEqual(answerStep + 200)
    expect(rejected.learningRates[again.step - 1]).toBe(0.05)
  })

  it('answers what does not wait: a record says that nothing was done', () => {
    const late = commanded({ 100: answer('approve', 1), [answerStep]: answer('reject', number + 5) })
    const notes = late.decisions.filter(({ reason }) => reason.key === 'noted-not-asked')
    expect(notes.map(({ reason }) => reason.values.number)).toEqual([1, number + 5])
    expect(answers(late)[0]?.status).toBe('expired')
  })

  it.each<[string, Command]>([
    ['switches by hand', { kind: 'switch-now', ...common }],
    ['finishes', { kind: 'finish', ...common }],
    ['sets the rate', { kind: 'override', learningRate: 0.01, untilStep: 1_700, ...common }],
    ['sets the mode', { kind: 'set-mode', mode: 'auto', ...common }],
    ['sets the budget', { kind: 'set-budget', budgetSteps: 3_000, ...common }],
  ])('%s: the open question is superseded', (_, command) => {
    const result = commanded({ [answerStep]: command }, { stepCount: answerStep + 10 })
    expect(answers(result)).toMatchObject([
      { status: 'superseded', answers: number, reason: { key: 'proposal-overtaken' } },
    ])
    expect(result.state.person.proposal).toBeNull()
    expect(result.state.lifecycle).not.toBe('waiting')
  })

  it('sets the rate and hands it back: only then is the question asked again', () => {
    const override = { kind: 'override', learningRate: 0.01, untilStep: askedStep + 150, ...common } as const
    const result = commanded({ [answerStep]: override })
    expect(waits(result)[1]?.step).toBeGreaterThanOrEqual(askedStep + 150)
    expect(decisionsOf(result, 'hand-back')).toHaveLength(1)
    const early = commanded({ [answerStep]: override, [answerStep + 50]: { kind: 'hand-back', ...common } })
    expect(waits(early)[1]?.step).toBeLessThan(askedStep + 150)
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
    expect(result.state).toMatchObject({ lifecycle: 'running', course: { kind: 'anneal' } })
  })
})

describe('approve mode', () => {
  it('searches where no rate is given', () => {
    const open = syntheticRun({ seed: 1, budgetSteps, mode: 'approve', stepCount: 400 })
    expect(open.decisions[0]?.reason).toMatchObject({ key: 'start-race', values: { deadline: 1_800 } })
    expect(open.state.course.kind).toBe('large')
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
    expect(waits(blind)[0]).toMatchObject({ step: 1_500, reason: { key: 'anneal-fallback-blind' } })
    expect(decisionsOf(blind, 'switch').filter(isPlain)).toMatchObject([
      { step: 1_800, reason: { key: 'anneal-deadline' } },
    ])
    expect(waits(blind)).toHaveLength(2)
    const falling = blind.learningRates.slice(1_800)
    expect(falling).toEqual(falling.toSorted((a, b) => b - a))
    expect(blind.learningRates.at(-1)).toBeLessThan(0.005)
    expect(blind.learningRates[1_799]).toBe(0.05)
  })

  it('without a budget goes on large for as long as nobody answers', () => {
    // Levels off within a few hundred steps.
    const shape = { dimensions: 200, curvatureMin: 0.3, traceSigma: 20, capabilities: allCapabilities }
    const rest = { ...asked, ...shape, budgetSteps: null, stepCount: 8_000 }
    const result = syntheticRun(rest)
    expect(waits(result).length).toBeGreaterThan(1)
    expect(waits(result)[0]?.reason.values.deadline).toBeNull()
    expect(result.state.course.kind).toBe('large')
    expect(answers(result)[0]?.reason.values.loss).toBeNull()
    const at = waits(result)[0]!
    const yes = syntheticRun({
      ...rest,
      stepCount: 12_000,
      commands: { [at.step + 10]: answer('approve', at.number) },
    })
    expect(yes.state.lifecycle).toBe('finished')
    expect(switchStepOf(yes.state.course)).toBe(at.step + 10)
  })

  it('says in the summary which decision waits', () => {
    const { state } = run({ stepCount: askedStep + 5 })
    expect(state.lifecycle).toBe('waiting')
    expect(summaryOf(state).awaitingDecision).toBe(number)
  })

  it('makes of an anneal that was only advised a question', () => {
    const advised = commanded(
      { 1500: { kind: 'set-mode', mode: 'approve', ...common } },
      { mode: 'advisory', stepCount: 1_700 },
    )
    expect(advised.state.course.kind).toBe('large')
    expect(waits(advised).length).toBeGreaterThan(0)
  })
})
