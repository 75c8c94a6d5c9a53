// What becomes of an outcome: actions, phases, records, in one order.

import { describe, expect, it } from 'vitest'
import type { Action } from '../protocol/vocabulary.ts'
import { largeCourse } from './phases/enter.ts'
import type { ActionRequest, Draft, Outcome } from './phases/phase.ts'
import { actionsMax, settle } from './settle.ts'
import { runState } from './testing/runState.ts'

const observation = {
  kind: 'samples',
  columns: { step: [] },
  number: 7,
  receivedAt: '2026-01-01T00:00:00.000Z',
} as const
const settled = (state = runState(), outcome: Partial<Outcome> = {}) =>
  settle({ observation, state, decisions: [], readings: [] }, { course: state.course, ...outcome })
const record = (change: Partial<Draft> = {}): Draft => ({
  kind: 'hold',
  rule: 'race',
  reason: 'origin',
  ...change,
})
const checkpoint = (name: string): ActionRequest => ({ kind: 'checkpoint', atStep: 1_000, checkpoint: name })
const ended = {
  kind: 'done',
  end: 'finished',
  switchStep: null,
  largeRate: null,
  keptLoss: null,
  promised: null,
  reached: null,
} as const

describe('actions', () => {
  it('get ids in the order in which they are asked, the restore first', () => {
    const { state } = settled(runState(), {
      restore: {
        atStep: 1_000,
        checkpoint: 'good-1',
        cause: 'guard',
        rewindData: false,
        skipBatches: 3,
        runLength: 10,
      },
      ask: [checkpoint('good-2')],
    })
    expect(state.actions.map(({ id, kind }) => [id, kind])).toEqual([
      ['a-1', 'restore'],
      ['a-2', 'checkpoint'],
    ])
    expect(state.trajectory.awaited).toEqual({
      actionId: 'a-1',
      cause: 'guard',
      sinceStep: 1_000,
      runLength: 10,
    })
    expect(settled(state, { ask: [checkpoint('x')] }).state.actions.at(-1)?.id).toBe('a-3')
  })

  it('that are pointless are withdrawn, and a checkpoint that was not made yet is asked for once', () => {
    const asked = settled(runState(), { ask: [checkpoint('a'), checkpoint('b')] }).state
    const again = settled(asked, { ask: [checkpoint('a')] }).state
    expect(again.actions.map((action) => 'checkpoint' in action && action.checkpoint)).toEqual(['b', 'a'])
    expect(settled(again, { withdraw: ({ kind }: Action) => kind === 'checkpoint' }).state.actions).toEqual(
      [],
    )
  })

  it('never exceed their bound: the oldest are forgotten', () => {
    const many = Array.from({ length: actionsMax + 10 }, (_, i) => checkpoint(`c-${i}`))
    const { actions } = settled(runState(), { ask: many }).state
    expect(actions).toHaveLength(actionsMax)
    expect(actions.at(-1)?.id).toBe(`a-${actionsMax + 10}`)
  })
})

describe('the history of phases', () => {
  it('ends the last where another begins, where its outcome says that it did', () => {
    const { state } = settled(runState(), { course: ended, sinceStep: 990 })
    expect(state.phases).toEqual([
      { phase: 'large', fromStep: 0, toStep: 990 },
      { phase: 'done', fromStep: 990, toStep: null },
    ])
  })

  it('has no trace of a phase that no step was taken in', () => {
    const there = settled(runState(), { course: ended }).state
    const back = settled(there, { course: largeCourse(1_000, 0.1) }).state
    expect(back.phases).toEqual([{ phase: 'large', fromStep: 0, toStep: null }])
  })

  it('is bounded', () => {
    let state = runState()
    for (let i = 0; i < 200; i++) {
      const moved = { ...state, seen: { ...state.seen, step: 1_000 + 10 * i } }
      state = settled(moved, { course: i % 2 === 0 ? ended : largeCourse(0, 0.1) }).state
    }
    expect(state.phases).toHaveLength(64)
  })
})

describe('records', () => {
  it('are numbered on, and name the observation and its time', () => {
    const { decisions, state } = settled(runState({ decisionCount: 4 }), { records: [record(), record()] })
    expect(decisions).toMatchObject([
      { number: 5, cause: 7, madeAt: observation.receivedAt, step: 1_000 },
      { number: 6, cause: 7 },
    ])
    expect(state.decisionCount).toBe(6)
  })

  it('hold numbers that are finite, or null', () => {
    const values = { a: 1, b: Number.NaN, c: Number.POSITIVE_INFINITY, d: null }
    const { decisions } = settled(runState(), { records: [record({ values })] })
    expect(decisions[0]?.reason.values).toEqual({ a: 1, b: null, c: null, d: null })
  })

  it('are advice where nothing is steered, but for what persons do and what is merely so', () => {
    const statuses = (kind: Draft['kind'], rule: Draft['rule'] = 'marginal-cost') =>
      settled(runState({ mode: 'advisory' }), { records: [record({ kind, rule })] }).decisions[0]?.status
    expect(statuses('hold')).toBe('advisory')
    expect(statuses('guard', 'divergence-guard')).toBe('advisory')
    expect(statuses('hold', 'person')).toBe('applied')
    expect(statuses('drift', 'drift')).toBe('applied')
    expect(settled(runState(), { records: [record()] }).decisions[0]?.status).toBe('applied')
  })
})

describe('a question that waits for a person', () => {
  const proposal = { number: 3, step: 900, expiresAtStep: 1_200, reason: 'rule' } as const
  const waiting = runState({ mode: 'approve', person: { ...runState().person, proposal } })

  it('stands while nothing else is decided, and the run waits', () => {
    const { state, decisions } = settled(waiting, { records: [record()] })
    expect(state.person.proposal).toEqual(proposal)
    expect(state.lifecycle).toBe('waiting')
    expect(decisions).toHaveLength(1)
  })

  it('is superseded where something is, and its end comes first', () => {
    const { state, decisions } = settled(waiting, {
      records: [record({ kind: 'guard', rule: 'divergence-guard' })],
    })
    expect(decisions).toMatchObject([
      { kind: 'switch', status: 'superseded', answers: 3, reason: { key: 'proposal-overtaken' } },
      { kind: 'guard' },
    ])
    expect(state.person.proposal).toBeNull()
    expect(state.lifecycle).toBe('running')
  })

  it('expires where the evidence no longer asks for it, unless evidence is what it wants', () => {
    const unasked = settled(waiting, { endsQuestion: true })
    expect(unasked.decisions).toMatchObject([{ status: 'expired', reason: { key: 'proposal-unasked' } }])
    const fallback = {
      ...waiting,
      person: { ...waiting.person, proposal: { ...proposal, reason: 'fallback' } },
    } as const
    expect(settled(fallback, { endsQuestion: true }).decisions).toEqual([])
  })

  it('is asked by the last record of an outcome', () => {
    const { state } = settled(runState({ mode: 'approve', decisionCount: 8 }), {
      records: [record(), record({ kind: 'switch', status: 'awaiting-approval' })],
      proposes: { expiresAtStep: 1_300, reason: 'rule' },
    })
    expect(state.person.proposal).toEqual({ number: 10, step: 1_000, expiresAtStep: 1_300, reason: 'rule' })
    expect(state.lifecycle).toBe('waiting')
  })
})
