// How often does the switch without a budget err, and how soon does it come? The sequential test on simulated probes of
// known drift: at and above the border (every switch is an error) and below it (power); then the same with parts of the
// rule taken out. Thresholds and results: records/2026-11-24-sequential-test. Takes about three minutes on one core.

import { type SequentialParts, sequentialParts } from '../tuner/estimators/sequentialTest.ts'
import { longRunFactor, mean } from '../tuner/estimators/uncertainty.ts'
import { type NoisyProbes, noiseKinds, noisePlaces, simulatedRate } from '../tuner/testing/noisyProbes.ts'

const looksMax = 100
const probesMax = 2_000
const deviations = [0.5, 1, 3]
const errorRuns = 4_000
const powerRuns = 500

/** Deviation from first differences, √(Σ Δ²/(2(n − 1))). */
function firstDifferences(gains: readonly number[]): number {
  let squares = 0
  for (let i = 1; i < gains.length; i++) squares += (gains[i]! - gains[i - 1]!) ** 2
  return Math.sqrt(squares / (2 * (gains.length - 1)))
}

function plainDeviation(gains: readonly number[]): number {
  const center = mean(gains)
  return Math.sqrt(gains.reduce((sum, gain) => sum + (gain - center) ** 2, 0) / (gains.length - 3))
}

const unclipped = Number.MAX_VALUE
const variants: Readonly<Record<string, SequentialParts>> = {
  'the rule': sequentialParts,
  'without the clip': { ...sequentialParts, clip: unclipped },
  'without the factor': { ...sequentialParts, scatterOf: plainDeviation },
  'without both': { clip: unclipped, scatterOf: plainDeviation },
  'first differences with the factor': {
    ...sequentialParts,
    scatterOf: (gains) => firstDifferences(gains) * longRunFactor(gains),
  },
}

/** Wilson's 95 % interval of a share. */
function interval(hits: number, n: number): readonly [number, number] {
  const z = 1.96
  const share = hits / n
  const center = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n)
  return [Math.max(0, center - half), Math.min(1, center + half)]
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

type ErrorRow = NoisyProbes & {
  readonly variant: string
  readonly rate: number
  readonly low: number
  readonly high: number
}
type PowerRow = NoisyProbes & {
  readonly rate: number
  readonly medianLooks: number | null
  readonly medianProbes: number | null
}

function* cells(drifts: readonly number[]): Generator<NoisyProbes> {
  for (const place of noisePlaces)
    for (const kind of noiseKinds)
      for (const deviation of deviations) for (const drift of drifts) yield { place, kind, deviation, drift }
}

function errorRow(cell: NoisyProbes, variant: string): ErrorRow {
  const { fired, rate } = simulatedRate(cell, {
    runs: errorRuns,
    looksMax,
    probesMax,
    parts: variants[variant]!,
  })
  const [low, high] = interval(fired, errorRuns)
  return { ...cell, variant, rate, low, high }
}

function powerRow(cell: NoisyProbes): PowerRow {
  const { rate, medianLooks, medianProbes } = simulatedRate(cell, { runs: powerRuns, looksMax, probesMax })
  return { ...cell, rate, medianLooks, medianProbes }
}

const place = ({ place: where, kind, deviation, drift }: NoisyProbes): string =>
  `${where.padEnd(7)}${kind.padEnd(11)} deviation ${String(deviation).padEnd(4)} drift ${String(drift).padEnd(4)}`

export async function benchSequential(args: readonly string[]): Promise<void> {
  const errors = [...cells([1, 1.5])].map((cell) => errorRow(cell, 'the rule'))
  const power = [...cells([0, 0.5, -1])].map(powerRow)
  const ablations = Object.keys(variants)
    .slice(1)
    .flatMap((variant) =>
      [...cells([1])].filter(({ place: at }) => at === 'steps').map((cell) => errorRow(cell, variant)),
    )
  if (args.includes('--json')) {
    console.log(JSON.stringify({ looksMax, probesMax, errorRuns, powerRuns, errors, power, ablations }))
    return
  }
  console.log(
    `Ever switched within ${looksMax} looks though worth it, of ${errorRuns} runs; unit of drift and deviation: δ`,
  )
  for (const row of errors)
    console.log(`${place(row)}  ${percent(row.rate)}  (${percent(row.low)} to ${percent(row.high)})`)
  console.log(`\nSwitched where it is not worth it, of ${powerRuns} runs; median looks and probes of those`)
  for (const row of power)
    console.log(
      `${place(row)}  ${percent(row.rate)}  ${row.medianLooks ?? '–'} looks  ${row.medianProbes ?? '–'} probes`,
    )
  console.log('\nParts taken out, noise in steps')
  for (const row of ablations) console.log(`${row.variant.padEnd(34)}${place(row)}  ${percent(row.rate)}`)
}
