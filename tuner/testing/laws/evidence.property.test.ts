// Laws of evidence: where a counter starts, how reports are batched, how often a job evaluates, where its loss lies and in
// which unit, and how its columns are ordered change no decision beyond what the evidence itself changes.

import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../protocol/vocabulary.ts'
import { summaryOf } from '../../index.ts'
import { stepsOf } from '../cases/judged.ts'
import { random } from '../random.ts'
import type { ReportedJobOptions } from '../reportedJobOptions.ts'
import {
  fromZero,
  type History,
  historyOf,
  pick,
  runOf,
  whole,
  withCommands,
  withCutOff,
  withStages,
} from './histories.ts'
import { type Folded, foldedLog, gist, rebatched, withLosses, withOrigin, withoutCause } from './logs.ts'
import { firstOf, holdsOnSeeds, runsOf } from './seeds.conformance.ts'

/** What differs between two lists of sentences. */
function difference(expected: readonly string[], got: readonly string[], what: string): readonly string[] {
  const at = expected.findIndex((line, i) => line !== got[i])
  if (at === -1 && expected.length === got.length) return []
  const i = at === -1 ? expected.length : at
  return [`${what}: "${got[i] ?? 'nothing more'}" where "${expected[i] ?? 'nothing more'}" was`]
}

const anyHistory = (seed: number): History => {
  const base = historyOf(seed)
  const staged = seed % 3 === 0 ? withStages(base, 2) : base
  const cut = seed % 4 === 0 ? withCutOff(staged) : staged
  return seed % 2 === 0 ? withCommands(cut) : cut
}

const largeRate = ({ state }: Folded) => summaryOf(state).largeLearningRate

describe("where a job's counter starts", () => {
  it('moves all that is decided by as much', () => {
    holdsOnSeeds((seed) => {
      const draw = random(seed ^ 1)
      const history = { ...fromZero(anyHistory(seed)), cutOff: null }
      const { log } = runOf(history)
      const by = pick(draw, [10_000, 123_034, 1_500_000_000])
      // Where it is not told, the first reports are lost to the estimates, and what was asked for is asked for again.
      const first = log.findIndex(({ kind }) => kind === 'samples')
      const isAsked = log.some(
        ({ kind }, i) => kind === 'acknowledgement' || (kind === 'command' && i < first),
      )
      const isTold = isAsked || history.evaluationSteps !== null || history.hasNorms || draw() < 0.5
      const [base, moved] = [foldedLog(withOrigin(log, 0, isTold)), foldedLog(withOrigin(log, by, isTold))]
      // Drift is told a report sooner or later where the plan was laid anew.
      const said = ({ decisions }: Folded, origin: number) =>
        gist(isTold ? decisions : decisions.filter(({ kind }) => kind !== 'drift'), origin)
      return [
        ...difference(said(base, 0), said(moved, by), `from ${by}, ${isTold ? 'told' : 'not told'}`),
        ...(largeRate(base) === largeRate(moved)
          ? []
          : [`large rate ${largeRate(moved)}, was ${largeRate(base)}`]),
      ]
    })
  })
})

describe('how reports are batched', () => {
  it('changes nothing', () => {
    holdsOnSeeds((seed) => {
      const draw = random(seed ^ 2)
      const { log } = runOf(anyHistory(seed))
      const lengths = Array.from(
        { length: 1 + whole(draw, 4) },
        () => 1 + whole(draw, pick(draw, [3, 30, 300])),
      )
      const [base, again] = [foldedLog(log), foldedLog(rebatched(log, lengths))]
      const said = (list: typeof base.decisions) => withoutCause(list).map((one) => JSON.stringify(one))
      return [
        ...difference(said(base.decisions), said(again.decisions), `batches of ${lengths}`),
        ...(JSON.stringify(base.state.plan) === JSON.stringify(again.state.plan) ? [] : ['another plan']),
      ]
    })
  })
})

describe('where a loss lies', () => {
  /** No search: that ranks losses of short trials, and is judged by itself. */
  const steady = (seed: number): Partial<ReportedJobOptions> => ({
    learningRate: 0.01,
    capabilities: seed % 2 === 0 ? [] : ['heldOutLoss', 'averagedWeights'],
  })
  /** The regime is a share of the loss, so where that lies it is another one; it decides nothing. */
  const isOfRegime = ({ kind }: Decision) => kind === 'transition'
  const moved = (history: History, change: (loss: number) => number, what: string): readonly string[] => {
    const { log } = runOf({ ...history, hasNorms: false })
    const sentences = (by: (loss: number) => number) =>
      foldedLog(withLosses(log, by))
        .decisions.filter((decision) => decision.kind !== 'hold' && !isOfRegime(decision))
        .map(({ kind, step }) => `${kind} at ${step}`)
    return difference(
      sentences((loss) => loss),
      sentences(change),
      what,
    )
  }

  const shifted = (seed: number): readonly string[] => {
    const shift = pick(random(seed ^ 3), [1, -5, 0.3, 100, -1_000])
    const history =
      seed % 3 === 0 ? withStages(historyOf(seed, steady(seed)), 3) : historyOf(seed, steady(seed))
    return moved(history, (loss) => loss + shift, `shifted by ${shift}`)
  }
  it('decides nothing: shifted, it is switched and guarded at the same steps', () => {
    holdsOnSeeds(shifted)
  })

  // A seed whose noise looked like memorising, which is a share of the losses, at two probes of three.
  it.each([1955002519])('nor of that one (seed %i)', (seed) => {
    expect(shifted(seed)).toEqual([])
  })

  it('nor does its unit, of losses above 0', () => {
    holdsOnSeeds((seed) => {
      const drawn =
        seed % 3 === 0 ? withStages(historyOf(seed, steady(seed)), 3) : historyOf(seed, steady(seed))
      const lift = Math.max(0, ...drawn.stages.map(({ to }) => -2 * to))
      const stages = drawn.stages.map((stage) => ({ ...stage, from: stage.from + lift, to: stage.to + lift }))
      const times = 2 ** pick(random(seed ^ 4), [-40, -10, -1, 3, 20])
      return moved({ ...drawn, stages }, (loss) => loss * times, `times ${times}`)
    })
  })
})

describe('the order of columns and of metrics', () => {
  it('changes nothing, to the byte', () => {
    holdsOnSeeds((seed) => {
      const { log } = runOf(anyHistory(seed))
      const ordered = (isReversed: boolean) =>
        log.map((observation) => {
          if (observation.kind !== 'samples') return observation
          const { step } = observation.columns
          const metrics = {
            accuracy: step.map(() => 0.5),
            'b/leu': step.map(() => 2),
            __proto: step.map(() => null),
          }
          const turn = <T extends object>(value: T): T => {
            const entries = Object.entries(value)
            return Object.fromEntries(isReversed ? entries.toReversed() : entries) as T
          }
          return { ...observation, columns: turn({ ...observation.columns, metrics: turn(metrics) }) }
        })
      const [a, b] = [foldedLog(ordered(false)), foldedLog(ordered(true))]
      const same = JSON.stringify(a) === JSON.stringify(b)
      return same ? [] : difference(gist(a.decisions), gist(b.decisions), 'reversed')
    })
  })
})

describe('how often a job evaluates', () => {
  /** Steps of the switch at three distances between evaluations without noise; null = they agree. */
  function disagreement(seed: number): string | null {
    const draw = random(seed ^ 5)
    const budgetSteps = pick(draw, [1_500, 3_000])
    const options = {
      budgetSteps,
      learningRate: 0.01,
      capabilities: ['heldOutLoss', 'averagedWeights'],
      mode: 'auto',
      lagSteps: 0,
    } as const
    const history = fromZero(historyOf(seed, options))
    const clear = { ...history, everySteps: 1, evaluationNoise: 0, hasNorms: false }
    const distances = [1, 2, 4].map((times) =>
      Math.round((times * budgetSteps) / pick(draw, [160, 200, 240])),
    )
    const switches = distances.map(
      (evaluationSteps) => stepsOf(runOf({ ...clear, evaluationSteps }), 'switch')[0] ?? -1,
    )
    const reach = 3 * Math.max(...distances) + budgetSteps / 20
    const spread = Math.max(...switches) - Math.min(...switches)
    return spread <= reach ? null : `seed ${seed}: switches at ${switches}, evaluated each ${distances}`
  }

  it('moves a switch by three evaluations at most, but where both sides of the rule weigh the same', () => {
    const draw = random(20260105)
    const seeds = Array.from({ length: runsOf(0.5) }, () => whole(draw, 2 ** 31))
    const found = seeds.map(disagreement).filter((one) => one !== null)
    // On an edge the least difference decides, and one curve in twenty or so lies on one.
    expect(found.length, found.join('\n')).toBeLessThanOrEqual(1 + seeds.length / 15)
  })
})

describe('the histories', () => {
  it('are drawn from their seeds alone', () => {
    for (const seed of [1, 2, 3]) {
      expect(firstOf(gist(runOf(anyHistory(seed)).decisions))).toEqual(
        firstOf(gist(runOf(anyHistory(seed)).decisions)),
      )
    }
  })
})
