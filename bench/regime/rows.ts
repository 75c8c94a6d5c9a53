// The rows of the regime benchmark: how well one number that the tuner could read ranks large-step above small-step
// checkpoints. Nothing is fitted, so no task has to be left out; the one constant, the share at which the index is ½, ranks
// nothing and is judged by the names (names.ts).

import type { LabelSet } from './label.ts'
import { type CandidateInput, candidateInputs, type RegimePoint } from './points.ts'
import { type Area, areaOf, type Scored } from './roc.ts'

export type Row = {
  readonly name: string
  readonly all: Area
  /** Without the runs that learned nothing, which are easy. */
  readonly alive: Area
  /** Without text, where no checkpoint is large-step: a task that is all of one kind widens the area. */
  readonly withoutText: Area
  readonly tasks: ReadonlyMap<string, Area>
}

const inputNames: Readonly<Record<CandidateInput, string>> = {
  gapShare: 'gap share at the present rate (taken)',
  gapOverLoss: 'D/L, medians of 8 (before)',
  gainOverLoss: 'G/L',
  rateRatio: 'ρ',
  shareRisen: 'share risen',
  noiseOverBatch: 'noise scale / B',
  rate: 'dummy: the rate',
  elapsed: 'dummy: elapsed share',
}

/** Points with a label of either kind; the others are counted elsewhere. */
export const labelled = (points: readonly RegimePoint[], set: LabelSet): RegimePoint[] =>
  points.filter(({ labels }) => labels[set] === 'large-step' || labels[set] === 'small-step')

export const tasksOf = (points: readonly RegimePoint[]): string[] => [
  ...new Set(points.map(({ task }) => task)),
]

type ScoredPoint = Scored & { readonly isDead: boolean }

/** Points at which the input is not measured are left out. */
function scoredBy(
  points: readonly RegimePoint[],
  input: CandidateInput,
  isLarge: (point: RegimePoint) => boolean,
): ScoredPoint[] {
  return points.flatMap((point) => {
    const score = point.inputs[input]
    const { task, run, isDead } = point
    return score === null ? [] : [{ score, isLarge: isLarge(point), task, run, isDead }]
  })
}

const byLabel = (points: readonly RegimePoint[], input: CandidateInput, set: LabelSet): ScoredPoint[] =>
  scoredBy(labelled(points, set), input, ({ labels }) => labels[set] === 'large-step')

export function rowOf(name: string, points: readonly ScoredPoint[]): Row {
  const tasks = [...new Set(points.map(({ task }) => task))]
  return {
    name,
    all: areaOf(points),
    alive: areaOf(points.filter(({ isDead }) => !isDead)),
    withoutText: areaOf(points.filter(({ task }) => task !== 'text')),
    tasks: new Map(tasks.map((task) => [task, areaOf(points.filter((point) => point.task === task))])),
  }
}

export function rowsOf(points: readonly RegimePoint[]): Row[] {
  const clear = points.filter(({ labels }) => labels.train !== 'no label')
  return [
    ...candidateInputs.map((input) => rowOf(inputNames[input], byLabel(points, input, 'train'))),
    rowOf('taken, labels by held-out loss', byLabel(points, 'gapShare', 'heldOut')),
    rowOf('taken, labels by anneal', byLabel(points, 'gapShare', 'annealed')),
    rowOf(
      'taken, those between as small-step',
      scoredBy(clear, 'gapShare', ({ labels }) => labels.train === 'large-step'),
    ),
    rowOf(
      'taken, those between as large-step',
      scoredBy(clear, 'gapShare', ({ labels }) => labels.train !== 'small-step'),
    ),
  ]
}
