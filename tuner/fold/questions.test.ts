// What samples may have to decide by themselves: another objective, a life resumed, restores that nobody answers, limits.

import { describe, expect, it } from 'vitest'
import type { Observation } from '../../protocol/vocabulary.ts'
import { summaryOf, type TunerState, tune } from '../index.ts'
import { normals, random } from '../testing/random.ts'
import { type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'

const draw = normals(random(21))
const scatter = Array.from({ length: 4_000 }, () => 0.02 * draw())
type Row = { readonly loss: number; readonly objective?: string | null }

/** Samples at steps [from, to), one batch; what was decided by them. */
function sampled(state: TunerState, from: number, to: number, rowAt: (step: number) => Row) {
  const step = Array.from({ length: to - from }, (_, i) => from + i)
  const rows = step.map(rowAt)
  const columns = {
    step,
    loss: rows.map(({ loss }) => loss),
    objective: rows.map(({ objective }) => objective ?? null),
  }
  return tune(state, { kind: 'samples', columns, number: 1_000, receivedAt: '' })
}
const keysOf = ({ decisions }: ReturnType<typeof tune>) =>
  decisions.map(({ reason, step }) => `${reason.key} at ${step}`)

const job: SyntheticOptions = {
  seed: 1,
  budgetSteps: 3_000,
  stepCount: 1_000,
  learningRate: 0.02,
  traceSigma: 0.05,
  reportedLoss: (step) => 0.3 + scatter[step]!,
  capabilities: ['microBatchNorms', 'heldOutLoss', 'averagedWeights'],
}
const { state } = syntheticRun(job)

describe('another objective', () => {
  const before = sampled(state, 1_000, 1_050, (step) => ({
    loss: 0.3 + scatter[step]!,
    objective: 'stage-1',
  }))
  const changed = sampled(before.state, 1_050, 1_200, (step) => ({
    loss: 9 + scatter[step]!,
    objective: 'stage-2',
  }))

  it('is no divergence, and its first step is recorded with its name', () => {
    expect(keysOf(before)).toEqual([])
    expect(keysOf(changed)).toEqual(['objective at 1051'])
    expect(changed.decisions[0]).toMatchObject({
      kind: 'hold',
      reason: { text: 'stage-2', values: { step: 1_050 } },
    })
  })

  it('begins anew what was measured: valley, levels, run length, and the first loss of the outcome', () => {
    const { seen, kept, course } = changed.state
    expect(seen.signals.valley.count).toBe(0)
    expect(seen.runLength).toBeLessThan(200)
    expect(seen.signals.firstLoss).toBeCloseTo(9, 1)
    expect(kept).toBeNull()
    expect(course).toMatchObject({ kind: 'large', verdicts: [], outlook: null })
  })

  it('leaves rate and plan as they are', () => {
    expect(changed.state.plan.segments.at(-1)?.toStep).toBe(before.state.plan.segments.at(-1)?.toStep)
    expect(changed.state.course).toMatchObject({ rate: 0.02 })
  })

  it('that is first named, or not named for a while, is none', () => {
    const named = sampled(state, 1_000, 1_050, () => ({ loss: 0.3, objective: 'stage-1' }))
    const unnamed = sampled(named.state, 1_050, 1_100, () => ({ loss: 0.3 }))
    const again = sampled(unnamed.state, 1_100, 1_150, () => ({ loss: 0.3, objective: 'stage-1' }))
    expect([named, unnamed, again].flatMap(keysOf)).toEqual([])
  })
})

describe('a run that goes on from an earlier step', () => {
  const asked = tune(state, { kind: 'resumed', number: 1_000, receivedAt: '' }).state
  const again = sampled(asked, 700, 760, (step) => ({ loss: 0.3 + scatter[step]! }))

  it('is believed where the job has asked for the run again, and says from where to where', () => {
    expect(keysOf(again)).toEqual(['resumed at 701'])
    expect(again.decisions[0]?.reason.values).toEqual({ step: 700, before: 1_000 })
    expect(again.state.seen).toMatchObject({ step: 760, isResumed: false })
  })

  it('forgets what lay beyond that step', () => {
    const { signals, runLength } = again.state.seen
    expect(signals.valley.count).toBe(0)
    expect(Math.max(...signals.lossBlocks.blocks.map(({ step }) => step))).toBeLessThan(760)
    expect(runLength).toBeLessThan(0.8 * state.seen.runLength)
    expect(runLength).toBeGreaterThan(0.5 * state.seen.runLength)
  })

  it('may go on from before the first step that was reported, which is then the first', () => {
    const late = { ...asked, seen: { ...asked.seen, origin: 500 } }
    const earlier = sampled(late, 480, 490, () => ({ loss: 0.3 })).state.seen
    expect(earlier).toMatchObject({ origin: 480, step: 490 })
    expect(earlier.runLength).toBeLessThan(20)
  })

  it('is late where it has not, and moves no clock', () => {
    const late = sampled(state, 700, 760, () => ({ loss: 0.3 }))
    expect(keysOf(late)).toEqual([])
    expect(late.state.seen.step).toBe(1_000)
    expect(late.state.seen.signals.badSamples.outOfOrder).toBe(60)
  })

  it('may as well go on where it was', () => {
    expect(keysOf(sampled(asked, 1_000, 1_050, () => ({ loss: 0.3 })))).toEqual([])
  })

  it('after its end is nothing any more', () => {
    const ended = {
      ...state,
      course: {
        kind: 'done',
        end: 'finished',
        switchStep: null,
        largeRate: null,
        keptLoss: null,
        promised: null,
        reached: null,
      },
    } as const
    expect(tune(ended, { kind: 'resumed', number: 1_000, receivedAt: '' }).state).toBe(ended)
  })
})

describe('a restore that nobody answers', () => {
  const awaiting = (cause: 'guard' | 'kept' | 'start'): TunerState => ({
    ...state,
    actions: [
      { id: 'a-9', kind: 'restore', atStep: 1_000, checkpoint: 'x', rewindData: false, skipBatches: 0 },
    ],
    trajectory: { validFromStep: 0, awaited: { actionId: 'a-9', cause, sinceStep: 1_000, runLength: 500 } },
  })

  it.each(['guard', 'kept', 'start'] as const)('for a twentieth of the budget is given up: %s', (cause) => {
    const given = sampled(awaiting(cause), 1_000, 1_200, () => ({ loss: 0.3 }))
    expect(given.decisions.map(({ reason }) => reason.key)).toEqual(['not-restored'])
    expect(given.decisions[0]?.step).toBeGreaterThan(1_150)
    expect(given.state.trajectory.awaited).toBeNull()
    expect(given.state.actions.filter(({ kind }) => kind === 'restore')).toEqual([])
  })

  it('leaves what is measured meanwhile out: it belongs to weights that may be undone', () => {
    const waiting = sampled(awaiting('guard'), 1_000, 1_100, () => ({ loss: 99 }))
    expect(waiting.decisions).toEqual([])
    expect(waiting.state.seen.runLength).toBe(state.seen.runLength)
    expect(waiting.state.seen.guard).toEqual(state.seen.guard)
  })
})

describe('the limits of a plan', () => {
  it('follow a loss that grows slowly, in newer versions of the plan', () => {
    const grown = sampled(state, 1_000, 1_800, (step) => ({
      loss: 0.3 + (step - 1_000) / 4_000 + scatter[step]!,
    }))
    expect(keysOf(grown).filter((key) => !key.startsWith('anneal'))).toEqual([])
    expect(grown.state.plan.tripwire!.lossAbove!).toBeGreaterThan(state.plan.tripwire!.lossAbove! + 0.1)
    expect(grown.state.plan.version).toBeGreaterThan(state.plan.version)
  })

  it('that a client has passed are told where the guard does not share the alarm', () => {
    const spiked = sampled(state, 1_000, 1_200, (step) => ({
      loss: (step < 1_020 ? 3 : 0.3) + scatter[step]!,
    }))
    expect(spiked.decisions).toMatchObject([{ kind: 'guard', reason: { key: 'tripwire' } }])
    const { limit, rate } = spiked.decisions[0]!.reason.values
    expect(limit).toBe(state.plan.tripwire?.lossAbove)
    expect(rate).toBe(state.plan.tripwire?.thenLearningRate)
    expect(summaryOf(spiked.state).learningRate).toBe(0.02)
  })
})

describe('how reports are cut into batches', () => {
  it('changes nothing of all this', () => {
    const rowAt = (step: number): Row => ({
      loss: (step >= 1_060 && step < 1_080 ? 3 : step >= 1_400 ? 9 : 0.3) + scatter[step]!,
      objective: step >= 1_400 ? 'stage-2' : 'stage-1',
    })
    const whole = sampled(state, 1_000, 1_600, rowAt)
    let [one, decisions] = [state, [] as Observation[] as unknown[]]
    for (let step = 1_000; step < 1_600; step += 7) {
      const part = sampled(one, step, Math.min(step + 7, 1_600), rowAt)
      one = part.state
      decisions = [...decisions, ...part.decisions]
    }
    expect(one).toEqual(whole.state)
    expect(decisions).toEqual(whole.decisions)
    expect(whole.decisions.length).toBeGreaterThanOrEqual(2)
  })
})
