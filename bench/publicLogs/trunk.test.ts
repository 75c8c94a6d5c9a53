import { describe, expect, it } from 'vitest'
import { switchStepOf } from '../../tuner/state.ts'
import { foldTrunk, recordsOf } from './fold.ts'
import { curveAt } from './logs.ts'
import { madeUpGap, madeUpLength, madeUpLogs } from './testing/madeUpLogs.ts'
import { donorOf, gapCurve, gapPower, ownTrunk, trunkLog, trunkOf } from './trunk.ts'

const logs = madeUpLogs()
const [nearest, scaled] = (['nearest', 'scaled'] as const).map((kind) =>
  trunkOf(logs, 0.002, { kind, power: 0.5 }),
)

describe('a trunk', () => {
  it('is the constant run at its rate', () => {
    expect(trunkLog(logs, 0.002).run).toBe('stable-124m_made-up_0.002')
    expect(() => trunkLog(logs, 0.5)).toThrow('no constant run of 124M at the rate 0.5')
  })

  it('has the gap of the constant run with averages that is nearest, as it is or scaled by the rate', () => {
    expect(nearest!.donor.run).toBe('sl53_made-up')
    expect(curveAt(nearest!.gap, 2_000)).toBeCloseTo(madeUpGap(0.001), 12)
    expect(curveAt(scaled!.gap, 2_000)).toBeCloseTo(madeUpGap(0.002), 12)
    const alone = logs.filter(({ averaged }) => averaged === null)
    expect(() => donorOf(alone, trunkLog(logs, 0.002))).toThrow('no constant run on made-up has averaged')
  })

  it('has no gap of averages that still hold the first descent, and a level after their end', () => {
    const donor = logs.find(({ run }) => run === 'sl53_made-up')!
    expect(gapCurve(donor).step[0]).toBe(600)
    expect(nearest!.gap.step.at(-1)).toBe(madeUpLength - 50 + 1)
    expect(curveAt(nearest!.gap, 1e6)).toBeCloseTo(madeUpGap(0.001), 12)
  })

  it('of its own averages is a constant run alone', () => {
    expect(logs.flatMap(ownTrunk).map(({ log }) => log.run)).toEqual(['sl53_made-up'])
  })
})

describe('the power of D in the rate', () => {
  it('comes from cosines of other sizes that are near their peak', () => {
    const { power, pairs } = gapPower(logs, trunkLog(logs, 0.001))!
    expect(pairs).toBe(1)
    expect(power).toBeCloseTo(0.5, 10)
  })

  it('is not known where there is no pair', () => {
    expect(gapPower(logs.slice(0, 3), trunkLog(logs, 0.001))).toBeNull()
  })
})

describe('a fold', () => {
  it('shows the whole tuner each step, and each evaluation as a probe of raw and averaged weights', () => {
    const seen: number[] = []
    const state = foldTrunk(
      nearest!,
      { length: madeUpLength, isHeld: true },
      ({ seen: { step, signals } }) => {
        seen.push(step)
        expect(signals.probeLosses.at(-1)! - signals.averagedLosses.at(-1)!).toBeCloseTo(madeUpGap(0.001), 10)
      },
    )
    // One every 50 steps, but for that of random weights; the last one lies before the last step.
    expect(seen).toHaveLength(madeUpLength / 50 - 1)
    expect(seen[0]).toBe(50)
    expect(state.course.kind).toBe('large')
    // Its warm-up counts by the rate that was logged.
    expect(state.seen.runLength).toBeGreaterThan(madeUpLength - 150)
  })

  it('ends where the tuner switches: no sooner than three quarters of a short budget', () => {
    const { course } = foldTrunk(nearest!, { length: madeUpLength })
    expect(switchStepOf(course)).toBeGreaterThanOrEqual(0.75 * madeUpLength)
    expect(switchStepOf(course)).toBeLessThan(0.8 * madeUpLength)
  })

  it('may be told each fiftieth step alone, or one evaluation of several', () => {
    const sparse = foldTrunk(nearest!, { length: madeUpLength, isHeld: true, everySteps: 50 })
    expect(sparse.seen.strideSteps).toBe(50)
    expect(recordsOf(nearest!, madeUpLength, { everyProbes: 4 })).toHaveLength(madeUpLength / 200 - 1)
  })
})
