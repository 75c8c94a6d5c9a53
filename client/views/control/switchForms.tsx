// Switching to the anneal by hand, and undoing it: with the losses that are expected, until when it can be taken back, and
// the rates that would follow as a ghost on the chart.

import { formatRate, formatStep } from '../../../protocol/numbers.ts'
import type { Decision, RunSummary, Segment } from '../../../protocol/vocabulary.ts'
import { endStepOf } from '../../charts/phases.ts'
import { sendCommand } from '../../connection/api.ts'
import { useGhost } from '../../state/ghost.ts'
import { formatMeasured } from '../format.ts'
import { outcomeOf } from '../formParts.tsx'
import { plannedAlternative } from '../words.ts'
import { ConfirmForm } from './confirmForm.tsx'
import { undoUntilOf, whyNot } from './possible.ts'

/** What the newest forecast says of switching now instead of as planned. */
function lossWords(latest: Decision | null): string {
  const now = latest?.alternatives.find(({ kind }) => kind === 'now')
  if (latest === null || now === undefined) return 'What final loss that leads to is not known yet.'
  const value = (entry: typeof now) => formatMeasured(entry.finalLoss, entry.standardError).value
  const planned = plannedAlternative(latest.alternatives)
  return planned === undefined
    ? `Expected final loss ${value(now)}.`
    : `Expected final loss ${value(now)} instead of ${value(planned)}.`
}

function undoWords(run: RunSummary): string {
  const until = undoUntilOf(run)
  if (until === null) return 'You can undo it as long as the run goes on.'
  return until > run.step
    ? `You can undo it until step ${formatStep(until)}.`
    : 'It cannot be undone: under 20 % of the budget is left.'
}

export function switchWords(run: RunSummary, latest: Decision | null): readonly string[] {
  const last = endStepOf(run)
  const end = last === null ? '' : ` and ends at step ${formatStep(last)} at the latest`
  return [`Annealing starts at the next step${end}. ${lossWords(latest)}`, undoWords(run)]
}

/** The anneal of the plan, begun now; null where the plan has none to take the shape from. */
export function annealFromNow(run: RunSummary): readonly Segment[] | null {
  const anneal = run.plan.segments.find(({ phase }) => phase === 'anneal')
  if (anneal === undefined || anneal.toStep <= run.step) return null
  const from = run.learningRate ?? run.largeLearningRate ?? anneal.from
  return [{ ...anneal, fromStep: run.step, from }]
}

export function SwitchForm(props: { run: RunSummary; latest: Decision | null }) {
  const { run, latest } = props
  const reason = whyNot(run, 'switch-now')
  useGhost(reason === null ? annealFromNow(run) : null)
  return (
    <ConfirmForm
      title="Switch to annealing now"
      words={switchWords(run, latest)}
      action="Switch now"
      keep="Keep going"
      reason="required"
      whyNot={reason}
      send={async (words) => outcomeOf(await sendCommand(run.id, 'switch-now', words), true)}
    />
  )
}

export function UndoForm(props: { run: RunSummary }) {
  const { run } = props
  const until = undoUntilOf(run)
  const rate = run.plan.segments.find(({ phase }) => phase === 'anneal')?.from ?? null
  const back = rate === null ? 'to the large step' : `up to ${formatRate(run.largeLearningRate ?? rate)}`
  return (
    <ConfirmForm
      title="Undo the switch"
      words={[
        `The rate climbs back ${back} from the weights as they are now, and the switch is decided anew.`,
        until === null ? '' : `Possible until step ${formatStep(until)}.`,
      ].filter((words) => words !== '')}
      action="Undo the switch"
      keep="Keep annealing"
      reason="required"
      whyNot={whyNot(run, 'undo-switch')}
      send={async (words) => outcomeOf(await sendCommand(run.id, 'undo-switch', words), true)}
    />
  )
}
