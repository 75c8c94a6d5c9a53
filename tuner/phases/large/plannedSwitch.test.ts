// Where the plan puts the anneal, and how a job that has followed it there by itself is met.

import { describe, expect, it } from 'vitest'
import type { Capability, Observation } from '../../../protocol/vocabulary.ts'
import { tune } from '../../index.ts'
import { cadenceOf } from '../../plan/cadence.ts'
import { switchStepOf } from '../../state.ts'
import { largeState, outlookOf, type RunChange, runState } from '../../testing/runState.ts'
import { decisionsOf, movesOf, syntheticRun } from '../../testing/syntheticRun.ts'
import { lastStepOf, plannedSwitchStep } from './large.ts'

/** The planned switch of a run at a step whose evidence points to another one. */
function planned(step: number, earliest: number | null, change: RunChange & { undoneAtStep?: number } = {}) {
  const { undoneAtStep = null, ...rest } = change
  const outlook = earliest === null ? null : outlookOf(0.02, 0.01, earliest)
  const course = largeState({ outlook, undoneAtStep })
  return plannedSwitchStep(runState({ ...rest, course, seen: { step, ...rest.seen } }), course)
}

describe('the planned switch', () => {
  it('is where the evidence points, but never before two more probes can be judged, nor after the deadline', () => {
    const { valleySteps } = cadenceOf(runState({ seen: { step: 2_300 } }))!
    expect(planned(2_300, 2_600)).toBe(2_600)
    expect(planned(2_300, 2_300)).toBe(2_300 + 2 * valleySteps! + 1)
    expect(planned(1_000, 2_990)).toBe(2_700)
    expect(planned(2_800, 2_990)).toBe(2_800)
  })

  it('is never before the rule may switch', () => {
    expect(planned(0, 100)).toBe(2_250)
    expect(planned(200, 300, { options: { capabilities: [] } })).toBe(2_250)
  })

  it('is that of the fallback plan where nothing points anywhere, and the deadline once a switch was undone', () => {
    expect(planned(0, null)).toBe(2_250)
    expect(planned(0, null, { options: { capabilities: [] } })).toBe(2_250)
    expect(planned(0, null, { undoneAtStep: 0 })).toBe(2_700)
  })

  it('is the deadline where a person must approve', () => {
    expect(planned(1_000, 1_200, { mode: 'approve' })).toBe(2_700)
  })

  it('gives a job without held-out data two more evaluations as well, and one with its own distance two of those', () => {
    // Evaluations are 120 steps apart at step 2,250.
    expect(planned(2_250, 2_250, { options: { capabilities: ['microBatchNorms'] } })).toBe(2_491)
    const signals = { ...runState().seen.signals, averagedSteps: [1_650, 1_850, 2_050, 2_250] }
    expect(planned(2_250, 2_250, { seen: { signals } })).toBe(2_651)
  })

  it('counts from the step that the job’s counter began at', () => {
    const late = { budgetSteps: 3_000, seen: { origin: 50_000 } }
    expect(planned(50_000, null, late)).toBe(52_250)
    expect(planned(51_000, 52_990, late)).toBe(52_700)
  })
})

describe('a job that followed its plan into the anneal', () => {
  const slow = {
    seed: 1,
    budgetSteps: 2_000,
    learningRate: 0.02,
    traceSigma: 0.05,
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe'] as readonly Capability[],
  }

  it('is met there: the switch is that of the plan, and so is the phase in the history', () => {
    const { state } = syntheticRun({ ...slow, stepCount: 1_810 })
    expect(switchStepOf(state.course)).toBe(1_800)
    expect(state.phases.at(-1)).toEqual({ phase: 'anneal', fromStep: 1_800, toStep: null })
    expect(state.course).toMatchObject({ reason: 'deadline', fromStep: 1_800 })
  })

  it('is met by the plan that it names, where a later one has the anneal elsewhere', () => {
    const { state, log } = syntheticRun({ ...slow, capabilities: [], stepCount: 500 })
    expect(state.plan.segments.at(-1)).toMatchObject({ phase: 'anneal', fromStep: 1_500 })
    // A plan of its own in which the anneal begins at 510.
    const early = {
      version: state.plan.version,
      segments: state.plan.segments.map((segment) =>
        segment.phase === 'anneal' ? { ...segment, fromStep: 510 } : { ...segment, toStep: 510 },
      ),
    }
    const step = Array.from({ length: 20 }, (_, i) => 500 + i)
    const samples: Observation = {
      kind: 'samples',
      columns: { step, loss: step.map(() => null) },
      planVersion: state.plan.version,
      number: log.length + 1,
      receivedAt: '2026-01-01T00:00:00.000Z',
    }
    const met = tune({ ...state, issued: [early] }, samples)
    expect(switchStepOf(met.state.course)).toBe(510)
    expect(met.decisions[0]?.reason.key).toBe('anneal-fallback-blind')
  })

  it('is not met while a person holds the rate', () => {
    const override = {
      kind: 'override',
      learningRate: 0.02,
      untilStep: 1_900,
      reason: '',
      by: 'test',
    } as const
    const run = syntheticRun({ ...slow, commands: { 1700: override } })
    expect(movesOf(run).filter((move) => move.startsWith('switch'))).toHaveLength(1)
    expect(switchStepOf(run.state.course)).toBeGreaterThanOrEqual(1_900)
  })
})

describe('the end of a budget without an anneal', () => {
  it('comes with the last report of a job that logs each tenth step', () => {
    expect(lastStepOf(runState({ budgetSteps: 3_000, seen: { strideSteps: 10 } }))).toBe(2_991)
    const run = syntheticRun({ seed: 1, budgetSteps: 500, learningRate: 0.02, mode: 'off' })
    expect(decisionsOf(run, 'finish')).toMatchObject([{ step: 500, reason: { key: 'budget-used' } }])
  })
})
