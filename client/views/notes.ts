// What the page says of a run beside its headline: the word of its state, what that means for the job, and what must
// not be overlooked: that the job does not follow its plan, that advice was not taken, that nothing was gained.

import { formatRate, formatStep } from '../../protocol/numbers.ts'
import { evaluatePlan } from '../../protocol/plan.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { formatDuration, formatKnown } from './format.ts'
import type { IconName } from './icons.tsx'
import { stateTitle } from './words.ts'

/** Whether the run has ended and its weights are measured to be no better than those it began with. */
export const isNoBetter = ({ outcome }: Pick<RunSummary, 'outcome'>): boolean => outcome?.isBetter === false

/** The word on a run's state chip; a stale run says since when. */
export function stateWords(run: Pick<RunSummary, 'state' | 'lastSeenAt' | 'outcome'>, nowMs: number): string {
  const title = stateTitle[run.state]
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
