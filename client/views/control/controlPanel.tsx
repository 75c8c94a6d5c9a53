// The forms of taking over and giving back, in the panel. Each says what will happen before it is sent; the answer, or the
// server's reason for refusing, stands under its button.

import { formatRate, formatStep } from '../../../protocol/numbers.ts'
import { evaluatePlan } from '../../../protocol/plan.ts'
import type { Decision, RunSummary } from '../../../protocol/vocabulary.ts'
import { sendCommand, sendHandBack } from '../../connection/api.ts'
import { whyNotControl } from '../../state/access.ts'
import type { ControlForm } from '../../state/address.ts'
import { formatKnown } from '../format.ts'
import { outcomeOf } from '../formParts.tsx'
import { BranchForm } from './branchForm.tsx'
import { BudgetForm } from './budgetForm.tsx'
import { ConfirmForm, closeForm } from './confirmForm.tsx'
import { DeleteForm } from './deleteForm.tsx'
import { DetailsForm } from './detailsForm.tsx'
import { ModeForm } from './modeForm.tsx'
import { OverrideForm } from './overrideForm.tsx'
import { hasEnded } from './possible.ts'
import { SwitchForm, UndoForm } from './switchForms.tsx'
import '../../style/control.css'

type PanelProps = { readonly run: RunSummary; readonly form: ControlForm; readonly latest: Decision | null }

export function ControlPanel(props: PanelProps) {
  const { run, form, latest } = props
  const forbidden = whyNotControl()
  if (forbidden !== null) return <Forbidden why={forbidden} />
  if (form === 'details') return <DetailsForm run={run} />
  if (form === 'delete') return <DeleteForm run={run} />
  if (form === 'branch') return <BranchForm run={run} />
  // The run may end while a form is open: then nothing can be sent any more.
  if (hasEnded(run)) return <OverWords run={run} />
  switch (form) {
    case 'override':
      return <OverrideForm run={run} />
    case 'hand-back':
      return (
        <ConfirmForm
          title="Hand back the rate"
          words={[
            `Twostep decides again from the next report on. It would use ${formatKnown(rateAfterHandBack(run), formatRate)}.`,
          ]}
          action="Hand back"
          keep="Keep it"
          reason="optional"
          send={async (reason) => outcomeOf(await sendHandBack(run.id, reason), true)}
        />
      )
    case 'switch-now':
      return <SwitchForm run={run} latest={latest} />
    case 'undo-switch':
      return <UndoForm run={run} />
    case 'budget':
      return <BudgetForm run={run} />
    case 'mode-auto':
      return <ModeForm run={run} mode="auto" />
    case 'mode-approve':
      return <ModeForm run={run} mode="approve" />
    case 'mode-advisory':
      return <ModeForm run={run} mode="advisory" />
    case 'finish':
      return (
        <ConfirmForm
          title="Finish the run"
          words={['The job stops at its next report and keeps its weights. This cannot be undone.']}
          action="Finish the run"
          keep="Keep going"
          reason="required"
          send={async (reason) => outcomeOf(await sendCommand(run.id, 'finish', reason), false)}
        />
      )
  }
}

function Forbidden(props: { why: string }) {
  return (
    <div class="panel form">
      <h2>Nothing to steer with</h2>
      <p class="why">{props.why} Another one is entered under Settings, Tokens.</p>
      <p class="row-of">
        <button type="button" class="button button-quiet" onClick={closeForm}>
          Close
        </button>
      </p>
    </div>
  )
}

function OverWords(props: { run: RunSummary }) {
  return (
    <div class="panel form">
      <h2>Nothing left to steer</h2>
      <p class="why">
        The run is {props.run.state} since step {formatStep(props.run.step)}: its plan changes no more.
      </p>
      <p class="row-of">
        <button type="button" class="button button-quiet" onClick={closeForm}>
          Close
        </button>
      </p>
    </div>
  )
}

function rateAfterHandBack(run: RunSummary): number | null {
  if (run.override === null || run.plan.segments.length === 0) return run.largeLearningRate
  return evaluatePlan(run.plan, run.override.untilStep).learningRate
}
