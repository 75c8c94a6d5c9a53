// Which rates race, and in how many rounds: below a divergence rate that was measured, or around a rate that was
// given. A race takes at most a quarter of the budget; where it does not fit, there is none.

import { raceArmRatio, raceShareMax, raceSpreadGiven } from '../constants.ts'
import { noWatch, openArm, type RaceState, raceSteps } from './race.ts'

/**
 * A race below a divergence rate: seven arms a factor .56 apart if they fit into a quarter of the budget,
 * fewer arms over the same span on short runs; undefined where not even three fit, or the run's lowest rate
 * leaves fewer than two of them.
 */
export function raceBelow(options: {
  divergenceRate: number
  fromStep: number
  segmentSteps: number
  budgetSteps: number
  min: number
  lossFirst: number | null
}): RaceState | undefined {
  const { divergenceRate, fromStep, segmentSteps, budgetSteps, min, lossFirst } = options
  const choices = [
    [7, 3, 2],
    [5, 3, 2],
    [4, 2],
    [3, 2],
  ]
  const stepsMax = raceShareMax * budgetSteps
  const fitting = choices.find((choice) => raceSteps(choice, segmentSteps) <= stepsMax)
  if (fitting === undefined) return undefined
  const [count, ...later] = fitting as [number, ...number[]]
  const ratio = raceArmRatio ** (6 / (count - 1))
  const rates = Array.from({ length: count }, (_, i) => divergenceRate * raceArmRatio * ratio ** i).filter(
    (rate) => rate >= min,
  )
  if (rates.length < 2) return undefined
  // A round that would let all arms of the one before go on decides nothing; the last one does run.
  const rounds = [rates.length, ...later.filter((kept) => kept < rates.length || kept === 2)]
  return openRace({
    source: 'range',
    reference: divergenceRate,
    rates,
    rounds,
    fromStep,
    segmentSteps,
    stepsMax,
    lossFirst,
  })
}

/**
 * A race around a rate that the job was given: η, 3η, η/3, the best two again; undefined where that does not
 * fit into a quarter of the budget, or the run's limits leave only η.
 */
export function raceAround(options: {
  learningRate: number
  fromStep: number
  segmentSteps: number
  budgetSteps: number
  min: number
  max: number
}): RaceState | undefined {
  const { learningRate, fromStep, segmentSteps, budgetSteps, min, max } = options
  const stepsMax = raceShareMax * budgetSteps
  const rates = [learningRate, learningRate * raceSpreadGiven, learningRate / raceSpreadGiven].filter(
    (rate) => rate >= min && rate <= max,
  )
  const rounds = [rates.length, 2]
  if (rates.length < 2 || raceSteps(rounds, segmentSteps) > stepsMax) return undefined
  return openRace({
    source: 'given',
    reference: learningRate,
    rates,
    rounds,
    fromStep,
    segmentSteps,
    stepsMax,
    lossFirst: null,
  })
}

function openRace(
  options: Pick<
    RaceState,
    'source' | 'reference' | 'rounds' | 'fromStep' | 'segmentSteps' | 'stepsMax' | 'lossFirst'
  > & { rates: readonly number[] },
): RaceState {
  const { rates, ...rest } = options
  const arms = rates.map((rate, id) => openArm(id, rate))
  return {
    ...rest,
    round: 0,
    arms,
    queue: arms.map(({ id }) => id),
    current: null,
    expansions: 0,
    watch: noWatch(),
  }
}
