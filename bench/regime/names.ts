// Whether the regime's name is right, how wide its interval is, how early it is known, and whether its transitions are true.

import { median } from 'simple-statistics'
import type { RegimeName } from '../../protocol/vocabulary.ts'
import { type Label, type LabelSet, labelSets } from './label.ts'
import type { RegimePoint, RegimeRun } from './points.ts'

export type Named = {
  readonly set: LabelSet
  readonly label: Label
  readonly counts: Readonly<Record<RegimeName, number>>
}

/** What checkpoints of each label are called. */
export function namedOf(points: readonly RegimePoint[]): Named[] {
  return labelSets.flatMap((set) =>
    (['large-step', 'small-step', 'between'] as const).map((label): Named => {
      const own = points.filter(({ labels }) => labels[set] === label)
      const count = (name: RegimeName) => own.filter(({ regime }) => regime.name === name).length
      return {
        set,
        label,
        counts: {
          'large-step': count('large-step'),
          'small-step': count('small-step'),
          unstable: count('unstable'),
          unknown: count('unknown'),
        },
      }
    }),
  )
}

export type Known = {
  /** Share of the runs whose index is known at a tenth of the budget, and the median share from which it is. */
  readonly atTenth: number
  readonly fromShare: number
  /** Of the interval at the last checkpoint before .75 of the budget: median, and share of runs with .3 or less. */
  readonly width: number
  readonly narrow: number
}

const tenth = 0.1
const narrowMax = 0.3
const switchShare = 0.75

export function knownOf(runs: readonly RegimeRun[]): Known {
  const shares = runs.map(({ knownFromShare }) => knownFromShare)
  const widths = runs.flatMap(({ points }) => {
    const at = points.findLast(({ share, regime }) => share <= switchShare && regime.low !== null)?.regime
    return at === undefined ? [] : [at.high! - at.low!]
  })
  return {
    atTenth: shares.filter((share) => share <= tenth).length / shares.length,
    fromShare: median(shares),
    width: median(widths),
    narrow: widths.filter((width) => width <= narrowMax).length / widths.length,
  }
}

export type Transitions = {
  readonly runs: number
  readonly first: number
  readonly later: number
  /** Transitions whose next labels, up to the transition after them, are all of the other regime. */
  readonly falseOnes: number
  /** Transitions with at least one label of either regime behind them. */
  readonly judged: number
}

export function transitionsOf(runs: readonly RegimeRun[], set: LabelSet = 'train'): Transitions {
  const judged = runs.flatMap((run) =>
    run.names.flatMap(({ name, step }, i) => {
      const end = run.names[i + 1]?.step ?? Number.POSITIVE_INFINITY
      const labels = run.points
        .filter(({ share }) => share * run.budgetSteps >= step && share * run.budgetSteps < end)
        .map(({ labels }) => labels[set])
        .filter((label) => label === 'large-step' || label === 'small-step')
      return name === 'unstable' || labels.length === 0 ? [] : [labels.every((label) => label !== name)]
    }),
  )
  return {
    runs: runs.length,
    first: runs.filter(({ names }) => names.length > 0).length,
    later: runs.reduce((sum, { names }) => sum + Math.max(0, names.length - 1), 0),
    falseOnes: judged.filter(Boolean).length,
    judged: judged.length,
  }
}

export type Crossings = {
  /** Runs whose forks say large-step at the begin of the anneal and small-step at its end. */
  readonly said: number
  /** Of those, how many have an index above ½ at the begin and below ½ at the end, and how many record the transition. */
  readonly crossed: number
  readonly recorded: number
}

/** Of runs that anneal from the second checkpoint on. */
export function crossingsOf(runs: readonly RegimeRun[]): Crossings {
  const said = runs.filter(({ points }) => {
    const labels = points.slice(1).map(({ labels }) => labels.train)
    return (
      labels[0] === 'large-step' &&
      labels.findLast((label) => label !== 'between' && label !== 'no label') === 'small-step'
    )
  })
  const indices = said.map(({ points }) => points.slice(1).map(({ regime }) => regime.index))
  return {
    said: said.length,
    crossed: indices.filter((index) => (index[0] ?? 0) > 0.5 && (index.at(-1) ?? 1) < 0.5).length,
    recorded: said.filter(({ names }) => names.at(-1)?.name === 'small-step').length,
  }
}
