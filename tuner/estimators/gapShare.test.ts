import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GapShareState, gapShare, gapSharePower, gapSharesNeeded } from './gapShare.ts'

type Sample = Parameters<typeof gapShare.update>[1]
const probe = (raw: number, averaged: number | null, learningRate: number | null, more = {}): Sample => ({
  set: 'held-out',
  raw: { loss: raw },
  averaged: averaged === null ? [] : [{ windowSteps: 10, loss: averaged }],
  learningRate,
  ...more,
})
const after = (probes: readonly Sample[]): GapShareState => probes.reduce(gapShare.update, gapShare.init())
const times = (count: number, sample: (i: number) => Sample) =>
  after(Array.from({ length: count }, (_, i) => sample(i)))

describe('the gap share', () => {
  it('is what averaging takes off the loss, as a share of it, at the rate of the probes', () => {
    // (2 − 1.8)/2 = .1 at a rate of .5.
    const read = gapShare.read(
      times(6, () => probe(2, 1.8, 0.5)),
      0.5,
    )
    expect(read).toEqual({
      value: expect.closeTo(0.1, 12),
      standardError: 0,
      count: 6,
      needed: gapSharesNeeded,
    })
  })

  it('falls with the rate, without another probe', () => {
    const state = times(8, (i) => probe(2, 1.8 + 0.02 * (i % 2), 0.5))
    const [full, tenth] = [0.5, 0.05].map((rate) => gapShare.read(state, rate))
    expect(tenth!.value).toBeCloseTo(full!.value! / 10 ** gapSharePower, 12)
    expect(tenth!.standardError).toBeCloseTo(full!.standardError! / 10 ** gapSharePower, 12)
  })

  it('has no value below four probes, and no more than sixteen of them', () => {
    expect(
      gapShare.read(
        times(3, () => probe(2, 1.8, 0.5)),
        0.5,
      ),
    ).toMatchObject({ value: null, count: 3 })
    expect(times(40, (i) => probe(2, 1 + i / 100, 0.5)).shares).toHaveLength(16)
  })

  it('leaves out probes at which the rate has just fallen, and takes those at the new one', () => {
    const before = times(5, () => probe(2, 1.8, 0.5))
    const fallen = gapShare.update(before, probe(2, 2.4, 0.1))
    expect(fallen).toEqual({ ...before, lastRate: 0.1 })
    const steady = gapShare.update(fallen, probe(2, 1.96, 0.1))
    expect(steady.shares.at(-1)).toEqual({ share: expect.closeTo(0.02, 12), rate: 0.1 })
  })

  it('is that of the probes at the present rate, once there are four of them', () => {
    const before = times(8, () => probe(2, 1.8, 0.5))
    const moved = [1, 2, 3, 4, 5].reduce((state) => gapShare.update(state, probe(2, 1.96, 0.2)), before)
    expect(gapShare.read(moved, 0.2).value).toBeCloseTo(0.02, 12)
    expect(gapShare.read(moved, 0.5).value).toBeCloseTo(0.1, 12)
  })

  it('leaves out training examples, probes without an average, and losses that have no share', () => {
    const state = times(5, () => probe(2, 1.8, 0.5))
    for (const sample of [
      probe(2, 1, 0.5, { set: 'train' }),
      probe(2, null, 0.5),
      probe(0, -1, 0.5),
      probe(-2, -3, 0.5),
      probe(Number.NaN, 1, 0.5),
      probe(2, Number.NaN, 0.5),
    ])
      expect(gapShare.update(state, sample)).toEqual(state)
  })

  it('of a job that does not tell its rate is that of its probes; telling it is another unit', () => {
    const untold = times(5, () => probe(2, 1.8, null))
    expect(gapShare.read(untold, null).value).toBeCloseTo(0.1, 12)
    expect(gapShare.update(untold, probe(2, 1.8, 0.5)).shares).toEqual([
      { share: expect.closeTo(0.1, 12), rate: 0.5 },
    ])
  })

  it('is the same whatever the unit of the loss', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0.5, max: 5, noNaN: true }),
            fc.double({ min: -0.2, max: 0.4, noNaN: true }),
          ),
          {
            minLength: 4,
            maxLength: 20,
          },
        ),
        // Powers of two: rounding must not part values that are equal.
        fc.integer({ min: -40, max: 40 }),
        (losses, exponent) => {
          const readAs = (factor: number) =>
            gapShare.read(
              after(losses.map(([raw, part]) => probe(factor * raw, factor * raw * (1 - part), 0.1))),
              0.1,
            )
          const [plain, scaled] = [readAs(1), readAs(2 ** exponent)]
          expect(scaled).toEqual(plain)
        },
      ),
    )
  })
})
