// Cases of the study: what was known at a probe, and what then came. The input is that of the tuner's own estimator; steps
// count from the run's first one.

import { segmentRate } from '../../protocol/plan.ts'
import type { FinalLossInput } from '../../tuner/estimators/finalLoss.ts'
import { finalLossProbesNeeded } from '../../tuner/estimators/finalLoss.ts'
import { holdShare } from '../../tuner/index.ts'
import { annealShape } from '../../tuner/plan/segments.ts'
import type { ForecastRow, ProbeRow } from './rows.ts'

/** `now`: annealed from there to the end; `at`: held to three quarters first; `switch`: as promised; `anneal`: under way. */
export const stages = ['now', 'at', 'switch', 'anneal', 'never'] as const
export type Stage = (typeof stages)[number]

export type ForecastCase = {
  readonly set: ForecastRow['set']
  readonly task: string
  readonly run: string
  readonly stage: Stage
  /** Elapsed share of the steps. */
  readonly share: number
  readonly input: FinalLossInput
  readonly outcome: number
}

const probesInGap = 8

function inputOf(probes: readonly ProbeRow[], ahead: number, gapShare = 1): FinalLossInput {
  const phase = probes.at(-1)!.phase
  const gaps = probes
    .filter((probe) => probe.phase === phase)
    .slice(-probesInGap)
    .map(({ raw, averaged }) => raw - averaged)
    .sort((a, b) => a - b)
  const middle = (gaps[Math.floor((gaps.length - 1) / 2)]! + gaps[Math.floor(gaps.length / 2)]!) / 2
  const points = probes.map(({ runLength, averaged }) => ({ runLength, averagedLoss: averaged }))
  const gap = gapShare * Math.max(0, middle)
  return { points, isKept: true, ahead, gap, stays: 0 }
}

export function casesOf(row: ForecastRow): ForecastCase[] {
  const known = { set: row.set, task: row.task, run: row.run }
  const length = row.end - row.origin
  const made = (
    probes: readonly ProbeRow[],
    stage: Stage,
    more: { ahead: number; gapShare?: number; outcome: number },
  ): ForecastCase[] => {
    if (probes.length < finalLossProbesNeeded) return []
    const annealed = inputOf(probes, more.ahead, more.gapShare)
    const input = stage === 'never' ? { ...annealed, isKept: false, stays: annealed.gap } : annealed
    const share = (probes.at(-1)!.step - row.origin) / length
    return [{ ...known, stage, share, input, outcome: more.outcome }]
  }
  return row.steered === null ? forkedCases(row, made) : steeredCases(row, row.steered, made)
}

type Make = (
  probes: readonly ProbeRow[],
  stage: Stage,
  more: { ahead: number; gapShare?: number; outcome: number },
) => ForecastCase[]

/** Kept weights are no worse than the best that were seen. */
function forkedCases({ probes, forked, origin, end }: ForecastRow, made: Make): ForecastCase[] {
  if (forked === null) return []
  return forked.anneals.flatMap(({ step, loss }) => {
    const seen = probes.filter((probe) => probe.step <= origin + step)
    const best = Math.min(...seen.map(({ averaged }) => averaged))
    const rest = end - origin - step
    const now = made(seen, 'now', { ahead: rest / 2, outcome: Math.min(loss, best) })
    const { never } = forked
    return [...now, ...(never === null ? [] : made(seen, 'never', { ahead: rest, outcome: never }))]
  })
}

function steeredCases(
  { probes, origin, end }: ForecastRow,
  { switchStep, toStep, reached }: NonNullable<ForecastRow['steered']>,
  made: Make,
): ForecastCase[] {
  const length = end - origin
  const held = origin + holdShare * length
  const shape = annealShape(toStep - switchStep, length)
  return probes.flatMap((probe, i) => {
    const seen = probes.slice(0, i + 1)
    if (probe.step >= toStep) return []
    if (probe.phase === 'large') {
      const u = Math.max(probe.step, held)
      const ahead = u - probe.step + (end - u) / 2
      const isLast = probes[i + 1]?.phase !== 'large'
      const promised = { ahead: (toStep - switchStep) / 2, outcome: reached }
      return [
        ...made(seen, 'at', { ahead, outcome: reached }),
        ...(isLast ? made(seen, 'switch', promised) : []),
      ]
    }
    const gapShare = segmentRate({ fromStep: switchStep, toStep, from: 1, to: 0, shape }, probe.step)
    return made(seen, 'anneal', { ahead: (gapShare * (toStep - probe.step)) / 2, gapShare, outcome: reached })
  })
}
