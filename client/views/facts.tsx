// The facts under the sentence: time left, the rate in force, what trains, how fast, and what measuring costs.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { formatCount, formatDuration, formatNumber, formatShare } from './format.ts'

/** Time left at the present speed, in words; null = not known or over. */
export function timeLeft(run: RunSummary): string | null {
  if (run.budgetSteps === null || run.stepsPerSecond === null || !(run.stepsPerSecond > 0)) return null
  if (run.state !== 'running' && run.state !== 'waiting') return null
  const left = run.budgetSteps - run.step
  return left > 0 ? `About ${formatDuration(Math.max(1, left / run.stepsPerSecond))} left` : null
}

/** The rate that the plan gave for the newest step. */
function plannedNow(run: RunSummary): number | null {
  return run.plan.segments.length === 0 || run.step === 0
    ? null
    : evaluatePlan(run.plan, run.step - 1).learningRate
}

/** The same to within this share counts as recommended: rates travel as text and are rounded by some frameworks. */
const sameRateShare = 0.01

function RateFact(props: { run: RunSummary }) {
  const { run } = props
  const applied = run.learningRate
  if (applied === null) return null
  if (run.override !== null) {
    const { learningRate, untilStep, reason } = run.override
    return (
      <span class="by-hand">
        Set by hand: <b>{formatNumber(learningRate)}</b> until step {formatCount(untilStep)}
        {reason === '' ? '' : ` (${reason})`}
      </span>
    )
  }
  const planned = plannedNow(run)
  const same = planned !== null && Math.abs(applied - planned) <= sameRateShare * Math.max(applied, planned)
  return (
    <span>
      {run.state === 'finished' ? 'Last rate' : 'Applied rate'} <b>{formatNumber(applied)}</b>
      {same && run.mode !== 'off' && run.state !== 'finished' ? ', as recommended' : ''}
      {!same && planned !== null && run.mode === 'advisory' && `, Twostep would use ${formatNumber(planned)}`}
    </span>
  )
}

function jobWords(run: RunSummary): string {
  const { framework, optimizer, settings } = run.options
  // An optimizer called "momentum" would be named twice with its coefficient.
  const name = optimizer.momentum != null && optimizer.name === 'momentum' ? '' : optimizer.name
  const parts = [framework, name].filter((text) => text !== 'unknown' && text !== '')
  if (optimizer.momentum != null) parts.push(`momentum ${formatNumber(optimizer.momentum).replace(/0$/, '')}`)
  if (typeof settings.batchSize === 'number') parts.push(`batch ${formatCount(settings.batchSize)}`)
  return parts.join(', ')
}

export function Facts(props: { run: RunSummary }) {
  const { run } = props
  const left = timeLeft(run)
  const job = jobWords(run)
  const cost =
    run.signalShare === null && run.probeShare === null
      ? null
      : (run.signalShare ?? 0) + (run.probeShare ?? 0)
  const bad = run.badSamples.nonFinite
  return (
    <div class="facts">
      {left !== null && <b>{left}</b>}
      <RateFact run={run} />
      {job !== '' && <span class="optional">{job}</span>}
      {run.stepsPerSecond !== null && run.state === 'running' && (
        <span class="optional">
          <b>{formatNumber(run.stepsPerSecond)}</b> steps a second
        </span>
      )}
      {cost !== null && (
        <span class="optional">
          Measuring costs <b>{formatShare(cost)}</b> of the run
        </span>
      )}
      {bad > 0 && (
        <span class="bad-words">
          <b>{formatCount(bad)}</b> {bad === 1 ? 'sample is' : 'samples are'} NaN or infinite
        </span>
      )}
    </div>
  )
}
