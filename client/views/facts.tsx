// The facts under the sentence: time left, the rate in force, what trains, how fast, what measuring costs, what came of
// an ended run, and which samples were left out. They are made as words (factsOf), and shown with their numbers strong. Beside
// them stands the way to the one decision that everybody asks about.

import { useEffect } from 'preact/hooks'
import { formatNumber, formatPercent, formatRate, formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { endStepOf } from '../charts/phases.ts'
import { nowMs } from '../state/clock.ts'
import { followPace, pace, type Speed, speedOf } from '../state/pace.ts'
import { choose } from './choosing.ts'
import { formatDuration, formatKnown } from './format.ts'
import { Sentence } from './sentence.tsx'
import { isUnapplied } from './words.ts'

/** `optional` is left out on narrow screens. */
export type Fact = {
  readonly words: string
  readonly look?: 'time-left' | 'optional' | 'by-hand' | 'bad-words'
}

/**
 * Time left in words; null = not known, silent or over. "About" is said of a pace that was heard to be steady; of two paces both
 * ends are told, and before enough was heard what the server knows of the last reports.
 */
export function timeLeft(run: RunSummary, speed: Speed | 'silent' | null = null): string | null {
  const end = runEndOf(run)
  if (end === null || speed === 'silent' || (run.state !== 'running' && run.state !== 'waiting')) return null
  const left = end - run.step
  const words = (stepsPerSecond: number) => formatDuration(Math.max(1, left / stepsPerSecond))
  if (left <= 0) return null
  if (speed === null)
    return run.stepsPerSecond !== null && run.stepsPerSecond > 0
      ? `${words(run.stepsPerSecond)} left at its last pace`
      : null
  const [short, long] = [words(speed.high), words(speed.low)]
  if (short === long) return `About ${short} left`
  return speed.low > 0 ? `${short} to ${long} left` : `At least ${short} left`
}

/**
 * Where the run ends: where the plan does, which may be before the budget. A job that is only advised has none, and without
 * a budget the plan's end is far off until the anneal is planned.
 */
export function runEndOf(run: RunSummary): number | null {
  const planned = run.plan.segments.at(-1)
  const isSteered = run.mode === 'auto' || run.mode === 'approve'
  const isMeant = planned?.phase === 'anneal' && (run.budgetSteps !== null || run.phase === 'anneal')
  return isSteered && isMeant ? planned.toStep : endStepOf(run)
}

/** The rate that the plan gave for the newest step. */
function plannedNow(run: RunSummary): number | null {
  return run.plan.segments.length === 0 || run.step === 0
    ? null
    : evaluatePlan(run.plan, run.step - 1).learningRate
}

/** The same to within this share counts as recommended: rates travel as text and are rounded by some frameworks. */
const sameRateShare = 0.01

function rateFact(run: RunSummary): Fact | null {
  const applied = run.learningRate
  if (applied === null) return unreportedFact(run)
  if (run.override !== null) {
    const { learningRate, untilStep, reason } = run.override
    const why = reason === '' ? '' : ` (${reason})`
    const set = `Set by hand: ${formatRate(learningRate)} until step ${formatStep(untilStep)}${why}`
    // The headline says so too, unless it has something else to tell.
    if (run.state === 'paused') return { words: set, look: 'by-hand' }
    return { words: `Applied rate ${formatRate(applied)}, by hand`, look: 'by-hand' }
  }
  const hasEnded = run.state === 'finished' || run.state === 'diverged'
  const words = `${hasEnded ? 'Last rate' : 'Applied rate'} ${formatRate(applied)}`
  const planned = plannedNow(run)
  // Drift and advice have notes of their own, and the plan of a job that is only advised is what it does itself.
  if (planned === null || run.drift !== null || run.advice !== null || run.mode === 'off' || hasEnded)
    return { words }
  if (Math.abs(applied - planned) <= sameRateShare * Math.max(applied, planned))
    return { words: `${words}, as recommended` }
  return { words: run.mode === 'advisory' ? `${words}, Twostep would use ${formatRate(planned)}` : words }
}

/** A job that does not say which rate it applies: what it was told, and no more. */
function unreportedFact(run: RunSummary): Fact | null {
  if (run.step === 0) return null
  const planned = run.override?.learningRate ?? plannedNow(run)
  const isTold = planned !== null && (run.mode === 'auto' || run.mode === 'approve')
  return { words: isTold ? `Rate not reported; the plan says ${formatRate(planned)}` : 'Rate not reported' }
}

function jobFact(run: RunSummary): Fact | null {
  const { framework, optimizer, settings } = run.options
  // An optimizer called "momentum" would be named twice with its coefficient.
  const name = optimizer.momentum !== null && optimizer.name === 'momentum' ? '' : optimizer.name
  const parts = [framework, name].filter((text) => text !== 'unknown' && text !== '')
  if (optimizer.momentum !== null) parts.push(`momentum ${formatNumber(optimizer.momentum)}`)
  if (typeof settings.batchSize === 'number') parts.push(`batch ${formatStep(settings.batchSize)}`)
  return parts.length === 0 ? null : { words: parts.join(', '), look: 'optional' }
}

function speedFact({ stepsPerSecond, state }: RunSummary): Fact | null {
  if (stepsPerSecond === null || state !== 'running') return null
  return { words: `${formatNumber(stepsPerSecond)} steps a second`, look: 'optional' }
}

function costFact({ signalShare, probeShare }: RunSummary): Fact | null {
  if (signalShare === null && probeShare === null) return null
  const cost = formatPercent((signalShare ?? 0) + (probeShare ?? 0))
  return { words: `Measuring costs ${cost} of the run`, look: 'optional' }
}

function outcomeFact({ outcome }: RunSummary): Fact | null {
  if (outcome === null) return null
  const { firstLoss, keptLoss, isBetter, isHeldOut = false } = outcome
  const open = isBetter === null ? ', which of them is better was not measured' : ''
  return {
    words: isHeldOut
      ? `Held-out loss of the kept weights ${formatKnown(keptLoss)}, training loss at the start ${formatKnown(firstLoss)}${open}`
      : `Training loss ${formatKnown(firstLoss)} at the start, ${formatKnown(keptLoss)} at the end${open}`,
  }
}

/** What was wrong with the samples that were left out; each count that is not 0 is named. */
const badWords: readonly (readonly [keyof RunSummary['badSamples'], string])[] = [
  ['nonFinite', 'with a NaN or infinite loss'],
  ['nonFiniteNorms', 'with a NaN or infinite gradient norm'],
  ['skipped', 'skipped by the job'],
  ['outOfOrder', 'late'],
  ['repeated', 'repeated'],
  ['farAhead', 'too far ahead'],
]

function badFact({ badSamples }: RunSummary): Fact | null {
  const found = badWords.filter(([name]) => badSamples[name] > 0)
  if (found.length === 0) return null
  const words = found.map(([name, what]) => `${formatStep(badSamples[name])} ${what}`)
  return { words: `Samples left out: ${words.join(', ')}`, look: 'bad-words' }
}

export function factsOf(run: RunSummary, speed: Speed | 'silent' | null = null): readonly Fact[] {
  const left = timeLeft(run, speed)
  const all: readonly (Fact | null)[] = [
    left === null ? null : { words: left, look: 'time-left' },
    rateFact(run),
    jobFact(run),
    speedFact(run),
    costFact(run),
    outcomeFact(run),
    badFact(run),
  ]
  return all.filter((fact) => fact !== null)
}

/** The switch that holds, where another decision is shown; null = there is nothing to lead to. */
export const switchToExplain = (
  decisions: readonly Decision[],
  shown: Decision | null,
  { switchStep }: Pick<RunSummary, 'switchStep'>,
): Decision | null => {
  if (switchStep === null) return null
  const found = decisions.findLast((decision) => decision.kind === 'switch' && !isUnapplied(decision))
  return found === undefined || found.number === shown?.number ? null : found
}

export function Facts(props: { run: RunSummary; decisions: readonly Decision[]; shown: Decision | null }) {
  const { run, decisions, shown } = props
  const explained = switchToExplain(decisions, shown, run)
  useEffect(followPace, [run.id])
  // Silence is told by the clock, which ticks each second.
  const speed = nowMs.value > 0 ? speedOf(pace.value, performance.now()) : null
  return (
    <div class="facts">
      {factsOf(run, speed).map(({ words, look }) => (
        <span key={words} class={look}>
          <Sentence text={words} />
        </span>
      ))}
      {explained !== null && (
        <button type="button" class="link" onClick={() => choose(explained.number)}>
          Why did it switch?
        </button>
      )}
    </div>
  )
}
