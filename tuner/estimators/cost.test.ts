import { describe, expect, it } from 'vitest'
import { cost } from './cost.ts'
import oracles from './oracles/oracles.json' with { type: 'json' }

const step = (stepSeconds: number | null, signalSeconds: number | null) => ({
  stepSeconds,
  signalSeconds,
  probeSeconds: null,
})
const probe = (probeSeconds: number) => ({ stepSeconds: null, signalSeconds: null, probeSeconds })

describe('cost', () => {
  it('gives the shares that NumPy finds', () => {
    const oracle = oracles.cost
    let state = cost.init()
    for (const [i, seconds] of oracle.stepSeconds.entries())
      state = cost.update(state, step(seconds, oracle.signalSeconds[i]!))
    for (const seconds of oracle.probeSeconds) state = cost.update(state, probe(seconds))
    // Sums in another order: rounding only.
    expect(cost.read(state).signalShare).toBeCloseTo(oracle.signalShare, 13)
    expect(cost.read(state).probeShare).toBeCloseTo(oracle.probeShare, 13)
  })

  it('does not know a share of which nothing was reported', () => {
    expect(cost.read(cost.init())).toEqual({ signalShare: null, probeShare: null })
    const state = cost.update(cost.init(), step(2, null))
    expect(cost.read(state)).toEqual({ signalShare: null, probeShare: null })
    expect(cost.read(cost.update(state, step(2, 1)))).toEqual({ signalShare: 0.25, probeShare: null })
    expect(cost.read(cost.update(cost.init(), step(0, 0)))).toEqual({ signalShare: null, probeShare: null })
  })

  it('leaves out impossible seconds', () => {
    const state = cost.update(cost.init(), step(4, 1))
    for (const sample of [step(Number.NaN, 1), step(-1, 0), probe(-3), probe(Number.POSITIVE_INFINITY)])
      expect(cost.read(cost.update(state, sample))).toEqual(cost.read(state))
    // More signal than step: the step counts, its signals do not.
    expect(cost.read(cost.update(state, step(1, 2)))).toEqual({ signalShare: 0.2, probeShare: null })
  })
})
