import { describe, expect, it } from 'vitest'
import oracles from './oracles/oracles.json' with { type: 'json' }
import { fitPowerLaw } from './powerLaw.ts'
import { fittedLossAt, slopeAt, type ValleyState, valleySlope } from './valleySlope.ts'

const fed = (runLength: readonly number[], lossOf: (i: number) => number): ValleyState => {
  let state = valleySlope.init()
  for (const [i, S] of runLength.entries())
    state = valleySlope.update(state, { runLength: S, averagedLoss: lossOf(i) })
  return state
}
const lengths = (count: number, apart = 50) => Array.from({ length: count }, (_, i) => apart * (i + 1))

describe('fitPowerLaw', () => {
  it("minimises Huber's loss as SciPy does, with the same covariance", () => {
    for (const { runLength, averagedLoss, oneExponent } of oracles.valleySlope) {
      const dropped = Math.floor(runLength.length * 0.1)
      const points = runLength
        .map((S, i) => ({ x: S / runLength.at(-1)!, y: averagedLoss[i]!, weight: 1 }))
        .slice(dropped)
      const [term] = fitPowerLaw(points, [oneExponent.exponent])!.terms
      // SciPy's general minimiser stops when its steps round away; here it is a fixed point: 1e-6 of either.
      for (const name of ['asymptote', 'amplitude'] as const)
        expect(Math.abs(term![name] / oneExponent[name] - 1)).toBeLessThan(1e-6)
      for (const name of ['asymptoteVariance', 'covariance', 'amplitudeVariance'] as const)
        expect(Math.abs(term![name] / oneExponent[name] - 1)).toBeLessThan(1e-4)
    }
  })

  it('weighs a point that stands for two like two points', () => {
    const points = lengths(12).map((x, i) => ({ x: x / 600, y: 1 / x + 0.01 * Math.sin(9 * i), weight: 2 }))
    const twice = points.flatMap((point) => [
      { ...point, weight: 1 },
      { ...point, weight: 1 },
    ])
    const [once, doubled] = [fitPowerLaw(points, [1])!.terms[0]!, fitPowerLaw(twice, [1])!.terms[0]!]
    // The scale's degrees of freedom differ, so clipped residuals may; without outliers none is clipped.
    expect(once.amplitude).toBeCloseTo(doubled.amplitude, 3)
  })
})

describe('valleySlope', () => {
  it('agrees with an integration over 801 exponents by SciPy', () => {
    for (const { runLength, averagedLoss, slopeNow, slopeLater } of oracles.valleySlope) {
      const { fit } = valleySlope.read(fed(runLength, (i) => averagedLoss[i]!))
      // The refined grid is a coarse quadrature: its value must be right within a quarter of the error told.
      for (const [estimate, expected] of [
        [slopeAt(fit!, runLength.at(-1)!), slopeNow],
        [slopeAt(fit!, slopeLater.runLength), slopeLater],
      ] as const) {
        expect(Math.abs(estimate.value! - expected.value)).toBeLessThan(expected.standardError / 4)
        // With eight points the scale and the autocorrelation jump with the exponent: a factor of 4 either way.
        const within = Math.log(runLength.length > 8 ? 1.1 : 4)
        expect(Math.abs(Math.log(estimate.standardError! / expected.standardError))).toBeLessThan(within)
      }
    }
  })

  it('needs eight probes and says so', () => {
    expect(valleySlope.read(fed(lengths(7), (i) => 1 / (i + 1)))).toEqual({ fit: null, count: 7 })
  })

  it('finds an exact power law', () => {
    const at = (S: number) => 0.3 + 0.5 * (S / 1000) ** -0.5
    const { fit } = valleySlope.read(fed(lengths(20), (i) => at(50 * (i + 1))))
    expect(slopeAt(fit!, 1000).value).toBeCloseTo(0.25e-3, 9)
    expect(fittedLossAt(fit!, 1500).value).toBeCloseTo(at(1500), 9)
    expect(fit!.terms.map((term) => term.exponent)).toEqual([0.5])
  })

  it('tells a rising loss as a negative slope, and a constant one as exactly flat', () => {
    const rising = valleySlope.read(fed(lengths(20), (i) => 1 - 1 / (i + 1))).fit!
    expect(slopeAt(rising, 1000).value).toBeLessThan(0)
    const flat = valleySlope.read(fed(lengths(20), () => 0.7)).fit!
    expect(slopeAt(flat, 1000)).toEqual({ value: 0, standardError: 0, count: 18, needed: 8 })
    // The mean by increments rounds.
    expect(fittedLossAt(flat, 2000).value).toBeCloseTo(0.7, 14)
  })

  it('keeps 128 points of any number of probes, the newest ones unmerged, and loses none', () => {
    const state = fed(lengths(5000), (i) => 1 + (i + 1) ** -0.5)
    expect(state.points.length).toBe(128)
    expect(state.points.reduce((sum, point) => sum + point.count, 0)).toBe(5000)
    expect(state.points.slice(-16).every((point) => point.count === 1)).toBe(true)
    const { fit } = valleySlope.read(state)
    const truth = (0.5 * 5000 ** -1.5) / 50
    // Merging averages a curve over up to 1 % of the run: a few percent of the slope.
    expect(Math.abs(slopeAt(fit!, 250_000).value! / truth - 1)).toBeLessThan(0.05)
  })

  it('leaves out what cannot be placed', () => {
    const state = fed(lengths(3), () => 1)
    for (const sample of [
      { runLength: 200, averagedLoss: Number.NaN },
      { runLength: 200, averagedLoss: Number.NEGATIVE_INFINITY },
      { runLength: 150, averagedLoss: 1 },
      { runLength: 0, averagedLoss: 1 },
      { runLength: Number.POSITIVE_INFINITY, averagedLoss: 1 },
    ])
      expect(valleySlope.update(state, sample)).toBe(state)
  })

  it('gives no fit where the numbers overflow', () => {
    const state = fed(lengths(10), (i) => (i % 2 === 0 ? 1.7e308 : -1.7e308))
    expect(valleySlope.read(state).fit).toBeNull()
  })
})
