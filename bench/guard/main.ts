// `npm run bench -- guard`: how often the guard takes a healthy run for one that came apart, how soon it sees one that did,
// and whether it is blind to the loss's zero and unit, on simulated losses. Threshold and results:
// records/2026-11-28-guard. `--seeds N` runs a kind, 200 by default; minutes on one core. `--json` prints one line.

import { optionOf } from '../options.ts'
import { divergences, exactlyZero } from './divergences.ts'
import { type Detected, detectedRow, type Healthy, healthyRow, sameSigns } from './simulate.ts'
import { healthyKinds } from './streams.ts'

const steps = 20_000
const watchedSteps = 5_000
const changes = [
  { shift: -5 },
  { shift: 1_000 },
  { factor: 1e-6 },
  { factor: 1_024 },
  { factor: 0.5, shift: -3 },
] as const
const changedRuns = 20
const shiftable = divergences.filter(({ name }) => name !== exactlyZero)

export type GuardFigures = {
  readonly node: string
  readonly seeds: number
  readonly steps: number
  readonly healthy: readonly Healthy[]
  readonly divergences: readonly Detected[]
  readonly invariance: readonly {
    readonly shift: number
    readonly factor: number
    readonly runs: number
    readonly same: number
  }[]
}

export function guardFigures(seeds: number, onRow: (name: string) => void = () => undefined): GuardFigures {
  const healthy = healthyKinds().map((kind) => {
    onRow(kind.name)
    return healthyRow(kind, seeds, steps)
  })
  const detected = divergences.map((kind) => {
    onRow(kind.name)
    return detectedRow(kind, seeds, watchedSteps)
  })
  const runs = Math.min(seeds, changedRuns)
  const invariance = changes.map((change) => ({
    shift: 0,
    factor: 1,
    ...change,
    runs: runs * shiftable.length,
    same: shiftable.reduce((sum, kind) => sum + sameSigns(kind, change, runs, kind.atStep + watchedSteps), 0),
  }))
  return { node: process.versions.node, seeds, steps, healthy, divergences: detected, invariance }
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

function healthyTable({ healthy, seeds }: GuardFigures): string[] {
  const trips = healthy.reduce((sum, row) => sum + row.trips, 0)
  const runs = healthy.reduce((sum, row) => sum + row.runs, 0)
  const failed = healthy.filter((row) => row.trips >= 0.01 * row.runs)
  const lines = failed.map(({ name, trips: count, runs: of, signs }) => {
    const places = signs.map(({ step }) => step).sort((a, b) => a - b)
    const keys = [...new Set(signs.map(({ key }) => key))].join(', ')
    return `| ${name} | ${percent(count, of)} | ${places[Math.floor(places.length / 2)]} | ${keys} |`
  })
  return [
    `**Healthy runs of ${steps} steps: ${trips} of ${runs} trip (${percent(trips, runs)}); ${failed.length} of ${healthy.length} kinds at 1 % or more of ${seeds}**`,
    ...(lines.length === 0
      ? []
      : ['', '| kind | trip | middle step | sign |', '| --- | --- | --- | --- |', ...lines]),
  ]
}

function detectedTable({ divergences: rows }: GuardFigures): string[] {
  const lines = rows.map(({ name, runs, early, seen, delay, keys }) => {
    const times = delay === null ? '' : `${delay.median} (${delay.high})`
    return `| ${name} | ${percent(seen, runs)} | ${times} | ${percent(early, runs)} | ${keys.join(', ')} |`
  })
  return [
    `**Divergences at step 5,000, or where it says so, watched for ${watchedSteps} steps**`,
    '',
    '| divergence | seen | steps until then, middle (95 %) | before it | sign |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ]
}

function invarianceTable({ invariance }: GuardFigures): string[] {
  const lines = invariance.map(
    ({ shift, factor, same, runs }) => `| ${factor}·loss + ${shift} | ${same} of ${runs} |`,
  )
  return [
    `**The same sign at the same step once all losses are changed (all divergences but "${exactlyZero}")**`,
    '',
    '| change | runs |',
    '| --- | --- |',
    ...lines,
  ]
}

export async function benchGuard(args: readonly string[]): Promise<void> {
  const seeds = Number(optionOf(args, '--seeds', '200'))
  if (!Number.isSafeInteger(seeds) || seeds < 1)
    throw new RangeError(`--seeds must be a whole number from 1 on, got ${optionOf(args, '--seeds', '')}`)
  const figures = guardFigures(seeds)
  if (args.includes('--json')) return console.log(JSON.stringify(figures))
  const tables = [healthyTable(figures), detectedTable(figures), invarianceTable(figures)]
  console.log(tables.map((lines) => lines.join('\n')).join('\n\n'))
}
