// Deleting a run. The press starts a count of some seconds in which it can be taken back; until it has run down
// nothing is sent, and closing the form or the page keeps the run.

import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { formatPlural, formatStep } from '../../../protocol/numbers.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { elapsedOf } from '../../charts/phases.ts'
import { exportUrl, sendDelete } from '../../connection/api.ts'
import { ApiLink } from '../apiLink.tsx'
import { doneOutcome, type Outcome, OutcomeWords } from '../formParts.tsx'
import { closeForm } from './confirmForm.tsx'
import { hasEnded } from './possible.ts'

/** In which a press can be taken back. */
const graceSeconds = 10

export function DeleteForm(props: { run: RunSummary }) {
  const { run } = props
  /** Seconds until it is sent; null = it was not pressed. */
  const left = useSignal<number | null>(null)
  const outcome = useSignal<Outcome>(null)
  const title = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => title.current?.focus(), [])
  const counting = left.value !== null
  useEffect(() => {
    if (!counting) return
    const timer = setInterval(() => {
      const next = Math.max(0, (left.peek() ?? 0) - 1)
      left.value = next
      if (next > 0) return
      clearInterval(timer)
      void sendDelete(run.id).then((answer) => {
        // The page says by itself that the run is gone, once the server does.
        outcome.value = doneOutcome(answer, 'Deleted.')
        left.value = null
      })
    }, 1_000)
    return () => clearInterval(timer)
  }, [counting, left, outcome, run.id])
  return (
    <div class="panel form">
      <h2 ref={title} tabIndex={-1}>
        Delete the run
      </h2>
      <p class="why">
        {run.options.name} goes, with its {formatPlural(elapsedOf(run), 'step')} and{' '}
        {formatPlural(run.decisionCount, 'decision')}. For 7 days it can be restored over the API. An export
        keeps it:{' '}
        <ApiLink href={exportUrl(run.id)} name={`${run.id}.ndjson`}>
          the log as a file
        </ApiLink>
        .
      </p>
      {!hasEnded(run) && (
        <p class="why">The job is not stopped: it trains on by its last plan, and reports to nobody.</p>
      )}
      {counting ? (
        <>
          {left.value !== 0 && (
            <p class="row-of">
              <button type="button" class="button" onClick={() => (left.value = null)}>
                Keep it after all
              </button>
              <span aria-hidden="true">Deleted in {formatStep(left.value ?? 0)} s</span>
            </p>
          )}
          <p class="outcome" role="status">
            {left.value === 0
              ? 'Deleting…'
              : `Nothing is sent before ${graceSeconds} s are over. Closing this keeps the run.`}
          </p>
        </>
      ) : (
        outcome.value?.ok !== true && (
          <p class="row-of">
            <button
              type="button"
              class="button button-bad"
              onClick={() => {
                outcome.value = null
                left.value = graceSeconds
              }}
            >
              Delete
            </button>
            <button type="button" class="button button-quiet" onClick={closeForm}>
              Keep it
            </button>
          </p>
        )
      )}
      <OutcomeWords outcome={outcome.value} />
    </div>
  )
}
