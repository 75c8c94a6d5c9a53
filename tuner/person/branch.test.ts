// A copy annealed beside the run: what is asked of the job, what comes of its answers, and when there can be none.

import { describe, expect, it } from 'vitest'
import type { Acknowledgement, Command, Decision } from '../../protocol/vocabulary.ts'
import { summaryOf, type TunerState, tune } from '../index.ts'
import { common, slow } from '../testing/commandedRun.ts'
import { runState } from '../testing/runState.ts'
import { allCapabilities, type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'

/** Without checkpoints there is no race. */
const measuring = ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const
const capabilities = [...measuring, 'branch'] as const
const branch = (steps: number | null = null): Command => ({ kind: 'branch', steps, ...common })

type Spoken = { readonly state: TunerState; readonly decisions: readonly Decision[] }
const receivedAt = '2026-01-01T00:00:00.000Z'

function said(state: TunerState, command: Command): Spoken {
  return tune(state, { kind: 'command', command, number: 9_000, receivedAt })
}

function answered(state: TunerState, rest: Partial<Acknowledgement> = {}): Spoken {
  const { id, atStep } = state.actions.find(({ kind }) => kind === 'branch')!
  const acknowledgement = { actionId: id, status: 'done', step: atStep, detail: '', ...rest } as const
  return tune(state, { kind: 'acknowledgement', acknowledgement, number: 9_001, receivedAt })
}

/** In the middle of the large step. */
const at = (stepCount: number, options: Partial<SyntheticOptions> = {}): TunerState =>
  syntheticRun({ ...slow, capabilities, stepCount, ...options }).state

const large = at(1_000)

describe('a person who asks for a branch', () => {
  const { state, decisions } = said(large, branch())

  it('has the job asked for an anneal from here, by a tenth to a quarter of the steps so far', () => {
    const [action] = state.actions.filter(({ kind }) => kind === 'branch')
    expect(action).toMatchObject({ id: 'b-1', atStep: 1_000, shape: 'oneMinusSqrt' })
    const { steps } = action as { steps: number }
    expect(steps).toBeGreaterThanOrEqual(100)
    expect(steps).toBeLessThanOrEqual(250)
  })

  it('is told of it, with the final loss that is expected and who wanted it', () => {
    expect(decisions).toMatchObject([
      {
        kind: 'branch',
        status: 'applied',
        reason: { key: 'branch-begun', values: { fromStep: 1_000, rate: 0.02 } },
        person: { by: common.by, reason: common.reason },
        phase: { from: 'large', to: 'large' },
        promised: { value: expect.any(Number) },
      },
    ])
  })

  it('changes nothing else of the run', () => {
    const { actions, branches, branchCount, decisionCount, ...rest } = state
    const { actions: before, branches: _, branchCount: __, decisionCount: ___, ...restBefore } = large
    expect(rest).toEqual(restBefore)
    expect(actions.slice(0, -1)).toEqual(before)
    expect([branches.length, branchCount, decisionCount]).toEqual([1, 1, large.decisionCount + 1])
  })

  it('may say how long it is, to as many steps as were taken; a longer one is linear', () => {
    const [action] = said(large, branch(900)).state.actions.slice(-1)
    expect(action).toMatchObject({ kind: 'branch', steps: 900, shape: 'linear' })
    const refused = said(large, branch(1_001))
    expect(refused.decisions).toMatchObject([
      { kind: 'hold', reason: { key: 'noted-branch-too-long', values: { steps: 1_001, most: 1_000 } } },
    ])
    expect(refused.state.actions).toEqual(large.actions)
  })

  it('finds it in the summary', () => {
    const [shown] = summaryOf(state).branches
    expect(shown).toMatchObject({ number: decisions[0]!.number, fromStep: 1_000, state: 'asked', loss: null })
    expect(shown).not.toHaveProperty('actionId')
  })
})

describe('what the job says of it', () => {
  const { state, decisions } = said(large, branch(200))
  const begun = decisions[0]!

  it('is a record: what was reached, from which step, and whether that was promised', () => {
    const loss = begun.promised!.value
    const done = answered(state, { branch: { fromStep: 1_012, steps: 200, loss } })
    expect(done.decisions).toMatchObject([
      {
        kind: 'branch',
        reason: { key: 'branch-reached', values: { number: begun.number, fromStep: 1_012, loss } },
        promised: begun.promised,
        reached: loss,
        isInside: true,
      },
    ])
    expect(done.state.actions).toEqual(large.actions)
    expect(done.state.branches).toMatchObject([{ state: 'done', fromStep: 1_012, loss }])
  })

  it('may be that it was not measured, or is no number', () => {
    const silent = answered(state)
    expect(silent.decisions).toMatchObject([{ reason: { key: 'branch-reached' }, reached: null }])
    expect(silent.state.branches).toMatchObject([{ state: 'done', fromStep: 1_000, steps: 200, loss: null }])
    const broken = answered(state, { branch: { fromStep: 1_000, steps: 200, loss: Number.NaN } })
    expect(broken.decisions).toMatchObject([{ reason: { key: 'branch-broken', values: { loss: null } } }])
  })

  it.each(['failed', 'unsupported'] as const)('may be that it was not done: %s', (status) => {
    const failed = answered(state, { status, detail: 'no room' })
    expect(failed.decisions).toMatchObject([{ reason: { key: 'branch-failed', text: 'no room' } }])
    expect(failed.state.branches).toMatchObject([{ state: 'failed', loss: null }])
    expect(said(failed.state, branch()).state.actions.at(-1)).toMatchObject({ id: 'b-2' })
  })

  it('is not awaited from a job that was started again, nor at the end of the run', () => {
    const resumed = tune(state, { kind: 'resumed', number: 9_001, receivedAt })
    expect(resumed.decisions.map(({ reason }) => reason.key)).toEqual(['branch-lost'])
    const ended = said(state, { kind: 'finish', ...common })
    expect(ended.decisions.map(({ reason }) => reason.key)).toEqual(['finished-by-hand', 'branch-left'])
    for (const { actions, branches } of [resumed.state, ended.state]) {
      expect(actions.some(({ kind }) => kind === 'branch')).toBe(false)
      expect(branches).toMatchObject([{ state: 'failed' }])
    }
  })

  it('does not come before the next one can be asked for', () => {
    expect(said(state, branch()).decisions).toMatchObject([
      { kind: 'hold', reason: { key: 'noted-branch-open', values: { fromStep: 1_000 } } },
    ])
    expect(said(answered(state).state, branch()).decisions).toMatchObject([{ kind: 'branch' }])
  })

  it('is kept of sixteen; one that failed makes room', () => {
    let run = answered(said(large, branch(2)).state, { status: 'failed' }).state
    for (let i = 0; i < 16; i++) run = answered(said(run, branch(2)).state).state
    expect(run.branches.map(({ state: one }) => one)).toEqual(Array(16).fill('done'))
    expect(said(run, branch()).decisions).toMatchObject([{ reason: { key: 'noted-branch-full' } }])
  })

  it('outlives a change of course', () => {
    const switched = said(state, { kind: 'switch-now', ...common }).state
    expect(switched.course.kind).toBe('anneal')
    expect(answered(switched).decisions).toMatchObject([{ reason: { key: 'branch-reached' } }])
  })
})

describe('there is none', () => {
  const paused = said(large, { kind: 'pause', ...common }).state
  const annealing = said(large, { kind: 'switch-now', ...common }).state
  const ended = said(large, { kind: 'finish', ...common }).state
  it.each<[string, TunerState, string]>([
    ['where the job does not offer it', at(1_000, { capabilities: measuring }), 'branch-not-offered'],
    ['where nothing is steered', at(1_000, { mode: 'advisory' }), 'branch-not-steered'],
    ['while rates race', at(30, { learningRate: null, capabilities: allCapabilities }), 'branch-racing'],
    ['while the rate climbs', at(50), 'branch-climbing'],
    ['while the run is paused', paused, 'branch-paused'],
    ['while it anneals', annealing, 'annealing'],
    ['after its end', ended, 'ended'],
    ['before two steps are taken', runState({ seen: { step: 1 } }), 'branch-too-long'],
  ])('%s', (_, state, key) => {
    const { state: after, decisions } = said(state, branch())
    expect(decisions).toMatchObject([{ kind: 'hold', reason: { key: `noted-${key}` } }])
    expect({ ...after, decisionCount: 0 }).toEqual({ ...state, decisionCount: 0 })
  })
})
