// How often is a run without a budget ended though it still gains, and how soon one that does not? The rule on simulated averaged
// losses whose pace is known: so many times what is worth it an e-fold of steps, for ever. The noise is in what is measured
// (`levels`: each probe is off by itself) or in the weights (`walk`: the loss wanders). Thresholds and results:
// records/2026-11-28-no-budget. Takes about a minute on one core.

import { valleySlope } from '../tuner/estimators/valleySlope.ts'
import { diminishingOf } from '../tuner/phases/diminishing.ts'
import { hitsNeeded, hitsWindow } from '../tuner/phases/rule.ts'
import { normals, random } from '../tuner/testing/random.ts'
import { correlated } from './finish/drawn.ts'

const runs = 300
const firstStep = 120
const lastStep = 20_000
/** Distance of probes as a share of the steps, as the tuner asks for them. */
const stride = 0.04
/** What annealing gains: what is worth it is a share of it, and the unit of pace and noise. */
const annealing = 1
const places = ['levels', 'walk'] as const
const correlations = [0, 0.5, 0.8] as const
const deviations = [0.3, 1, 3] as const
const paces = [4, 2, 1, 0] as const

type Cell = {
  readonly place: (typeof places)[number]
  /** Lag-1 autocorrelation of the noise, from probe to probe. */
  readonly correlation: number
  /** Deviation of the noise of a probe, or of what an e-fold of steps wanders, in units of what is worth it. */
  readonly deviation: number
  /** What as many steps again take off, in the same unit. */
  readonly pace: number
}
type Row = Cell & { readonly ended: number; readonly medianStep: number | null }

/** What is worth it where annealing gains 1. */
const worth = diminishingOf(
  Array.from({ length: 40 }, (_, i) => ({ runLength: 100 + 10 * i, averagedLoss: 0, count: 1 })),
  annealing,
)!.worth

/** The step at which the rule ends the run; null = it goes on to the last. */
function endOf({ place, correlation, deviation, pace }: Cell, seed: number): number | null {
  const noise = correlated(correlation, normals(random(seed)))
  let state = valleySlope.init()
  let verdicts: readonly boolean[] = []
  let walked = 0
  for (let step = firstStep; step <= lastStep; step += Math.max(20, Math.round(stride * step))) {
    const error = deviation * worth * noise()
    if (place === 'walk') walked += error * Math.sqrt(stride)
    const averagedLoss = -pace * worth * Math.log2(step) + (place === 'walk' ? walked : error)
    state = valleySlope.update(state, { runLength: step, averagedLoss })
    const isEnough = diminishingOf(state.points, annealing)?.isEnough ?? false
    verdicts = [...verdicts, isEnough].slice(-hitsWindow)
    if (isEnough && verdicts.filter(Boolean).length >= hitsNeeded) return step
  }
  return null
}

function rowOf(cell: Cell): Row {
  const ends = Array.from({ length: runs }, (_, seed) => endOf(cell, seed + 1))
    .filter((step) => step !== null)
    .sort((a, b) => a - b)
  return { ...cell, ended: ends.length / runs, medianStep: ends[Math.floor(ends.length / 2)] ?? null }
}

const told = ({ ended, medianStep }: Row): string =>
  `${Math.round(100 * ended)} %${medianStep === null ? '' : ` at ${medianStep}`}`

export async function benchStopping(args: readonly string[]): Promise<void> {
  const rows = places.flatMap((place) =>
    correlations.flatMap((correlation) =>
      deviations.flatMap((deviation) => paces.map((pace) => rowOf({ place, correlation, deviation, pace }))),
    ),
  )
  if (args.includes('--json')) {
    console.log(JSON.stringify({ runs, lastStep, rows }))
    return
  }
  console.log(
    `Ended within ${lastStep} steps, of ${runs} runs, and the median step; pace and noise in units of what is worth it\n`,
  )
  console.log(`| noise | correlation | deviation | ${paces.map((pace) => `pace ${pace}`).join(' | ')} |`)
  console.log(`| --- | --- | --- | ${paces.map(() => '---').join(' | ')} |`)
  for (let i = 0; i < rows.length; i += paces.length) {
    const { place, correlation, deviation } = rows[i]!
    const cells = rows.slice(i, i + paces.length).map(told)
    console.log(`| ${place} | ${correlation} | ${deviation} | ${cells.join(' | ')} |`)
  }
}
