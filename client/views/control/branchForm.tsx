// A copy of the run's weights that the job anneals while the run goes on: asking for one, and what became of those before.

import { useSignal } from '@preact/signals'
import { formatNumber, formatStep } from '../../../protocol/numbers.ts'
import type { Branch, RunSummary } from '../../../protocol/vocabulary.ts'
import { elapsedOf } from '../../charts/phases.ts'
import { sendBranch } from '../../connection/api.ts'
import { choose } from '../choosing.ts'
import { formatWithin } from '../format.ts'
import { outcomeOf, TextField } from '../formParts.tsx'
import { ConfirmForm } from './confirmForm.tsx'
import { hasEnded, whyNot } from './possible.ts'

/** Steps of a copy behind a text: empty = null, the tuner's choice; undefined = none that can be asked for. */
export function branchSteps(text: string, run: RunSummary): number | null | undefined {
  if (text.trim() === '') return null
  const steps = Number(text.replaceAll(',', ''))
  return Number.isInteger(steps) && steps >= 2 && steps <= elapsedOf(run) ? steps : undefined
}

export function BranchForm(props: { run: RunSummary }) {
  const { run } = props
  const text = useSignal('')
  const tried = useSignal(false)
  const steps = branchSteps(text.value, run)
  const most = elapsedOf(run)
  if (hasEnded(run)) return <Branches branches={run.branches} />
  return (
    <>
      <ConfirmForm
        title="Anneal a copy"
        words={[
          'The job anneals a copy of its present weights and tells the held-out loss that it ends at. The run itself goes on as if nobody had asked; where the job does it in turn, it stands still meanwhile.',
        ]}
        action="Anneal a copy"
        keep="Cancel"
        reason="optional"
        whyNot={whyNot(run, 'branch')}
        sound={() => {
          tried.value = true
          return steps !== undefined
        }}
        send={async (reason) => outcomeOf(await sendBranch(run.id, steps ?? null, reason), false)}
      >
        <TextField
          label="Steps"
          hint={`empty = a quarter of ${formatStep(most)} at most`}
          value={text.value}
          change={(words) => (text.value = words)}
          numeric
          error={
            tried.value && steps === undefined
              ? `Steps must be a whole number from 2 to ${formatStep(most)}, as many as the run has taken.`
              : undefined
          }
        />
      </ConfirmForm>
      <Branches branches={run.branches} />
    </>
  )
}

const stateWords = { asked: 'under way', done: 'done', failed: 'failed' } as const

function Branches(props: { branches: readonly Branch[] }) {
  if (props.branches.length === 0) return null
  return (
    <div class="panel">
      <section class="copies">
        <h3>Copies so far</h3>
        <table class="figures branches">
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Steps</th>
              <th scope="col">Held-out loss</th>
            </tr>
          </thead>
          <tbody>
            {props.branches.toReversed().map(({ number, fromStep, steps, state, loss, promised }) => (
              <tr key={number}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => choose(number)}>
                    step {formatStep(fromStep)}
                  </button>
                </th>
                <td>{formatStep(steps)}</td>
                <td>
                  <b>{loss === null ? stateWords[state] : formatNumber(loss)}</b>
                  {promised !== null && <small>promised {formatWithin(promised)}</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  )
}
