import { describe, expect, it } from 'vitest'
import { overfittingAnnealShare, valleyProbesNeeded } from '../../constants.ts'
import { foldValleyProbe, initialSignals, type SignalsState } from '../../signals/signals.ts'
import { normals, random } from '../../testing/random.ts'
import { decisionsOf, syntheticRun } from '../../testing/syntheticRun.ts'
import { isOverfitting } from './overfitting.ts'

const probed = (state: SignalsState, index: number, loss: number): SignalsState =>
  foldValleyProbe(
    state,
    {
      kind: 'valley',
      step: index,
      set: 'held-out',
      examples: 512,
      seconds: 0,
      raw: { loss: loss + 0.1 },
      averaged: [{ windowSteps: 10, loss }],
    },
    index + 1,
  )

/** Probe at which overfitting is first seen; undefined = never. */
function firstSign(losses: readonly number[]): number | undefined {
  let state = initialSignals(null)
  for (const [index, loss] of losses.entries()) {
    state = probed(state, index, loss)
    if (isOverfitting(state)) return index
  }
  return undefined
}

const probes = 33
const noise = 0.01

/** A course with noise of lag-1 correlation r, told from each of many seeds: probes at which it is first seen. */
function firstSigns(
  course: (probe: number) => number,
  correlation: number,
  runs = 400,
): (number | undefined)[] {
  return Array.from({ length: runs }, (_, seed) => {
    const draw = normals(random(seed))
    let error = noise * draw()
    const losses = Array.from({ length: probes }, (__, probe) => {
      error = correlation * error + Math.sqrt(1 - correlation ** 2) * noise * draw()
      return course(probe) + error
    })
    return firstSign(losses)
  })
}

const share = (signs: readonly (number | undefined)[]): number =>
  signs.filter((sign) => sign !== undefined).length / signs.length

/** Falls for ten probes, then rises by so many deviations of the noise at each. */
const turning = (deviations: number) => (probe: number) =>
  probe < 10 ? 1 + 0.3 * (1 - probe / 10) ** 2 : 1 + deviations * noise * (probe - 10)

describe('the sign of overfitting', () => {
  it.each([
    ['level, independent noise', () => 1, 0],
    ['level, correlated noise', () => 1, 0.5],
    ['falling, independent noise', (probe: number) => 1 + 1 / Math.sqrt(1 + probe), 0],
    ['falling, correlated noise', (probe: number) => 1 + 1 / Math.sqrt(1 + probe), 0.5],
  ])('is seen by mistake in fewer than one run of twenty: %s', (_, course, correlation) => {
    // Measured: 0, 3, 0 and 0 %.
    expect(share(firstSigns(course, correlation))).toBeLessThan(0.05)
  })

  it.each([
    [0.5, 24],
    [1, 23],
    [2, 21],
  ])(
    'is seen where the loss rises by %d deviations a probe from probe 10, in half of the runs by probe %i',
    (rise, by) => {
      const signs = firstSigns(turning(rise), 0).map((sign) => sign ?? probes)
      expect(share(firstSigns(turning(rise), 0))).toBeGreaterThan(0.99)
      expect(signs.toSorted((a, b) => a - b)[signs.length / 2]).toBeLessThanOrEqual(by)
      expect(Math.min(...signs)).toBeGreaterThan(10)
    },
  )

  it(`needs ${valleyProbesNeeded} probes, however clear the rise is`, () => {
    const rise = [1, 1, 1, 1, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5]
    expect(firstSign(rise)).toBeGreaterThanOrEqual(valleyProbesNeeded - 1)
    expect(firstSign(rise.slice(0, valleyProbesNeeded - 1))).toBeUndefined()
  })

  it('is not seen in a constant, nor in one high probe', () => {
    expect(firstSign(Array<number>(20).fill(1))).toBeUndefined()
    const level = Array.from({ length: 20 }, (_, i) => 1 + (i % 2) / 100)
    expect(firstSign(level.with(15, 2))).toBeUndefined()
  })

  it('leaves probes out that are not finite', () => {
    const level = Array.from({ length: 20 }, (_, i) => 1 + (i % 2) / 100)
    expect(firstSign(level.with(12, Number.NaN).with(13, Number.POSITIVE_INFINITY))).toBeUndefined()
  })
})

describe('a run that overfits', () => {
  const options = {
    budgetSteps: 3_000,
    learningRate: 0.02,
    traceSigma: 1,
    capabilities: ['microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'] as const,
  }
  // From step 600 on the held-out loss rises by .004 a probe, many times its scatter.
  const heldOutExtra = (step: number) => Math.max(0, step - 600) / 24_000

  it('switches at once, anneals over half of the steps so far at most, and finishes early with the reason', () => {
    for (const seed of [1, 2, 3]) {
      const run = syntheticRun({ seed, ...options, heldOutExtra })
      const [decision] = decisionsOf(run, 'switch')
      expect(decision?.summary).toContain('held-out loss of the averaged weights has stopped falling')
      const { step } = decision!
      expect(step).toBeLessThan(1_700)
      const end = step + Math.ceil(overfittingAnnealShare * step)
      expect(run.state.lifecycle).toBe('finished')
      // The loss rises on, so the watch may cut the anneal shorter still.
      expect(run.state.step).toBeLessThanOrEqual(end)
      expect(run.state.step).toBeGreaterThan(step)
      expect(run.learningRates).toHaveLength(run.state.step)
    }
  })

  it('and the same run without the rise goes on far longer', () => {
    const run = syntheticRun({ seed: 1, ...options })
    expect(run.state.switchStep).toBeGreaterThan(2_000)
    expect(run.state.step).toBe(3_000)
  })

  it('is not called so by the training loss: without held-out data nothing is known of it', () => {
    const risingLoss = (step: number, loss: number) => loss + Math.max(0, step - 600) / 24_000
    const capabilities = ['microBatchNorms', 'lineProbe'] as const
    const run = syntheticRun({ seed: 1, ...options, capabilities, reportedLoss: risingLoss })
    for (const { summary } of run.decisions) expect(summary).not.toContain('held-out')
  })
})
