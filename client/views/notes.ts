// What the page says of a run beside its headline: the word of its state, what that means for the job, and what must
// not be overlooked: that the job does not follow its plan, that advice was not taken, that nothing was gained.

import { formatNumber, formatRate, formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { Columns } from '../state/series.ts'
import { isUnheard } from './control/possible.ts'
import { formatDuration, formatKnown } from './format.ts'
import type { IconName } from './icons.tsx'
import { stateTitle } from './words.ts'

/** Whether the run has ended and its weights are measured to be no better than those it began with. */
export const isNoBetter = ({ outcome }: Pick<RunSummary, 'outcome'>): boolean => outcome?.isBetter === false

/** What the chip of a run's state is made from. */
export type RunOfChip = Pick<
  RunSummary,
  'state' | 'lastSeenAt' | 'outcome' | 'loss' | 'step' | 'options' | 'phases'
>

/** The word on a run's state chip; a stale run says since when, and one that was only made that nothing came of it yet. */
export function stateWords(run: RunOfChip, nowMs: number): string {
  const title = stateTitle[run.state]
  if (run.state === 'running' && isUnheard(run)) return 'No report yet'
  if (run.state === 'finished' && isNoBetter(run)) return `${title}, no better`
  const seconds = (nowMs - Date.parse(run.lastSeenAt)) / 1000
  return run.state === 'stale' && Number.isFinite(seconds) ? `${title}, ${formatDuration(seconds)}` : title
}

/** What the state means for the job, where the headline (made at the last report) cannot say it. */
export function stateNote(run: RunSummary, nowMs: number): string | null {
  if (run.state === 'paused') return 'The job waits until somebody resumes it.'
  if (run.state !== 'stale') return null
  const silent = formatDuration((nowMs - Date.parse(run.lastSeenAt)) / 1000)
  return `No telemetry for ${silent}. The job follows its last plan: ${planWords(run)}.`
}

function planWords(run: RunSummary): string {
  const rate =
    run.plan.segments.length > 0 ? formatRate(evaluatePlan(run.plan, run.step).learningRate) : 'none'
  const anneal = run.plan.segments.find((segment) => segment.phase === 'anneal' && segment.toStep > run.step)
  if (anneal === undefined) return rate
  return anneal.fromStep > run.step
    ? `${rate}, annealing from step ${formatStep(anneal.fromStep)}`
    : `annealing from ${rate}, to end at step ${formatStep(anneal.toStep)}`
}

function driftNote({ drift, state }: RunSummary): string | null {
  if (drift === null) return null
  const [applies, says] =
    state === 'finished' || state === 'diverged' ? ['applied', 'said'] : ['applies', 'says']
  const { applied, planned, sinceStep } = drift
  return `The job ${applies} ${formatRate(applied)}, the plan ${says} ${formatRate(planned)}, since step ${formatStep(sinceStep)}.`
}

/** Samples in a row that must be not finite before it is said: one may be an accident. */
const brokenSamplesMin = 3

/** The loss has come apart, as far as the newest samples or the newest decision say so; null = it has not. */
export function divergedNote(
  { state, step }: Pick<RunSummary, 'state' | 'step'>,
  decisions: readonly Decision[],
  losses: Columns | undefined,
): string | null {
  // The headline of a run that was ended for it says so itself.
  if (state === 'diverged' || state === 'finished') return null
  const broken = brokenSince(losses, step)
  if (broken !== null) return `The loss is NaN or infinite since step ${formatStep(broken)}.`
  const last = decisions.findLast(({ kind }) => kind !== 'hold' && kind !== 'transition')
  return last?.kind === 'guard' ? `Diverged at step ${formatStep(last.step)}. ${last.summary}` : null
}

function brokenSince(losses: Columns | undefined, step: number): number | null {
  if (losses === undefined) return null
  let since: number | null = null
  let count = 0
  for (let i = losses.step.length - 1; i >= 0; i--) {
    if (losses.step[i]! > step) continue
    if ((losses.nonFinite[i] ?? 0) === 0 || (losses.count[i] ?? 0) > 0) break
    since = losses.step[i]!
    count += losses.nonFinite[i] ?? 0
  }
  return count >= brokenSamplesMin ? since : null
}

/** What it costs that a planned anneal is not applied, by the newest forecast that knows both; null = not known. */
export function driftCost({ drift, phase }: RunSummary, decisions: readonly Decision[]): string | null {
  if (drift === null || phase !== 'anneal') return null
  const told = decisions.findLast(({ alternatives }) => alternatives.some(({ kind }) => kind === 'never'))
  const loss = (kind: 'now' | 'never') => told?.alternatives.find((entry) => entry.kind === kind)?.finalLoss
  const [now, never] = [loss('now'), loss('never')]
  if (told === undefined || now === undefined || never === undefined || never <= now) return null
  return `Without the anneal a final loss of ${formatNumber(never)} was expected at step ${formatStep(told.step)}, with it ${formatNumber(now)}.`
}

function adviceNote({ advice }: RunSummary): string | null {
  if (advice === null) return null
  const wish = advice.kind === 'switch' ? 'anneal' : 'finish'
  return `Twostep advises to ${wish} since step ${formatStep(advice.step)}; the job has not.`
}

function outcomeNote(run: RunSummary): string | null {
  if (run.outcome === null || !isNoBetter(run)) return null
  const { firstLoss, keptLoss } = run.outcome
  return `No better than at its start: loss ${formatKnown(firstLoss)} then, ${formatKnown(keptLoss)} of the weights kept.`
}

export type Note = { readonly icon: IconName; readonly words: string }

/** The notices under a run's headline. */
export function notesOf(run: RunSummary, nowMs: number): readonly Note[] {
  const all: readonly { readonly icon: IconName; readonly words: string | null }[] = [
    { icon: run.state === 'paused' ? 'paused' : 'stale', words: stateNote(run, nowMs) },
    { icon: 'alert', words: outcomeNote(run) },
    { icon: 'alert', words: driftNote(run) },
    { icon: 'waiting', words: adviceNote(run) },
  ]
  return all.flatMap(({ icon, words }) => (words === null ? [] : [{ icon, words }]))
}
