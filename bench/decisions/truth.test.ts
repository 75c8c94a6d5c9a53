import { describe, expect, it } from 'vitest'
import { isFalseSwitch } from './falseSwitch.ts'
import { scoresAtRate } from './rateRows.ts'
import { bootstrapInterval, regretOf } from './regret.ts'
import { madeUpRun, madeUpTask, madeUpTraces } from './testing/madeUpTraces.ts'
import { bestAtRate, byRate, oracleOf, scoreOf } from './truth.ts'

const task = madeUpTask()
const run = madeUpRun(task, { rate: 0.1, seed: 1 })
const full = (switchStep: number) => ({ switchStep, finishStep: 2_000 })

describe('the final score of a choice', () => {
  it('is the trained one at a checkpoint, and in between linear', () => {
    const at = (index: number) => run.checkpoints[index]!.anneals[0]!.test.loss
    expect(scoreOf(run, full(400)).loss).toBe(at(1))
    expect(scoreOf(run, full(500)).loss).toBeCloseTo((at(1) + at(2)) / 2, 12)
    expect(scoreOf(run, full(20)).loss).toBe(at(0))
    expect(scoreOf(run, full(1_950)).loss).toBe(at(7))
  })
  it('of an early finish is linear in the logarithm of the length', () => {
    const truth = run.checkpoints[3]!
    const [, half, tenth] = truth.anneals
    expect(scoreOf(run, { switchStep: 800, finishStep: half!.toStep }).loss).toBe(half!.test.loss)
    const middle = Math.sqrt((half!.toStep - 800) * (tenth!.toStep - 800))
    expect(scoreOf(run, { switchStep: 800, finishStep: 800 + middle }).loss).toBeCloseTo(
      (half!.test.loss + tenth!.test.loss) / 2,
      12,
    )
    expect(scoreOf(run, { switchStep: 800, finishStep: 810 }).loss).toBe(tenth!.test.loss)
  })
  it('of a run that is never annealed is its last, and a diverged one learned nothing', () => {
    expect(scoreOf(run, 'never').loss).toBe(0.6)
    const lost = { ...run, divergedAtStep: 900, checkpoints: run.checkpoints.slice(0, 4), final: null }
    expect(scoreOf(lost, 'never')).toEqual({ loss: run.loss[0], accuracy: 0 })
    expect(scoreOf(lost, full(1_200))).toEqual({ loss: run.loss[0], accuracy: 0 })
    expect(scoreOf(lost, full(700))).toEqual(scoreOf(run, full(700)))
    expect(scoreOf(lost, full(850))).toEqual(scoreOf(run, full(800)))
  })
  it('above the first loss, or not a number, counts as the first loss', () => {
    const anneals = run.checkpoints[0]!.anneals.map((anneal) => ({
      ...anneal,
      test: { loss: Number.NaN, accuracy: 0.5 },
    }))
    const broken = { ...run, checkpoints: [{ ...run.checkpoints[0]!, anneals }] }
    expect(scoreOf(broken, full(200))).toEqual({ loss: run.loss[0], accuracy: 0.1 })
  })
})

describe('the oracle', () => {
  it('is the best rate, switch and finish by the mean over seeds', () => {
    const { rate, choice } = oracleOf(byRate(madeUpTraces().runs))
    expect(rate).toBe(0.1)
    expect(choice).toMatchObject({ switchStep: 1_100 })
  })
  it('scores rates between those of the grid in the logarithm, and those outside as the nearest', () => {
    const bests = byRate(madeUpTraces().runs).map((rate) => bestAtRate(rate))
    const losses = (rate: number) => scoresAtRate(bests, rate).map(({ loss }) => loss)
    expect(losses(1)).toEqual(losses(0.1))
    expect(losses(0.001)).toEqual(losses(0.03))
    const middle = losses(Math.sqrt(0.003))
    expect(middle[0]).toBeCloseTo((losses(0.03)[0]! + losses(0.1)[0]!) / 2, 12)
  })
})

describe('a false switch', () => {
  const runs = byRate(madeUpTraces({ bestShare: 0.8 }).runs)[1]!
  it('is one after which waiting would have ended more than 2 % lower', () => {
    expect(isFalseSwitch(runs, full(200))).toBe(true)
    expect(isFalseSwitch(runs, full(1_500))).toBe(false)
    expect(isFalseSwitch(runs, full(1_800))).toBe(false)
    expect(isFalseSwitch(runs, 'never')).toBe(false)
  })
  it('is not one where the seeds differ by more than that', () => {
    const noisy = runs.runs.map((entry, index) => ({
      ...entry,
      checkpoints: entry.checkpoints.slice(0, 5).map((truth, place) => ({
        ...truth,
        anneals: truth.anneals.map((anneal) => ({
          ...anneal,
          test: { ...anneal.test, loss: anneal.test.loss + 0.4 * ((index + place) % 2) },
        })),
      })),
    }))
    expect(isFalseSwitch({ rate: 0.1, runs: noisy.slice(0, 2) }, full(800))).toBe(false)
  })
})

describe('regret', () => {
  const oracle = [flat(0.4), flat(0.5)]
  function flat(loss: number) {
    return { loss, accuracy: 1 - loss }
  }
  it('is paired by seed, and names the worst task', () => {
    const regret = regretOf([
      { task: 'a', scores: [flat(0.5), flat(0.5)], oracle },
      { task: 'b', scores: [flat(0.4), flat(0.8)], oracle },
    ])
    expect(regret.meanLoss).toBeCloseTo(0.1, 12)
    expect(regret.worstTask).toBe('b')
    expect(regret.worstLoss).toBeCloseTo(0.15, 12)
    expect(regret.meanAccuracy).toBeCloseTo(10, 12)
    expect(regret.tasks[0]!.logLoss).toBeCloseTo(Math.log(0.5 / 0.4) / 2, 12)
  })
  it('is 0 for the oracle itself, with an interval of no width', () => {
    const { meanLoss, meanLossInterval } = regretOf([{ task: 'a', scores: oracle, oracle }])
    expect([meanLoss, meanLossInterval.low, meanLossInterval.high]).toEqual([0, 0, 0])
    expect(() => regretOf([])).toThrow(RangeError)
  })
  it('has intervals that hold the mean, the same each time', () => {
    const groups = [
      [1, 2, 3],
      [0, 0, 4],
    ]
    const { low, high } = bootstrapInterval(groups)
    expect(low).toBeLessThan(5 / 3)
    expect(high).toBeGreaterThan(5 / 3)
    expect(bootstrapInterval(groups)).toEqual({ low, high })
  })
})
