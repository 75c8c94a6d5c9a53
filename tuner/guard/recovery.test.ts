// What a run does after it has come apart, from losses that are no numbers, or that lie on another level, at chosen steps.

import { describe, expect, it } from 'vitest'
import type { Capability } from '../../protocol/vocabulary.ts'
import { largeRateOf } from '../state.ts'
import {
  decisionsOf,
  movesOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from '../testing/syntheticRun.ts'

const budgetSteps = 3_000
const learningRate = 0.02
// No averaged weights, so no race: the rate is the one given. Slow enough to stay large to the deadline.
const capabilities: readonly Capability[] = ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe']
const withoutCheckpoint = capabilities.filter((capability) => capability !== 'checkpoint')
const slow = { seed: 1, budgetSteps, learningRate, traceSigma: 0.05, capabilities }
/** 2 % of the budget: how long the rate climbs back, and how many batches are left out. */
const shareSteps = 60

/** A run whose loss is NaN for some steps from each of the given ones on. */
function stormy(storms: readonly number[], options: Partial<SyntheticOptions> = {}, length = 8) {
  const isStorm = (step: number) => storms.some((from) => step >= from && step < from + length)
  return syntheticRun({
    ...slow,
    reportedLoss: (step, loss) => (isStorm(step) ? Number.NaN : loss),
    ...options,
  })
}

/** What the guard did; that a client passed its limit is no deed. */
const guards = (run: SyntheticResult) =>
  decisionsOf(run, 'guard').filter(({ reason }) => reason.key !== 'tripwire')
const guardKeys = (run: SyntheticResult) => guards(run).map(({ reason, step }) => `${reason.key} at ${step}`)
const large = ({ state }: SyntheticResult) => largeRateOf(state.course)
const calm = stormy([])

describe('a storm of NaN', () => {
  const run = stormy([1_000])
  const [decision] = guards(run)

  it('trips the guard once, at its fifth step, and says to which weights it goes back', () => {
    expect(guardKeys(run)).toEqual(['non-finite-loss at 1005'])
    expect(decision).toMatchObject({
      rule: { id: 'divergence-guard' },
      phase: { from: 'large', to: 'large' },
    })
    const { keptStep, count, rate, fromRate, toStep } = decision!.reason.values
    expect(keptStep).toBeGreaterThan(900)
    expect(keptStep).toBeLessThanOrEqual(1_000)
    expect({ count, rate, fromRate, toStep }).toEqual({
      count: 5,
      rate: learningRate,
      fromRate: learningRate / 2,
      toStep: 1_005 + shareSteps,
    })
  })

  it('asks for the newest good checkpoint and for other batches, and half the rate climbs back', () => {
    const { fromStep, toStep, from, to } = decision!.plan.segments[0]!
    expect([fromStep, toStep, from, to]).toEqual([1_005, 1_065, learningRate / 2, learningRate])
    expect(run.learningRates[1_005 + shareSteps + 20]).toBe(learningRate)
  })

  it('leaves the large rate as it is, and the run goes on to its end', () => {
    expect(large(run)).toBe(large(calm))
    expect(run.state.lifecycle).toBe('finished')
    expect(run.state.trajectory.awaited).toBeNull()
    expect(run.finalLoss).toBeLessThan(0.21)
  })
})

describe('what is asked of the job', () => {
  it('is a restore past some batches, of one of three kept checkpoints', () => {
    const run = stormy([1_500], { restores: 'unanswered', stepCount: 1_520 })
    const restore = run.state.actions.find((action) => action.kind === 'restore')!
    expect(restore).toMatchObject({ rewindData: false, skipBatches: shareSteps })
    expect(restore.kind === 'restore' && restore.checkpoint).toMatch(/^good-[0-2]$/)
    const { checkpoints } = run.state.seen.guard
    expect(checkpoints).toHaveLength(3)
    const steps = checkpoints.map(({ step }) => step)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    expect(run.state.trajectory.awaited).toMatchObject({ actionId: restore.id, cause: 'guard' })
  })

  it('is given up where it is not answered for a twentieth of the budget, and the record says so', () => {
    const run = stormy([1_500], { restores: 'unanswered' })
    expect(guards(run).map(({ reason }) => reason.key)).toEqual(['non-finite-loss', 'not-restored'])
    expect(guards(run)[1]?.step).toBeGreaterThan(1_505 + 150)
    expect(guards(run)[1]?.step).toBeLessThan(1_505 + 200)
    expect(run.state.trajectory.awaited).toBeNull()
    expect(decisionsOf(run, 'finish')[0]?.step).toBe(budgetSteps)
  })

  it('is given up at once where the job says that it failed, and the slowed rate stands', () => {
    const run = stormy([1_500], { restores: 'failed' })
    expect(guardKeys(run)).toEqual(['non-finite-loss at 1505', 'not-restored at 1505'])
    expect(guards(run)[1]?.reason.values.rate).toBe(learningRate / 2)
    expect(run.learningRates[1_506]).toBeLessThan(learningRate)
    expect(run.state.trajectory.awaited).toBeNull()
    expect(run.state.lifecycle).toBe('finished')
  })

  it('that fails takes nothing away: what was measured stands', () => {
    const failed = stormy([1_000], { restores: 'failed', stepCount: 1_100 })
    const healthy = stormy([], { stepCount: 1_100 })
    expect(failed.state.seen.signals.valley.count).toBe(healthy.state.seen.signals.valley.count)
    expect(failed.state.seen.runLength).toBeGreaterThan(0.9 * healthy.state.seen.runLength)
  })

  it('that is done takes the run length and the valley back with the weights', () => {
    const done = stormy([1_000], { stepCount: 1_010 })
    const { runLength } = done.state.seen.guard.checkpoints.at(-1)!
    expect(done.state.seen.runLength).toBeLessThan(runLength + 10)
    expect(done.state.seen.signals.valley.points.every((point) => point.runLength <= runLength)).toBe(true)
  })

  it('may fail in the anneal too, which then goes on from the present weights', () => {
    const run = stormy([2_740], { restores: 'failed' })
    expect(guards(run).at(-1)).toMatchObject({ reason: { key: 'not-restored' }, phase: { to: 'anneal' } })
    expect(run.state.lifecycle).toBe('finished')
  })
})

describe('a second trip soon after', () => {
  it('lowers the large rate for good', () => {
    const run = stormy([1_000, 1_100])
    expect(guards(run).map(({ reason }) => reason.values.isForGood)).toEqual([0, 1])
    expect(large(run)! / large(calm)!).toBeCloseTo(0.7, 12)
  })

  it('is a first one again where it comes much later', () => {
    const run = stormy([1_000, 1_800])
    expect(guards(run).map(({ reason }) => reason.values.isForGood)).toEqual([0, 0])
    expect(large(run)).toBe(large(calm))
  })
})

describe('a third trip', () => {
  it('of numbers that are none lowers the rate once more', () => {
    const run = stormy([1_000, 1_100, 1_200])
    expect(guards(run).map(({ reason }) => reason.values.isForGood)).toEqual([0, 1, 1])
    expect(large(run)! / large(calm)!).toBeCloseTo(0.7 ** 2, 12)
    expect(movesOf(run).at(-1)).toMatch(/^finish at 3000: finished/)
  })

  it('in the anneal slows the anneal down, which still ends with the budget', () => {
    // Deadline at 2,700: every trip is in the anneal.
    const run = stormy([2_740, 2_820, 2_900])
    expect(decisionsOf(run, 'switch')).toHaveLength(1)
    expect(guards(run).map(({ phase }) => phase.to)).toEqual(['anneal', 'anneal', 'anneal'])
    expect(Math.max(...run.learningRates.slice(2_741))).toBeLessThanOrEqual(run.learningRates[2_740]!)
    expect(run.state.lifecycle).toBe('finished')
    expect(run.learningRates.at(-1)).toBeLessThan(0.002)
  })
})

describe('a fourth trip', () => {
  it('stops, says so, and keeps the last good weights', () => {
    const run = stormy([1_000, 1_100, 1_200, 1_300])
    const [finish] = decisionsOf(run, 'finish')
    expect(run.state.lifecycle).toBe('diverged')
    expect(finish).toMatchObject({ step: 1_305, reason: { key: 'diverged', text: 'non-finite-loss' } })
    expect(finish?.reason.values.keptStep).toBeGreaterThan(900)
    expect(run.learningRates.length).toBeLessThanOrEqual(1_310)
    expect(run.keptLoss).toBeLessThan(0.25)
    expect(run.state.plan.segments.every(({ from, to }) => from === 0 && to === 0)).toBe(true)
  })
})

describe('a long storm', () => {
  it('reported at once uses up one attempt, not all: the job has yet to hear of the first', () => {
    const run = stormy([1_000], { capabilities: withoutCheckpoint, batchSteps: 100 }, 40)
    expect(guards(run)).toHaveLength(1)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('that does not end is given up after four attempts', () => {
    const run = stormy([1_000], { capabilities: withoutCheckpoint }, 2_000)
    expect(run.state.lifecycle).toBe('diverged')
    expect(run.learningRates.length).toBeLessThan(1_250)
  })
})

describe('a job that cannot go back', () => {
  it('is slowed down from its present weights', () => {
    const run = stormy([1_000], { capabilities: withoutCheckpoint })
    expect(guards(run)[0]?.reason.values).toMatchObject({
      keptStep: null,
      fromRate: learningRate / 2,
      rate: learningRate,
      toStep: 1_065,
    })
    expect(run.asked.some(({ kind }) => kind === 'restore')).toBe(false)
    expect(run.state.trajectory.awaited).toBeNull()
    expect(run.state.lifecycle).toBe('finished')
  })

  it('stops at the fourth trip with the weights that it has', () => {
    const run = stormy([1_000, 1_100, 1_200, 1_300], { capabilities: withoutCheckpoint })
    expect(decisionsOf(run, 'finish')[0]?.reason.values.keptStep).toBeNull()
    expect(run.asked.at(-1)).toMatchObject({ kind: 'finish', keep: 'last' })
  })
})

describe('a finite loss', () => {
  const lossOnly: Partial<SyntheticOptions> = { capabilities: [], traceSigma: 1 }
  /** Each of the given steps puts the loss up by 1, for good. */
  const stairs = (steps: readonly number[]) =>
    syntheticRun({
      ...slow,
      ...lossOnly,
      reportedLoss: (step, loss) => loss + steps.filter((at) => step >= at).length,
    })

  it('that has moved to another level is slowed down for once, and the level is adopted', () => {
    const run = stairs([400])
    expect(guards(run)).toHaveLength(1)
    expect(guards(run)[0]).toMatchObject({
      reason: { key: 'loss-rise', values: { isForGood: 0, keptStep: null } },
    })
    const { from, to } = guards(run)[0]!.reason.values
    expect(to! - from!).toBeCloseTo(1, 1)
    expect(large(run)).toBe(learningRate)
  })

  it('never ends a run nor lowers its rate for good, however many levels it climbs', () => {
    const run = stairs([300, 420, 540, 660, 780])
    expect(guards(run).length).toBeGreaterThanOrEqual(4)
    expect(guards(run).every(({ reason }) => reason.values.isForGood === 0)).toBe(true)
    expect(large(run)).toBe(learningRate)
    expect(run.state.lifecycle).toBe('finished')
    expect(run.state.seen.step).toBe(budgetSteps)
  })

  it('that came back each time and rises again is the rate’s fault: lowered for good, then annealed, never stopped', () => {
    // Up by 1 for 70 of each 400 steps.
    const waves = syntheticRun({
      ...slow,
      ...lossOnly,
      budgetSteps: 10_000,
      reportedLoss: (step, loss) => loss + (step > 1_000 && step % 400 < 70 ? 1 : 0),
    })
    const isForGood = guards(waves).map(({ reason }) => reason.values.isForGood)
    expect(isForGood.slice(0, 2)).toEqual([0, 1])
    const [decision] = decisionsOf(waves, 'switch')
    expect(decision).toMatchObject({
      rule: { id: 'divergence-guard' },
      reason: { key: 'anneal-guard', text: 'loss-rise' },
    })
    expect(decision?.reason.values.to).toBeGreaterThan(decision!.reason.values.from!)
    expect(waves.state.lifecycle).toBe('finished')
    expect(waves.state.seen.step).toBe(10_000)
  })
})

describe('one bad batch', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e12, -1e12])('never trips: %d', (bad) => {
    const run = syntheticRun({ ...slow, reportedLoss: (step, loss) => (step % 400 === 399 ? bad : loss) })
    expect(guards(run)).toEqual([])
  })
})

describe('a real divergence', () => {
  it('at a rate beyond the stable ones ends within reach of the best weights that were kept', () => {
    // Set by hand far too high: the guard acts although the rate is a person's.
    const commands = {
      900: { kind: 'override', learningRate: 6, untilStep: 1_000, reason: 'to see', by: 'test' },
    } as const
    const run = syntheticRun({ ...slow, commands })
    expect(guards(run).length).toBeGreaterThan(0)
    expect(Number.isFinite(run.finalLoss)).toBe(true)
    expect(run.keptLoss).toBeLessThan(0.3)
  })
})
