// What a run does after it has come apart, from losses that are not finite at chosen steps.

import { describe, expect, it } from 'vitest'
import type { Action, Capability } from '../../protocol/vocabulary.ts'
import {
  guardCheckpoints,
  guardLargeFactor,
  guardNonFiniteMax,
  guardRateFactor,
  guardRewarmSteps,
  guardSkipBatches,
} from '../constants.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'

const budgetSteps = 3_000
const learningRate = 0.02
// No averaged weights, so no race: the rate is the one given. Slow enough to stay large to the deadline.
const capabilities: readonly Capability[] = ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe']
const slow = { seed: 1, budgetSteps, learningRate, traceSigma: 0.05, capabilities }
const rewarmSteps = Math.min(guardRewarmSteps, Math.ceil(budgetSteps / 50))

/** A run whose loss is NaN for some steps from each of the given ones on. */
function stormy(storms: readonly number[], options: Partial<SyntheticOptions> = {}, length = 8) {
  const isStorm = (step: number) => storms.some((from) => step >= from && step < from + length)
  return syntheticRun({
    ...slow,
    reportedLoss: (step, loss) => (isStorm(step) ? Number.NaN : loss),
    ...options,
  })
}

const guards = (run: ReturnType<typeof stormy>) => decisionsOf(run, 'guard').map(({ summary }) => summary)
const large = (run: ReturnType<typeof stormy>) => run.state.largeLearningRate!

describe('a storm of NaN', () => {
  const run = stormy([1_000])
  const [decision] = decisionsOf(run, 'guard')

  it('trips the guard once, at its fifth step', () => {
    expect(guards(run)).toHaveLength(1)
    expect(decision?.step).toBe(1_000 + guardNonFiniteMax)
    expect(decision?.rule.id).toBe('divergence-guard')
    expect(decision?.summary).toMatch(
      /^Divergence at step 1,005: the loss was not finite at 5 steps in a row\. Back to the weights of step [\d,]+\. /,
    )
  })

  it('asks for the newest good checkpoint and for other batches, and half the rate climbs back', () => {
    const rate = large(run)
    const { fromStep, toStep, from, to } = decision!.plan.segments[0]!
    expect(from).toBeCloseTo(guardRateFactor * rate, 12)
    expect(to).toBeCloseTo(rate, 12)
    expect(toStep - fromStep).toBe(rewarmSteps)
    expect(run.learningRates[1_005 + rewarmSteps + 20]).toBeCloseTo(rate, 12)
  })

  it('leaves the large rate as it is, and the run goes on to its end', () => {
    const calm = stormy([])
    expect(large(run)).toBe(large(calm))
    expect(run.state.lifecycle).toBe('finished')
    expect(run.state.awaitedRestore).toBeNull()
    expect(run.finalLoss).toBeLessThan(0.21)
  })
})

describe('what is asked of the job', () => {
  it('is a restore past some batches, of one of three kept checkpoints', () => {
    const run = stormy([1_500], { restores: 'unanswered', stepCount: 1_520 })
    const restore = run.state.actions.find(({ kind }) => kind === 'restore') as Extract<
      Action,
      { kind: 'restore' }
    >
    expect(restore).toMatchObject({
      rewindData: false,
      skipBatches: Math.min(guardSkipBatches, budgetSteps / 50),
    })
    expect(restore.checkpoint).toMatch(/^good-[0-2]$/)
    expect(run.state.divergence.checkpoints).toHaveLength(guardCheckpoints)
    const steps = run.state.divergence.checkpoints.map(({ step }) => step)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    expect(run.state.awaitedRestore).toBe(restore.id)
  })

  it('ends the run at its budget although the restore is never answered', () => {
    const run = stormy([1_500], { restores: 'unanswered' })
    expect(run.state).toMatchObject({ lifecycle: 'finished', phase: 'done' })
    expect(decisionsOf(run, 'finish')[0]?.step).toBe(budgetSteps)
  })

  it('is waited for and then given up where the job says that it failed, and the record says so', () => {
    const run = stormy([1_500], { restores: 'failed' })
    expect(guards(run)).toHaveLength(2)
    expect(guards(run)[1]).toBe(
      'The checkpoint could not be restored: training goes on from the present weights, with the lowered rate of 0.01.',
    )
    expect(decisionsOf(run, 'guard')[1]).toMatchObject({ step: 1_505, rule: { id: 'divergence-guard' } })
    expect(run.learningRates[1_506]).toBeLessThan(large(run))
    expect(run.state.awaitedRestore).toBeNull()
    expect(run.state.lifecycle).toBe('finished')
  })

  it('that fails takes nothing away but that checkpoint: what was measured stands', () => {
    const failed = stormy([1_000], { restores: 'failed', stepCount: 1_100 })
    const healthy = stormy([], { stepCount: 1_100 })
    expect(failed.state.signals.valley.count).toBe(healthy.state.signals.valley.count)
    expect(failed.state.largeSteps).toBeGreaterThan(0.9 * healthy.state.largeSteps)
    const back = Number(/Back to the weights of step ([\d,]+)/.exec(guards(failed)[0]!)![1]!.replace(',', ''))
    expect(back).toBeGreaterThan(900)
    expect(failed.state.divergence.checkpoints.map(({ step }) => step)).not.toContain(back)
    expect(failed.state.awaitedLargeSteps).toBeNull()
  })

  it('that is done takes the run length and the valley back with the weights', () => {
    const done = stormy([1_000], { stepCount: 1_010 })
    const [{ largeSteps } = { largeSteps: Number.NaN }] = done.state.divergence.checkpoints.slice(-1)
    expect(done.state.largeSteps).toBeLessThan(largeSteps + 10)
    expect(done.state.signals.valley.points.every(({ runLength }) => runLength <= largeSteps)).toBe(true)
  })

  it('may fail at the third trip too: then the anneal goes on from the present weights', () => {
    const run = stormy([1_000, 1_100, 1_200], { restores: 'failed' })
    expect(guards(run).at(-1)).toBe(
      'The checkpoint could not be restored: training goes on from the present weights, with the anneal from 0.014.',
    )
  })
})

describe('a second trip soon after', () => {
  it('lowers the large rate for good', () => {
    const run = stormy([1_000, 1_100])
    expect(guards(run)).toHaveLength(2)
    expect(large(run) / large(stormy([]))).toBeCloseTo(guardLargeFactor, 12)
  })

  it('is a first one again where it comes much later', () => {
    const run = stormy([1_000, 1_800])
    expect(guards(run)).toHaveLength(2)
    expect(large(run)).toBe(large(stormy([])))
  })
})

describe('a third trip', () => {
  const run = stormy([1_000, 1_100, 1_200])
  it('anneals from where the run is', () => {
    const [decision] = decisionsOf(run, 'switch')
    expect(guards(run)).toHaveLength(2)
    expect(decision?.step).toBe(1_200 + guardNonFiniteMax)
    expect(decision?.summary).toContain('the loss diverged a third time (the loss was not finite')
    expect(run.state).toMatchObject({ lifecycle: 'finished', switchStep: 1_205 })
  })

  it('in the anneal halves the rate once more instead of raising it', () => {
    // Deadline at 2,700: every trip is in the anneal.
    const late = stormy([2_740, 2_820, 2_900])
    expect(decisionsOf(late, 'switch')).toHaveLength(1)
    expect(guards(late)).toHaveLength(3)
    for (let step = 2_701; step < late.learningRates.length; step++)
      expect(late.learningRates[step]!, `step ${step}`).toBeLessThanOrEqual(
        late.learningRates[step - 1]! + 1e-12,
      )
  })
})

describe('a fourth trip', () => {
  const run = stormy([1_000, 1_100, 1_200, 1_300])
  it('stops, says so, and keeps the last good weights', () => {
    expect(run.state).toMatchObject({ lifecycle: 'diverged', phase: 'done' })
    const [finish] = decisionsOf(run, 'finish')
    expect(finish?.summary).toMatch(
      /^Stopped at step 1,305: the loss diverged a fourth time \(.*\); the weights of step [\d,]+ are kept\.$/,
    )
    expect(run.learningRates.length).toBeLessThanOrEqual(1_310)
    expect(run.keptLoss).toBeLessThan(0.25)
  })
})

describe('a long storm', () => {
  it('reported at once uses up one attempt, not all: the job has yet to hear of the first', () => {
    const withoutCheckpoint = capabilities.filter((capability) => capability !== 'checkpoint')
    const run = stormy([1_000], { capabilities: withoutCheckpoint, batchSteps: 100 }, 40)
    expect(guards(run)).toHaveLength(1)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('that does not end is given up after four attempts', () => {
    const withoutCheckpoint = capabilities.filter((capability) => capability !== 'checkpoint')
    const run = stormy([1_000], { capabilities: withoutCheckpoint }, 2_000)
    expect(run.state.lifecycle).toBe('diverged')
    expect(run.learningRates.length).toBeLessThan(1_250)
  })
})

describe('a job that cannot go back', () => {
  const withoutCheckpoint = capabilities.filter((capability) => capability !== 'checkpoint')
  it('is slowed down from its present weights', () => {
    const run = stormy([1_000], { capabilities: withoutCheckpoint })
    expect(guards(run)[0]).toBe(
      'Divergence at step 1,005: the loss was not finite at 5 steps in a row. ' +
        'The rate starts again at 0.01 and climbs to 0.02 by step 1,065.',
    )
    expect(run.state.awaitedRestore).toBeNull()
    expect(run.state.actions.some(({ kind }) => kind === 'restore')).toBe(false)
    expect(run.state.lifecycle).toBe('finished')
  })

  it('stops at the fourth trip with the weights that it has', () => {
    const run = stormy([1_000, 1_100, 1_200, 1_300], { capabilities: withoutCheckpoint })
    expect(decisionsOf(run, 'finish')[0]?.summary).toContain('no earlier weights are kept')
  })
})

describe('one bad batch', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e12, -1e12])('never trips: %d', (bad) => {
    const run = syntheticRun({ ...slow, reportedLoss: (step, loss) => (step % 400 === 399 ? bad : loss) })
    expect(decisionsOf(run, 'guard')).toEqual([])
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
