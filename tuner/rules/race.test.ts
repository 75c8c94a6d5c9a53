import { describe, expect, it } from 'vitest'
import {
  raceArmRatio,
  raceKappaGiven,
  raceKappaRange,
  raceLastRoundSegments,
  raceLossRiseFactor,
  raceShareMax,
  raceSpreadGiven,
} from '../constants.ts'
import { segmentSteps } from '../options.ts'
import { random } from '../testing/random.ts'
import {
  advanceRace,
  endArm,
  hasArmDiverged,
  isRaceOver,
  type RaceState,
  roundSteps,
  startNextArm,
  watchArm,
} from './race.ts'
import { raceAround, raceBelow } from './raceOpening.ts'
import { parabolaVertex, raceResult } from './raceResult.ts'

const anywhere = { min: 0, max: Number.MAX_VALUE }
const given = (learningRate = 0.1, bounds = anywhere) =>
  raceAround({ learningRate, fromStep: 0, segmentSteps: 20, budgetSteps: 2_000, ...bounds })!
const below = (divergenceRate = 1) =>
  raceBelow({ divergenceRate, fromStep: 0, segmentSteps: 20, budgetSteps: 4_000, min: 0, lossFirst: 3 })!

/** Runs a race to its end; `lossOf` null = the arm diverges. Returns what ran, in order. */
function run(
  race: RaceState,
  lossOf: (rate: number, round: number) => number | null,
  bounds = anywhere,
): { race: RaceState; ran: string[]; steps: number } {
  let [state, step] = [race, 0]
  const ran: string[] = []
  while (!isRaceOver(state)) {
    const started = startNextArm(state, step)
    if (started === undefined) {
      state = advanceRace(state, bounds)
      continue
    }
    const { arm, toStep } = started.current!
    const { learningRate } = started.arms[arm]!
    const loss = lossOf(learningRate, started.round)
    ran.push(`${Number(learningRate.toPrecision(2))} in round ${started.round}`)
    const ranSteps = toStep - step
    step = loss === null ? step + 5 : toStep
    state = endArm(started, { loss, ranSteps, checkpoint: `arm-${arm}` })
  }
  return { race: state, ran, steps: step }
}

/** A valley over log η with its bottom at a rate. */
const valley = (best: number) => (rate: number) => 1 + Math.log(rate / best) ** 2

describe('a race around a given rate', () => {
  it('runs η, 3η, η/3 for a segment each, then the best two for the longer last round', () => {
    const { race, ran, steps } = run(given(0.1), valley(0.1))
    expect(ran).toEqual([
      '0.1 in round 0',
      '0.3 in round 0',
      '0.033 in round 0',
      '0.1 in round 1',
      '0.3 in round 1',
    ])
    expect(steps).toBe(3 * 20 + 2 * raceLastRoundSegments * 20)
    expect(race.arms.map(({ losses, stepCount }) => [losses.length, stepCount])).toEqual([
      [2, 70],
      [2, 70],
      [1, 20],
    ])
  })

  it('takes κ times the vertex of the parabola through the winner and its neighbours', () => {
    // Three points of a parabola in log η: the vertex is its bottom, whatever the arms are.
    for (const best of [0.1, 0.13, 0.08]) {
      const result = raceResult(run(given(0.1), valley(best)).race)
      expect(result.kind).toBe('won')
      if (result.kind !== 'won') return
      expect(result.winner.learningRate).toBe(0.1)
      expect(result.optimum).toBeCloseTo(best, 10)
      expect(result.learningRate).toBeCloseTo(raceKappaGiven * best, 10)
    }
  })

  it('lets the parabola move the winner by half a spacing at most', () => {
    const skewed = (rate: number) => (rate > 0.2 ? 1.000001 : rate > 0.05 ? 1 : 9)
    const result = raceResult(run(given(0.1), skewed).race)
    expect(result.kind === 'won' && result.optimum).toBeCloseTo(0.1 * Math.sqrt(raceSpreadGiven), 4)
  })

  it('adds arms beyond an edge that wins, up to three, then races the best two', () => {
    const { ran, race } = run(given(0.1), valley(30))
    expect(ran).toEqual([
      '0.1 in round 0',
      '0.3 in round 0',
      '0.033 in round 0',
      '0.9 in round 0',
      '2.7 in round 0',
      '8.1 in round 0',
      '8.1 in round 1',
      '2.7 in round 1',
    ])
    const result = raceResult(race)
    // The winner is the largest rate that was tried: there is no parabola, and nothing is extrapolated.
    expect(result.kind === 'won' && result.optimum).toBeCloseTo(0.1 * raceSpreadGiven ** 4, 10)
  })

  it('stops at an arm that diverges: it is an edge', () => {
    const { ran } = run(given(0.1), (rate) => (rate > 0.2 ? null : valley(1)(rate)))
    expect(ran.slice(0, 4)).toEqual([
      '0.1 in round 0',
      '0.3 in round 0',
      '0.033 in round 0',
      '0.1 in round 1',
    ])
  })

  it('goes down where every arm diverges, and says so where those do as well', () => {
    const { race, ran } = run(given(0.1), () => null)
    expect(ran.slice(3)).toEqual(['0.011 in round 0', '0.0037 in round 0', '0.0012 in round 0'])
    expect(raceResult(race)).toEqual({ kind: 'no-arm-left' })
    const saved = run(given(0.1), (rate) => (rate > 0.02 ? null : 1))
    expect(raceResult(saved.race)).toMatchObject({ kind: 'won', winner: { learningRate: 0.1 / 9 } })
  })

  it('goes on with the best survivor where both finalists diverge', () => {
    const result = raceResult(run(given(0.1), (rate, round) => (round === 1 ? null : valley(0.1)(rate))).race)
    expect(result.kind === 'won' && result.winner.learningRate).toBeCloseTo(0.1 / raceSpreadGiven, 10)
  })

  it("keeps within the run's limits, and is not run where they leave one rate only", () => {
    const bounds = { min: 0.05, max: 0.5 }
    const { ran } = run(given(0.1, bounds), valley(10), bounds)
    expect(new Set(ran.map((entry) => entry.split(' ')[0]))).toEqual(new Set(['0.1', '0.3']))
    const narrow = {
      learningRate: 0.1,
      fromStep: 0,
      segmentSteps: 20,
      budgetSteps: 2_000,
      min: 0.05,
      max: 0.2,
    }
    expect(raceAround(narrow)).toBeUndefined()
  })
})

describe('a race below a divergence rate', () => {
  it('runs seven arms a constant factor apart, the best three of them, and the best two', () => {
    // The bottom lies at the slow end, so every arm is better than the one before it.
    const { race, ran } = run(below(1), valley(0.02))
    const rates = race.arms.map(({ learningRate }) => learningRate)
    expect(rates).toHaveLength(7)
    for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(raceArmRatio ** (i + 1), 12)
    expect(ran).toHaveLength(7 + 3 + 2)
    const result = raceResult(race)
    // At the edge there is no parabola: the winner's own rate counts.
    expect(result.kind === 'won' && result.learningRate).toBeCloseTo(raceKappaRange * raceArmRatio ** 7, 10)
  })

  it('tries no smaller rates once two in a row were clearly worse', () => {
    const { race, ran } = run(below(1), valley(0.3))
    const first = race.arms.filter(({ losses }) => losses.length > 0)
    expect(first.length).toBeLessThan(7)
    expect(ran).toHaveLength(first.length + 3 + 2)
    const result = raceResult(race)
    expect(result.kind === 'won' && result.optimum).toBeCloseTo(0.3, 10)
  })

  it('takes the parabola from the latest round in which both neighbours of the winner ran', () => {
    // Round 1 has its bottom at .12, and all three neighbours of the winner ran it; the finalists alone have none.
    const { race } = run(below(1), (rate, round) => valley(round === 0 ? 0.08 : 0.12)(rate))
    const result = raceResult(race)
    expect(result.kind === 'won' && result.optimum).toBeCloseTo(0.12, 10)
  })

  it('spans the same rates with fewer arms on shorter runs, and is not run where three do not fit', () => {
    const arms = (budgetSteps: number) => {
      const race = raceBelow({
        divergenceRate: 1,
        fromStep: 0,
        segmentSteps: 20,
        budgetSteps,
        min: 0,
        lossFirst: 3,
      })
      return race?.arms.map(({ learningRate }) => learningRate)
    }
    const counts = [4_000, 1_280, 1_040, 720, 640].map((budgetSteps) => arms(budgetSteps)?.length)
    expect(counts).toEqual([7, 7, 5, 4, 3])
    expect(arms(639)).toBeUndefined()
    for (const budgetSteps of [4_000, 1_040, 720, 640]) {
      expect(arms(budgetSteps)![0]).toBeCloseTo(raceArmRatio, 12)
      expect(arms(budgetSteps)!.at(-1)).toBeCloseTo(raceArmRatio ** 7, 12)
    }
  })
})

describe('a race', () => {
  it('takes at most a quarter of any budget, edges and divergences included', () => {
    for (let seed = 0; seed < 300; seed++) {
      const draw = random(seed)
      const budgetSteps = Math.round(20 * 10 ** (4 * draw()))
      const common = { fromStep: 0, segmentSteps: segmentSteps(budgetSteps), budgetSteps }
      const race =
        draw() < 0.5
          ? raceAround({ ...common, ...anywhere, learningRate: 0.1 })
          : raceBelow({ ...common, divergenceRate: 1, min: 0, lossFirst: 3 })
      if (race === undefined) continue
      const { steps } = run(race, () => (draw() < 0.2 ? null : draw()))
      expect(steps, `seed ${seed}, budget ${budgetSteps}`).toBeLessThanOrEqual(raceShareMax * budgetSteps)
    }
  })

  it('gives each arm its round’s length', () => {
    expect([0, 1, 2].map((round) => roundSteps([7, 4, 2], round, 40))).toEqual([40, 40, 100])
  })

  it('takes an arm out at once: five losses that are not finite, or a loss twice that of the first step', () => {
    const started = startNextArm(below(1), 100)!
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
    const race = startNextArm({ ...below(1), lossFirst: -2 }, 0)!
    expect(hasArmDiverged(watchArm(race, { step: 0, loss: -2.5 }))).toBe(false)
    expect(hasArmDiverged(watchArm(race, { step: 0, loss: 0.5 }))).toBe(true)
  })
})

describe('the vertex of a parabola', () => {
  it('is that of the parabola which the points lie on', () => {
    const y = (x: number) => 3 * (x - 0.7) ** 2 + 1
    const points = [-1, 0.4, 2].map((x) => ({ x, y: y(x) })) as unknown as Parameters<
      typeof parabolaVertex
    >[0]
    expect(parabolaVertex(points)).toBeCloseTo(0.7, 12)
  })

  it('is 1.1 for (0, 2), (1, 1), (3, 4), by hand: y = 5/6·x² − 11/6·x + 2', () => {
    expect(
      parabolaVertex([
        { x: 0, y: 2 },
        { x: 1, y: 1 },
        { x: 3, y: 4 },
      ]),
    ).toBeCloseTo(1.1, 12)
  })

  it('does not exist for a line, a hill, or points that are none', () => {
    const at = (ys: readonly [number, number, number]) =>
      parabolaVertex([
        { x: 0, y: ys[0] },
        { x: 1, y: ys[1] },
        { x: 2, y: ys[2] },
      ])
    expect([at([1, 2, 3]), at([1, 2, 1]), at([1, 1, 1]), at([1, Number.NaN, 1])]).toEqual([
      null,
      null,
      null,
      null,
    ])
  })
})
