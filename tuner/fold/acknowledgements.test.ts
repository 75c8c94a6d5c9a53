// What the job says about the actions that it was asked for.

import { describe, expect, it } from 'vitest'
import type { Acknowledgement, Action } from '../../protocol/vocabulary.ts'
import { type TunerState, tune } from '../index.ts'
import type { RestoreCause } from '../state.ts'
import { largeState, runState } from '../testing/runState.ts'

const restore: Action = {
  id: 'a-1',
  kind: 'restore',
  atStep: 1_000,
  checkpoint: 'good-0',
  rewindData: false,
  skipBatches: 0,
}
const checkpoint = (name: string): Action => ({
  id: 'a-2',
  kind: 'checkpoint',
  atStep: 900,
  checkpoint: name,
})

/** A run that awaits a restore to weights of run length 400. */
const awaiting = (cause: RestoreCause, change: Parameters<typeof runState>[0] = {}): TunerState =>
  runState({
    actions: [restore],
    trajectory: { validFromStep: 0, awaited: { actionId: 'a-1', cause, sinceStep: 1_000, runLength: 400 } },
    ...change,
    seen: { runLength: 800, ...change.seen },
  })
const answered = (state: TunerState, answer: Partial<Acknowledgement> = {}) =>
  tune(state, {
    kind: 'acknowledgement',
    acknowledgement: { actionId: 'a-1', status: 'done', step: 1_005, detail: '', ...answer },
    number: 50,
    receivedAt: '',
  })

describe('an answer', () => {
  it('to an action that is not outstanding changes nothing', () => {
    const state = awaiting('guard')
    expect(answered(state, { actionId: 'a-7' }).state).toBe(state)
  })

  it('is the end of its action', () => {
    expect(answered(awaiting('guard')).state.actions).toEqual([])
    const again = answered(answered(awaiting('guard')).state)
    expect(again.decisions).toEqual([])
  })
})

describe('a restore that is done', () => {
  it('brings the weights of an earlier run length: samples and probes count from its step on', () => {
    const { state, decisions } = answered(awaiting('guard'))
    expect(decisions).toEqual([])
    expect(state.trajectory).toEqual({ validFromStep: 1_005, awaited: null })
    expect(state.seen.runLength).toBe(400)
  })

  it('lets a climb begin where the job has gone back', () => {
    const ramp = { fromStep: 1_000, toStep: 1_060, fromRate: 0.05 }
    const { state } = answered(awaiting('guard', { course: largeState({ ramp }) }))
    expect(state.course).toMatchObject({ ramp: { fromStep: 1_005, toStep: 1_065, fromRate: 0.05 } })
  })
})

describe('a restore that failed', () => {
  it.each<[RestoreCause, string, string]>([
    ['guard', 'guard', 'not-restored'],
    ['kept', 'hold', 'kept-not-restored'],
    ['start', 'hold', 'start-not-restored'],
  ])('leaves a record with the job’s words: %s', (cause, kind, key) => {
    const { state, decisions } = answered(awaiting(cause), { status: 'failed', detail: 'no space left' })
    expect(decisions).toMatchObject([{ kind, reason: { key, text: 'no space left' } }])
    expect(state.trajectory).toEqual({ validFromStep: 1_005, awaited: null })
    expect(state.seen.runLength).toBe(800)
  })
})

describe('a checkpoint that could not be made', () => {
  const checkpoints = [
    { name: 'good-0', step: 800, runLength: 700 },
    { name: 'good-1', step: 900, runLength: 800 },
  ]
  const asked = (name: string) =>
    runState({
      actions: [checkpoint(name)],
      kept: { step: 900, loss: 0.2 },
      seen: { guard: { ...runState().seen.guard, checkpoints } },
    })
  const failed = (name: string) => answered(asked(name), { actionId: 'a-2', status: 'failed' }).state

  it('is not one to go back to', () => {
    expect(failed('good-1').seen.guard.checkpoints.map(({ name }) => name)).toEqual(['good-0'])
    expect(failed('good-1').kept).toEqual({ step: 900, loss: 0.2 })
  })

  it('of the lowest level is none to anneal from', () => {
    expect(failed('lowest').kept).toBeNull()
    expect(failed('lowest').seen.guard.checkpoints).toEqual(checkpoints)
  })

  it('stands where it was made', () => {
    const made = answered(asked('good-1'), { actionId: 'a-2' }).state
    expect(made.seen.guard.checkpoints).toEqual(checkpoints)
  })
})
