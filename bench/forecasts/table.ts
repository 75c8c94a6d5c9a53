// The tables of the study, as markdown.

import { finalLossFit, mergedLoss } from '../../tuner/estimators/finalLoss.ts'
import { casesOf, type ForecastCase, type Stage, stages } from './cases.ts'
import { bestShape, type Judged, judged, leftOut, meanOf, residualsOf, type Shape, widthsOf } from './fit.ts'
import { leftOutError, predictors } from './predictors.ts'
import {
  asStated,
  calibrated,
  fittedCalibration,
  leftOutProbabilities,
  probabilityCases,
  reliabilityOf,
} from './probability.ts'
import type { ForecastRow, ProbeRow } from './rows.ts'

const fixed = (value: number, digits = 3): string => (Number.isFinite(value) ? value.toFixed(digits) : '')
const percent = (value: number): string => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : '')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Shares of the steps by which stages are told apart; the anneal and the switch are told whole. */
const shareEdges = [0, 0.25, 0.5, 0.75, 1] as const

export function forecastsMarkdown(rows: readonly ForecastRow[]): string {
  const cases = rows.flatMap(casesOf)
  const fitted = cases.filter(({ set, stage }) => set !== 'judging' && stage !== 'never')
  const judging = cases.filter(({ set }) => set === 'judging')
  const never = cases.filter(({ set, stage }) => set !== 'judging' && stage === 'never')
  const { below, above, ...shape } = finalLossFit
  const widths = { below, above }
  return [
    '## Predictors of the middle, on left-out tasks',
    predictorTable(fitted),
    '## Constants',
    constantsTable(fitted),
    '## Intervals on left-out tasks',
    coverageTable(leftOut(residualsOf(fitted, shape))),
    taskTable(leftOut(residualsOf(fitted, shape))),
    '## Without an anneal, on left-out tasks',
    coverageTable(leftOut(residualsOf(never, shape))),
    `Fitted widths: ${JSON.stringify(widthsOf(residualsOf(never, shape)))}.`,
    '## Intervals on the judging tasks, by the constants in force',
    coverageTable(judged(residualsOf(judging, shape), widths)),
    taskTable(judged(residualsOf(judging, shape), widths)),
    '## As it was: promises of tunerVersion 10, with ± 1.96 standard errors',
    formerTable(rows),
    '## Merged weights',
    mergedTable(rows),
    '## Probability that annealing gains as much',
    probabilityTable(rows),
  ].join('\n\n')
}

function predictorTable(cases: readonly ForecastCase[]): string {
  const sections: [string, (entry: ForecastCase) => boolean][] = [
    ['before half', ({ stage, share }) => (stage === 'now' || stage === 'at') && share < 0.5],
    ['from half on', ({ stage, share }) => (stage === 'now' || stage === 'at') && share >= 0.5],
    ['at the switch', ({ stage }) => stage === 'switch'],
    ['in the anneal', ({ stage }) => stage === 'anneal'],
  ]
  const body = predictors.map((predictor) => {
    const cells = sections.map(([, isIn]) => leftOutError(predictor, cases.filter(isIn)))
    const all = leftOutError(predictor, cases)
    const constant = predictor.constants.length > 1 ? ` (${all.constant})` : ''
    return [
      predictor.name + constant,
      percent(all.told),
      fixed(all.median),
      fixed(all.mean),
      ...cells.map(({ median, mean }) => `${fixed(median)} / ${fixed(mean)}`),
    ]
  })
  const head = ['predictor', 'told', 'all, median', 'mean', ...sections.map(([name]) => name)]
  return table(head, body)
}

function constantsTable(cases: readonly ForecastCase[]): string {
  const told = (name: string, shape: Shape, score: number): string[] => {
    const { below, above } = widthsOf(residualsOf(cases, shape))
    const { decline, floor, curvature, gap, top } = shape
    return [
      name,
      ...[decline, floor, curvature, gap, top, below, above, score].map((value) => fixed(value, 2)),
    ]
  }
  const scoreOf = (shape: Shape): number =>
    meanOf(leftOut(residualsOf(cases, shape)).map(({ score: value, weight }) => ({ value, weight })))
  const best = [0, 0.4, 0.6].map((decline) => {
    const { shape, score } = bestShape(cases, decline)
    return told('best of the grid', shape, score)
  })
  const { below, above, ...shape } = finalLossFit
  const inForce = [...told('in force', shape, scoreOf(shape))]
  inForce.splice(
    6,
    2,
    `${fixed(below, 2)} (fitted ${inForce[6]})`,
    `${fixed(above, 2)} (fitted ${inForce[7]})`,
  )
  return table(
    ['', 'decline', 'floor', 'curvature', 'gap', 'top', 'below', 'above', 'score'],
    [...best, inForce],
  )
}

const coverageCells = (own: readonly Judged[]): string[] => [
  String(own.length),
  percent(own.filter(({ isInside }) => isInside).length / own.length),
  percent(meanOf(own.map(({ isInside, weight }) => ({ value: isInside ? 1 : 0, weight })))),
  percent(medianOf(own.map(({ width }) => width))),
]

function coverageTable(all: readonly Judged[]): string {
  const sections = stages.flatMap((stage) => sectionsOf(stage, all))
  const body = sections.map(([name, own]) => [name, ...coverageCells(own)])
  return table(
    ['', 'n', 'inside', 'inside, tasks alike', 'median width'],
    [...body, ['all', ...coverageCells(all)]],
  )
}

function sectionsOf(stage: Stage, all: readonly Judged[]): [string, Judged[]][] {
  const own = all.filter((entry) => entry.case.stage === stage)
  if (own.length === 0) return []
  if (stage === 'switch' || stage === 'anneal') return [[stage, own]]
  return shareEdges.slice(0, -1).flatMap((from, i): [string, Judged[]][] => {
    const to = shareEdges[i + 1]!
    const within = own.filter(({ case: { share } }) => share >= from && share < to)
    return within.length === 0 ? [] : [[`${stage}, ${from} to ${to} of the steps`, within]]
  })
}

function taskTable(all: readonly Judged[]): string {
  const tasks = [...new Set(all.map((entry) => entry.case.task))].sort()
  const body = tasks.map((task) => [task, ...coverageCells(all.filter((entry) => entry.case.task === task))])
  return table(['task', 'n', 'inside', 'stages alike', 'median width'], body)
}

function formerTable(rows: readonly ForecastRow[]): string {
  const body = (['development', 'judging'] as const).map((set) => {
    const own = rows.flatMap((row) => {
      const promised = row.set === set ? row.steered?.promised : undefined
      if (promised?.standardError == null) return []
      const half = 1.96 * promised.standardError
      const error = row.steered!.reached - promised.value
      return [
        { isInside: Math.abs(error) <= half, isAbove: error > half, width: (2 * half) / promised.value },
      ]
    })
    const share = (is: (entry: (typeof own)[number]) => boolean) =>
      percent(own.filter(is).length / own.length)
    return [
      set,
      String(own.length),
      share(({ isInside }) => isInside),
      share(({ isAbove }) => isAbove),
      percent(medianOf(own.map(({ width }) => width))),
    ]
  })
  return table(['', 'n', 'inside', 'reached above it', 'median width'], body)
}

/** What merged weights are said to have against the level there, the middle of the probes before and after. */
function mergedTable(rows: readonly ForecastRow[]): string {
  const body = (['built-in', 'development', 'judging'] as const).map((set) => {
    const own = rows
      .filter((row) => row.set === set)
      .flatMap(({ probes }) => probes.flatMap((_, i) => mergedCase(probes, i)))
    const inside = own.filter(({ isInside }) => isInside).length / own.length
    return [set, String(own.length), percent(inside), percent(medianOf(own.map(({ width }) => width)))]
  })
  return table(['', 'n', 'inside', 'median width'], body)
}

function mergedCase(probes: readonly ProbeRow[], i: number) {
  const [before, next] = [probes[i - 1], probes[i + 1]]
  const merged = mergedLoss(probes.slice(0, i + 1).map(({ averaged }) => averaged))
  if (before === undefined || next?.phase !== probes[i]!.phase || merged === null) return []
  const level = Math.sqrt(before.averaged * next.averaged)
  return [
    {
      isInside: merged.low <= level && level <= merged.high,
      width: (merged.high - merged.low) / merged.value,
    },
  ]
}

function probabilityTable(rows: readonly ForecastRow[]): string {
  const cases = probabilityCases(rows)
  const stated = cases.map(({ deviations, isTrue }) => ({ p: calibrated(asStated, deviations), isTrue }))
  const told = leftOutProbabilities(cases)
  const bins = reliabilityOf(told)
  const body = reliabilityOf(stated).map((bin, i) => [
    `${bin.from} to ${bin.to}`,
    String(bin.count),
    fixed(bin.stated, 2),
    fixed(bin.true, 2),
    String(bins[i]!.count),
    fixed(bins[i]!.stated, 2),
    fixed(bins[i]!.true, 2),
  ])
  const { factor, shift } = fittedCalibration(cases)
  const head = ['bin', 'n as it was', 'stated', 'true', 'n, left-out tasks', 'stated', 'true']
  return `${table(head, body)}\n\nFitted on all ${cases.length}: factor ${factor}, shift ${shift}.`
}
