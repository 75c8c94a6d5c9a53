// Changing how far decisions reach: what the other mode means, and why it is wanted.

import type { Mode, RunSummary } from '../../../protocol/vocabulary.ts'
import { sendChange } from '../../connection/api.ts'
import { doneOutcome } from '../formParts.tsx'
import { modeTitle } from '../words.ts'
import { ConfirmForm } from './confirmForm.tsx'
import { isSteered, whyNot } from './possible.ts'

const meaning: Readonly<Record<Mode, string>> = {
  auto: 'Twostep steers: it sets the rate, and starts the anneal when its rule says so.',
  approve:
    'Twostep steers, and asks you before it starts the anneal. A rate that is set is kept without trying others.',
  advisory:
    'Twostep says what it would do. The job keeps its own rate and decides by itself when to anneal and to stop.',
  off: 'Twostep watches, and decides nothing.',
}

function changeWords(run: RunSummary, mode: Mode): readonly string[] {
  if (mode === run.mode) return ['The run is in this mode now.']
  const isLeft = isSteered(run) && mode === 'advisory'
  if (isLeft)
    return [
      meaning[mode],
      'Rates being tried, or an anneal under way, end with that: nothing is applied any more.',
    ]
  return isSteered(run)
    ? [meaning[mode]]
    : [meaning[mode], 'It goes on from the rate that the job applies now.']
}

export function ModeForm(props: { run: RunSummary; mode: Mode }) {
  const { run, mode } = props
  const title = modeTitle[mode]
  return (
    <ConfirmForm
      title={`Change the mode to ${title}`}
      words={changeWords(run, mode)}
      action={`Change to ${title}`}
      keep={`Keep ${modeTitle[run.mode]}`}
      reason="required"
      whyNot={whyNot(run, 'mode')}
      send={async (reason) =>
        doneOutcome(
          await sendChange(run.id, { mode, reason }),
          `The mode is ${title} now. The job hears of it with its next report.`,
        )
      }
    />
  )
}
