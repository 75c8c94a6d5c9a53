// The rows of the regime benchmark: what each set of inputs tells about tasks that its coefficients were not fitted on,
// beside the coefficients that were chosen by argument before there were forks, and what is in force.

import { type FitPoint, fitLogistic, type LogisticFit, logistic, probabilityOf } from './fit.ts'
import type { LabelSet } from './label.ts'
import type { CandidateInput, RegimePoint } from './points.ts'
import { type Area, areaOf, type Bounds, logLoss, logLossAbove, type Scored } from './roc.ts'

export type InputSet = { readonly name: string; readonly inputs: readonly CandidateInput[] }

export const takenSet: InputSet = { name: 'D/L (taken)', inputs: ['gapOverLoss'] }
export const inputSets: readonly InputSet[] = [
  takenSet,
  {
    name: 'D/σ, ρ, share risen, noise scale (as planned)',
    inputs: ['gapOverScatter', 'rateRatio', 'shareRisen', 'noiseOverBatch'],
  },
  { name: 'mean share, ρ, share risen (before)', inputs: ['meanShare', 'rateRatio', 'shareRisen'] },
  { name: 'mean share, ρ', inputs: ['meanShare', 'rateRatio'] },
  { name: 'mean share, share risen', inputs: ['meanShare', 'shareRisen'] },
  { name: 'D/L, G/L, ρ, share risen', inputs: ['gapOverLoss', 'gainOverLoss', 'rateRatio', 'shareRisen'] },
  { name: 'D/L, ρ, share risen', inputs: ['gapOverLoss', 'rateRatio', 'shareRisen'] },
  { name: 'D/L, share risen', inputs: ['gapOverLoss', 'shareRisen'] },
  { name: 'G/L, ρ, share risen', inputs: ['gainOverLoss', 'rateRatio', 'shareRisen'] },
  { name: 'mean share', inputs: ['meanShare'] },
  { name: 'G/L', inputs: ['gainOverLoss'] },
  { name: 'ρ', inputs: ['rateRatio'] },
  { name: 'share risen', inputs: ['shareRisen'] },
  { name: 'D/σ', inputs: ['gapOverScatter'] },
  { name: 'noise scale / B', inputs: ['noiseOverBatch'] },
  { name: 'dummy: rate and elapsed share', inputs: ['logRate', 'elapsed'] },
]

export type Row = {
  readonly name: string
  readonly all: Area
  /** Without the runs that learned nothing, which are easy. */
  readonly alive: Area
  readonly tasks: ReadonlyMap<string, Area>
  readonly logLoss: number
  /** How much higher it is than that of the taken inputs; absent where the points are others. */
  readonly logLossAbove?: Bounds
}

/** The taken inputs on all points, those between counted to one side. */
function withBetween(points: readonly RegimePoint[], side: 'large-step' | 'small-step'): ScoredPoint[] {
  return tasksOf(points).flatMap((task) => {
    const fit = fitOf(
      points.filter((point) => point.task !== task),
      takenSet,
    )
    const own = points.filter((point) => point.task === task && point.labels.train !== 'no label')
    return own.map((point) => {
      const isLarge =
        point.labels.train === 'between' ? side === 'large-step' : point.labels.train === 'large-step'
      return { ...scored(point, probabilityBy(fit, takenSet, point), 'train'), isLarge }
    })
  })
}

/** Points with a label of either kind; the others are counted elsewhere. */
export const labelled = (points: readonly RegimePoint[], set: LabelSet): RegimePoint[] =>
  points.filter(({ labels }) => labels[set] === 'large-step' || labels[set] === 'small-step')

export const tasksOf = (points: readonly RegimePoint[]): string[] => [
  ...new Set(points.map(({ task }) => task)),
]

const fitPoints = (points: readonly RegimePoint[], inputs: readonly CandidateInput[]): FitPoint[] =>
  points.map((point) => ({
    inputs: inputs.map((name) => point.inputs[name]),
    isLarge: point.labels.train === 'large-step',
    group: point.run,
  }))

/** On all points that have a label by the training loss. */
export const fitOf = (points: readonly RegimePoint[], { inputs }: InputSet): LogisticFit =>
  fitLogistic(fitPoints(labelled(points, 'train'), inputs))

const scored = (point: RegimePoint, score: number, set: LabelSet) => ({
  score,
  isLarge: point.labels[set] === 'large-step',
  task: point.task,
  run: point.run,
  isDead: point.isDead,
})
export type ScoredPoint = Scored & { readonly isDead: boolean }

const probabilityBy = (fit: LogisticFit, { inputs }: InputSet, point: RegimePoint): number =>
  probabilityOf(
    fit,
    inputs.map((name) => point.inputs[name]),
  )

/** Each task by coefficients of the others, fitted on labels by the training loss, scored on those of `set`, from what
 *  `seen` leaves of a point. */
export function leftOutScores(
  points: readonly RegimePoint[],
  inputSet: InputSet,
  set: LabelSet = 'train',
  seen = (point: RegimePoint) => point,
): ScoredPoint[] {
  return tasksOf(points).flatMap((task) => {
    const fit = fitOf(
      points.filter((point) => point.task !== task),
      inputSet,
    )
    const own = labelled(points, set).filter((point) => point.task === task)
    return own.map((point) => scored(point, probabilityBy(fit, inputSet, seen(point)), set))
  })
}

/** As a job without averaged weights would see it. */
const withoutGap = ({ inputs, ...point }: RegimePoint): RegimePoint => ({
  ...point,
  inputs: { ...inputs, gapOverLoss: inputs.gainOverLoss },
})

/** The coefficients of version 1, chosen by argument. */
export function chosenIndex({ inputs }: Pick<RegimePoint, 'inputs'>): number {
  const { gapOverScatter, rateRatio, shareRisen, noiseOverBatch } = inputs
  return logistic(
    -0.5 + 1.2 * (gapOverScatter ?? 0) + (rateRatio ?? 0) + (shareRisen ?? 0) + 0.4 * (noiseOverBatch ?? 0),
  )
}

export function rowOf(name: string, points: readonly ScoredPoint[]): Row {
  const tasks = [...new Set(points.map(({ task }) => task))]
  return {
    name,
    all: areaOf(points),
    alive: areaOf(points.filter(({ isDead }) => !isDead)),
    tasks: new Map(tasks.map((task) => [task, areaOf(points.filter((point) => point.task === task))])),
    logLoss: logLoss(points),
  }
}

export function rowsOf(points: readonly RegimePoint[]): Row[] {
  const own = labelled(points, 'train')
  const taken = leftOutScores(points, takenSet)
  return [
    ...inputSets.map((inputSet) => {
      const scores = leftOutScores(points, inputSet)
      return { ...rowOf(inputSet.name, scores), logLossAbove: logLossAbove(scores, taken) }
    }),
    rowOf(
      'coefficients chosen by argument',
      own.map((point) => scored(point, chosenIndex(point), 'train')),
    ),
    rowOf(
      'in force, fitted on all tasks',
      own.map((point) => scored(point, point.index ?? 0.5, 'train')),
    ),
    rowOf('taken, G in the place of D', leftOutScores(points, takenSet, 'train', withoutGap)),
    rowOf('taken, those between as small-step', withBetween(points, 'small-step')),
    rowOf('taken, those between as large-step', withBetween(points, 'large-step')),
    rowOf('taken, labels by held-out loss', leftOutScores(points, takenSet, 'heldOut')),
    rowOf('taken, labels by anneal', leftOutScores(points, takenSet, 'annealed')),
  ]
}
