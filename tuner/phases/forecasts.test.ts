// Forecasts along a whole run: what is weighed at a hold, what is charted, and what the end says of what was promised.

import { describe, expect, it } from 'vitest'
import { initialState, summaryOf, tune } from '../index.ts'
import { decisionsOf, type SyntheticOptions, syntheticRun } from '../testing/syntheticRun.ts'

const job: SyntheticOptions = {
  seed: 1,
  budgetSteps: 3_000,
  learningRate: 0.02,
  capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'],
}

describe('what a hold weighs', () => {
  const hold = decisionsOf(syntheticRun(job), 'hold').at(-1)!

  it('is to anneal as planned, now or never, and to take the averaged weights as they are', () => {
    const kinds = hold.alternatives.map(({ kind, switchStep }) => [kind, switchStep])
    expect(kinds).toEqual([
      ...(hold.earliestStep! > hold.step ? [['at', hold.earliestStep]] : []),
      ['now', hold.step],
      ['never', null],
      ['merge', hold.step],
    ])
    for (const { low, finalLoss, high } of hold.alternatives) {
      expect(low).toBeLessThanOrEqual(finalLoss)
      expect(finalLoss).toBeLessThanOrEqual(high)
    }
  })

  it('puts the noise on the weights that are never annealed, and the probed loss on merged ones', () => {
    const of = (kind: string) => hold.alternatives.find((entry) => entry.kind === kind)!
    const evidence = (signal: string) => hold.evidence.find((entry) => entry.signal === signal)!.value!
    expect(of('never').finalLoss).toBeGreaterThan(of('now').finalLoss)
    expect(of('merge').finalLoss).toBe(evidence('averagedLoss'))
  })

  it('is nothing where no averaged weights are probed', () => {
    const blind = syntheticRun({ ...job, capabilities: ['microBatchNorms'] })
    const all = [...decisionsOf(blind, 'hold'), ...decisionsOf(blind, 'switch')]
    expect(all.length).toBeGreaterThan(0)
    expect(all.every(({ alternatives, promised }) => alternatives.length === 0 && promised == null)).toBe(
      true,
    )
  })
})

describe('a forecast through a run', () => {
  const run = syntheticRun(job)
  const [begun] = decisionsOf(run, 'switch')
  const [ended] = decisionsOf(run, 'finish')

  it('is promised at the switch, and the end says what was reached and whether it came true', () => {
    const { promised } = begun!
    expect(promised!.low).toBeLessThan(promised!.high)
    expect(ended!.promised).toEqual(promised)
    expect(ended!.isInside).toBe(promised!.low <= ended!.reached! && ended!.reached! <= promised!.high)
    expect(ended!.summary).toContain('was promised')
    expect(summaryOf(run.state).forecast).toEqual({
      ...promised,
      reached: ended!.reached,
      isInside: ended!.isInside,
    })
  })

  it('is charted at each probe with its interval, which is narrower in the anneal', () => {
    let state = initialState()
    const readings = run.log.flatMap((observation) => {
      const result = tune(state, observation)
      state = result.state
      return result.readings
    })
    const of = (signal: string) => readings.filter((reading) => reading.signal === signal)
    const [low, high] = [of('forecastLossLow'), of('forecastLossHigh')]
    expect(low.map(({ step }) => step)).toEqual(high.map(({ step }) => step))
    const widthAt = (isIn: (step: number) => boolean) => {
      const widths = low.flatMap(({ step, value }, i) =>
        isIn(step) ? [Math.log(high[i]!.value / value)] : [],
      )
      return widths.reduce((sum, width) => sum + width, 0) / widths.length
    }
    const early = widthAt((step) => step < 1_500)
    expect(widthAt((step) => step > begun!.step)).toBeLessThan(0.5 * early)
  })
})
