// Sample decisions of scenes that differ from the usual invented run: a search that still goes on, a run without a budget.

import type { Decision, DecisionTest } from '../../protocol/vocabulary.ts'
import { raceWeighed } from './syntheticDecisions.ts'

/** The same while its last rate still runs. */
export const searchedSoFar: Decision['evidence'] = raceWeighed.evidence.map(({ toStep, ...arm }, i) =>
  i === 2 ? { ...arm, source: 'race-unfinished' } : { ...arm, toStep: toStep! },
)

/** The holds of a run without a budget: what as many steps again gain falls until it is not worth it. */
export const withoutBudget = (decisions: readonly Decision[]): Decision[] =>
  decisions
    .filter(({ kind }) => kind !== 'switch')
    .map((decision) => {
      if (decision.kind !== 'hold') return decision
      const share = decision.step / 3200
      const gain = {
        value: 0.022 / share - 0.016 + 0.002 * Math.sin(decision.step),
        standardError: 0.004 / share,
      }
      const worth = 0.0045 + 0.0012 * share
      const isEnough = gain.value + gain.standardError <= worth
      const test: DecisionTest = {
        key: 'diminishing-returns',
        left: gain,
        relation: '<=',
        right: { value: worth, standardError: null },
        satisfied: isEnough,
        hits: { met: isEnough ? 1 : 0, of: 3 },
        probability: null,
      }
      return { ...decision, test, rule: { id: 'diminishing-returns', version: 3 } }
    })
