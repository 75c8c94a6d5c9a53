import { describe, expect, it } from 'vitest'
import {
  raceArmsMax,
  raceChaosExamples,
  raceErrorWithoutParts,
  raceKappa,
  raceLossRiseFactor,
  raceRangeReach,
  raceShareMax,
  raceSpread,
} from '../../constants.ts'
import { deviationsBetter, pairedDifference, type Score } from '../../estimators/pairedLoss.ts'
import { segmentSteps } from '../../options.ts'
import { normals, random } from '../../testing/random.ts'
import { endArm, hasArmDiverged, openRace, type RaceState, startArm, watchArm } from './race.ts'
import { nextRate } from './raceClimb.ts'
import { raceAround, raceBelow } from './raceOpening.ts'
import { goingOnFrom, raceResult } from './raceResult.ts'

const anywhere = { min: 0, max: Number.MAX_VALUE }
const opening = { fromStep: 0, segmentSteps: 20, budgetSteps: 2_000, lossFirst: 40, ...anywhere }
const given = (learningRate = 0.1, bounds = anywhere) => raceAround({ ...opening, learningRate, ...bounds })!
const below = (divergenceRate = 1, usualRate = 0.1) => raceBelow({ ...opening, divergenceRate, usualRate })!

/** Parts around a loss that all arms share, and a scatter of their own. */
const scored = (loss: number, scatter = 0.001): Score => {
  const offsets = Array.from({ length: 16 }, (_, i) => (i - 7.5) / 10)
  return {
    loss,
    parts: offsets.map((offset, i) => loss + offset + scatter * Math.sin(97 * i * loss)),
    examples: 512,
  }
}

/** Runs a race to its end; `lossOf` null = the arm diverges. Returns what ran, in order. */
function run(
  race: RaceState,
  lossOf: (rate: number) => number | Score | null,
  bounds = anywhere,
): { race: RaceState; ran: number[]; steps: number } {
  let [state, step] = [race, 0]
  const ran: number[] = []
  for (let rate = nextRate(state, bounds); rate !== undefined; rate = nextRate(state, bounds)) {
    const started = startArm(state, rate, step)
    const loss = lossOf(rate)
    const score = typeof loss === 'number' ? scored(loss) : loss
    ran.push(Number(rate.toPrecision(2)))
    step = score === null ? step + 5 : started.current!.toStep
    state = endArm(started, { score, ranSteps: 20, checkpoint: `arm-${started.current!.arm}` })
  }
  return { race: state, ran, steps: step }
}

/** A valley over log η with its bottom at a rate. */
const valley = (best: number) => (rate: number) => 1 + Math.log(rate / best) ** 2
const won = (race: RaceState) => {
  const result = raceResult(race)
  if (result.kind !== 'won') throw new Error('no arm won')
  return result
}

describe('a difference between two arms', () => {
  it('is judged by the scatter of the parts’ differences, whatever the parts have in common', () => {
    const [a, b] = [scored(1, 0.01), scored(1.1, 0.01)]
    const { difference, standardError } = pairedDifference(a, b)
    expect(Math.abs(difference + 0.1)).toBeLessThan(0.02)
    const differences = a.parts.map((loss, i) => loss - b.parts[i]!)
    const mean = differences.reduce((sum, value) => sum + value / 16, 0)
    const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2 / 15, 0)
    expect(standardError).toBeCloseTo(Math.sqrt((variance / 16) * (1 + 512 / raceChaosExamples)), 12)
    expect(deviationsBetter(a, b)).toBeCloseTo(-difference / standardError, 12)
    expect(deviationsBetter(b, a)).toBeLessThan(0)
  })

  it('counts the chaos of two runs in full, however many the examples are', () => {
    const error = (examples: number) =>
      pairedDifference({ ...scored(1, 0.01), examples }, { ...scored(1.1, 0.01), examples }).standardError
    expect(error(4_096) / error(512)).toBeCloseTo(
      Math.sqrt((1 + 4_096 / raceChaosExamples) / (1 + 512 / raceChaosExamples)),
      10,
    )
  })

  it.each([
    ['no parts', []],
    ['three parts', [1, 2, 3]],
    ['another number of parts', Array.from({ length: 8 }, () => 1)],
    ['a part that is not finite', [...Array.from({ length: 15 }, () => 1), Number.NaN]],
  ])('has a stated share of the loss as its error with %s', (_, parts) => {
    const { difference, standardError } = pairedDifference({ loss: 1, parts, examples: 9 }, scored(1.1))
    expect(difference).toBeCloseTo(-0.1, 12)
    expect(standardError).toBeCloseTo(1.1 * raceErrorWithoutParts, 12)
  })

  it('of equal parts is no infinite evidence', () => {
    const flat = (loss: number) => ({ loss, parts: Array<number>(16).fill(loss), examples: 16 })
    expect(deviationsBetter(flat(1), flat(1))).toBeCloseTo(0, 12)
    expect(Number.isFinite(deviationsBetter(flat(1), flat(2)))).toBe(true)
    expect(Number.isFinite(deviationsBetter(flat(0), flat(0)))).toBe(true)
  })

  it('keeps its promise: of pairs that differ by batches and examples alone few seem clearly different', () => {
    const draw = normals(random(20_261_124))
    const score = (offsets: readonly number[], chaos: number): Score => {
      const parts = offsets.map((offset) => 1 + offset + chaos + 0.02 * draw())
      return { loss: parts.reduce((sum, part) => sum + part / 16, 0), parts, examples: 512 }
    }
    let clear = 0
    for (let i = 0; i < 2_000; i++) {
      const offsets = Array.from({ length: 16 }, () => 0.3 * draw())
      // As in the record: the runs' own scatter is as large as the error of their paired difference.
      const chaos = 0.02 / Math.sqrt(16)
      if (Math.abs(deviationsBetter(score(offsets, chaos * draw()), score(offsets, chaos * draw()))) > 2)
        clear++
    }
    expect(clear / 2_000).toBeLessThan(0.08)
    expect(clear / 2_000).toBeGreaterThan(0.02)
  })
})

describe('a race around a given rate', () => {
  it('tries the rate above and the rate below, and keeps the given one', () => {
    const { race, ran, steps } = run(given(0.1), valley(0.1))
    expect(ran).toEqual([0.1, 0.3, 0.033])
    expect(steps).toBe(60)
    expect(won(race)).toMatchObject({ learningRate: 0.1, optimum: 0.1, winner: { id: 0 } })
  })

  it('in doubt keeps the given rate exactly', () => {
    // The rate below is better by one standard error, the one above by none.
    const { race, ran } = run(given(0.1), (rate) => scored(rate < 0.05 ? 0.999 : 1, 0.004))
    const [own, , lower] = race.arms
    expect(deviationsBetter(lower!.score!, own!.score!)).toBeGreaterThan(0.3)
    expect(deviationsBetter(lower!.score!, own!.score!)).toBeLessThan(2)
    expect(ran).toEqual([0.1, 0.3, 0.033])
    expect(won(race).learningRate).toBe(0.1)
  })

  it('climbs while the next rate is clearly better, and tries none below once one above was', () => {
    const { race, ran } = run(given(0.01), valley(0.1))
    expect(ran).toEqual([0.01, 0.03, 0.09, 0.27])
    // Three points of a parabola with hardly an error: the bottom of the valley, less what the prior takes.
    expect(won(race).optimum).toBeCloseTo(0.1, 4)
    expect(won(race).learningRate).toBeCloseTo(raceKappa * won(race).optimum, 12)
  })

  it('climbs down likewise', () => {
    const { race, ran } = run(given(0.1), valley(0.01))
    expect(ran).toEqual([0.1, 0.3, 0.033, 0.011, 0.0037])
    expect(won(race).optimum).toBeCloseTo(0.01, 4)
  })

  it('moves less where the slope between the neighbours is uncertain', () => {
    const noisy = (scatter: number) =>
      won(run(given(0.01), (rate) => scored(valley(0.1)(rate), scatter)).race).optimum
    expect(Math.abs(Math.log(noisy(0.5) / 0.09))).toBeLessThan(Math.abs(Math.log(noisy(0.001) / 0.09)))
  })

  it('goes on down where every arm diverges, and says so where those do as well', () => {
    const { race, ran } = run(given(0.1), () => null)
    expect(ran).toHaveLength(raceArmsMax)
    expect(Math.max(...ran)).toBe(0.1)
    expect(raceResult(race)).toEqual({ kind: 'no-arm-left' })
    const saved = run(given(0.1), (rate) => (rate > 0.02 ? null : valley(0.01)(rate)))
    expect(saved.ran.slice(0, 4)).toEqual([0.1, 0.033, 0.011, 0.0037])
    expect(won(saved.race).winner.learningRate).toBeCloseTo(0.1 / 9, 12)
  })

  it('goes on down where a network stands still without diverging', () => {
    // Dead at 0.3 and above: the loss of a constant guess.
    const { race, ran } = run(given(1), (rate) => (rate > 0.3 ? 39 : 10 * valley(0.05)(rate)))
    expect(ran.slice(0, 5)).toEqual([1, 3, 0.33, 0.11, 0.037])
    expect(won(race).optimum).toBeLessThan(0.12)
  })

  it("keeps within the run's limits, and is not run where they leave one rate only", () => {
    const bounds = { min: 0.05, max: 0.5 }
    expect(run(given(0.1, bounds), valley(10), bounds).ran).toEqual([0.1, 0.3])
    const low = { min: 0.01, max: 0.2 }
    expect(run(given(0.1, low), valley(0.03), low).ran).toEqual([0.1, 0.033, 0.011])
    expect(raceAround({ ...opening, learningRate: 0.1, min: 0.05, max: 0.2 })).toBeUndefined()
    expect(raceAround({ ...opening, learningRate: 0.1, min: 0.2, max: 9 })).toBeUndefined()
  })
})

describe('a race below a divergence rate', () => {
  it('begins at the usual rate where that lies in the span in which best rates were found', () => {
    expect(below(1, 0.1).reference).toBe(0.1)
    expect(below(0.2, 0.1).reference).toBeCloseTo(0.2 / raceSpread, 12)
    expect(below(100, 0.1).reference).toBeCloseTo(100 / raceRangeReach, 12)
    expect(raceBelow({ ...opening, divergenceRate: 1, usualRate: 0.1, min: 0.4 })).toBeUndefined()
  })

  it('finds the valley from there', () => {
    const { race, ran } = run(below(1, 0.1), valley(0.02))
    expect(ran).toEqual([0.1, 0.3, 0.033, 0.011])
    expect(won(race).optimum).toBeCloseTo(0.02, 3)
  })
})

describe('a race', () => {
  it('takes at most its share of any budget, edges and divergences included', () => {
    for (let seed = 0; seed < 300; seed++) {
      const draw = random(seed)
      const budgetSteps = Math.round(20 * 10 ** (4 * draw()))
      const common = { ...opening, segmentSteps: segmentSteps(budgetSteps), budgetSteps }
      const race =
        draw() < 0.5
          ? raceAround({ ...common, learningRate: 0.1 })
          : raceBelow({ ...common, divergenceRate: 1, usualRate: 0.1 })
      if (race === undefined) continue
      let [state, step] = [race, 0]
      for (let rate = nextRate(state, anywhere); rate !== undefined; rate = nextRate(state, anywhere)) {
        const started = startArm(state, rate, step)
        const isLost = draw() < 0.2
        step = isLost ? step + 1 : started.current!.toStep
        state = endArm(started, { score: isLost ? null : scored(draw()), ranSteps: 1, checkpoint: '' })
      }
      expect(step, `seed ${seed}, budget ${budgetSteps}`).toBeLessThanOrEqual(raceShareMax * budgetSteps)
      expect(state.arms.length, `seed ${seed}`).toBeLessThanOrEqual(raceArmsMax)
    }
  })

  it('is the same early, however long the budget is', () => {
    expect([1_000, 2_000, 10_000, 1e6].map(segmentSteps)).toEqual([24, 40, 60, 60])
  })

  it('takes an arm out at once: five losses that are not finite, or a loss twice that of the first step', () => {
    const started = startArm({ ...openRace({ ...below(1) }), lossFirst: 3 }, 0.1, 100)
    const fold = (losses: readonly number[]) =>
      losses.reduce((race, loss, i) => watchArm(race, { step: 100 + i, loss }), started)
    expect(hasArmDiverged(fold([Number.NaN, Number.NaN, Number.NaN, Number.NaN]))).toBe(false)
    expect(hasArmDiverged(fold(Array<number>(5).fill(Number.NaN)))).toBe(true)
    const limit = 3 * raceLossRiseFactor
    expect(hasArmDiverged(fold([limit * 0.99]))).toBe(false)
    expect(hasArmDiverged(fold([limit * 1.01]))).toBe(true)
    // One outlier among ten is smoothed away.
    expect(hasArmDiverged(fold([3, 3, 3, 3, 3, 3, 3, 12]))).toBe(false)
  })

  it('judges losses below 0 by their size', () => {
    const race = startArm({ ...below(1), lossFirst: -2 }, 0.1, 0)
    expect(hasArmDiverged(watchArm(race, { step: 0, loss: -2.5 }))).toBe(false)
    expect(hasArmDiverged(watchArm(race, { step: 0, loss: 0.5 }))).toBe(true)
  })
})

describe('the weights that go on from a race', () => {
  /** The given .1, with .033 and .3 beside it; their losses, and how uncertain the difference of the slower one is. */
  const ended = (slower: number, scatter: number) => {
    const losses: Record<string, Score> = {
      '0.033': scored(slower, scatter),
      '0.1': scored(1),
      '0.3': scored(3),
    }
    return run(given(), (rate) => losses[rate.toPrecision(2).replace(/0$/, '')] ?? scored(5)).race
  }
  it('are those of the arm nearest to the rate, where the winner’s are not clearly better', () => {
    const race = ended(0.9, 0.5)
    const { winner, learningRate } = won(race)
    expect(winner.learningRate).toBe(0.1)
    expect(learningRate).toBeLessThan(0.05)
    expect(goingOnFrom(race, winner, learningRate).learningRate).toBeCloseTo(0.1 / raceSpread, 12)
  })
  it('are the winner’s where those are clearly better', () => {
    const race = ended(1.5, 0.001)
    const { winner } = won(race)
    expect(goingOnFrom(race, winner, 0.03)).toBe(winner)
  })
  it('are the winner’s at its own rate', () => {
    const race = ended(0.9, 0.5)
    const { winner } = won(race)
    expect(goingOnFrom(race, winner, winner.learningRate)).toBe(winner)
  })
})
