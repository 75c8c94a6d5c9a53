// Lengthening or shortening a run: its budget, with what another end means before it is sent.

import { useSignal } from '@preact/signals'
import { formatStep } from '../../../protocol/numbers.ts'
import { endOfBudget } from '../../../protocol/plan.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { firstStepOf } from '../../charts/phases.ts'
import { sendChange } from '../../connection/api.ts'
import { noneWord } from '../../state/wishes.ts'
import { doneOutcome, TextField } from '../formParts.tsx'
import { ConfirmForm } from './confirmForm.tsx'
import { whyNot } from './possible.ts'

const budgetMin = 20

/** A budget behind a text: null = none; undefined = no budget. */
export function budgetOf(text: string): number | null | undefined {
  const word = text.trim().toLowerCase()
  if (word === noneWord) return null
  const steps = Number(word.replaceAll(',', '') || Number.NaN)
  return Number.isInteger(steps) && steps >= budgetMin ? steps : undefined
}

export function budgetWords(run: RunSummary, budget: number | null | undefined): string {
  if (budget === undefined) return 'The plan is made anew for the new end.'
  if (budget === null) return 'The run goes on until as many steps again are not worth it any more.'
  if (budget === run.budgetSteps) return 'That is the budget now.'
  const end = endOfBudget(firstStepOf(run), budget)
  if (end <= run.step)
    return `Step ${formatStep(end)} is over: the run ends with its weights as they are. This cannot be undone.`
  return `The run ends at step ${formatStep(end)}, and the plan is made anew for that.`
}

export function BudgetForm(props: { run: RunSummary }) {
  const { run } = props
  const text = useSignal(run.budgetSteps === null ? noneWord : formatStep(run.budgetSteps))
  const tried = useSignal(false)
  const budget = budgetOf(text.value)
  return (
    <ConfirmForm
      title="Change the budget"
      words={[budgetWords(run, budget)]}
      action={budget == null ? 'Change the budget' : `Set the budget to ${formatStep(budget)}`}
      keep="Cancel"
      reason="required"
      whyNot={whyNot(run, 'budget')}
      sound={() => {
        tried.value = true
        return budget !== undefined
      }}
      send={async (reason) =>
        doneOutcome(
          await sendChange(run.id, { budgetSteps: budget ?? null, reason }),
          'Changed. The job hears of it with its next report.',
        )
      }
    >
      <TextField
        label="Budget"
        hint={`steps, or ${noneWord}`}
        value={text.value}
        change={(words) => (text.value = words)}
        numeric
        error={
          tried.value && budget === undefined
            ? `Budget must be a whole number of ${budgetMin} or more, or ${noneWord}.`
            : undefined
        }
      />
    </ConfirmForm>
  )
}
