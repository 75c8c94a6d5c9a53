// The form that sets the rate by hand: rate (by a slider over its powers of ten, or in digits), until which step, and why.
// The rate that would hold is drawn on the chart before anything is sent.

import { useSignal } from '@preact/signals'
import { formatRate, formatStep } from '../../../protocol/numbers.ts'
import { evaluatePlan } from '../../../protocol/plan.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { elapsedOf, endStepOf, firstStepOf } from '../../charts/phases.ts'
import { sendOverride } from '../../connection/api.ts'
import { useGhost } from '../../state/ghost.ts'
import { type Outcome, OutcomeWords, outcomeOf, TextField } from '../formParts.tsx'
import { closeForm } from './confirmForm.tsx'
import { checkOverride, clampedTo, sliderDecades } from './overrideFields.ts'
import { whyNot } from './possible.ts'

/** Share of the run for which a rate is set unless told otherwise. */
const usualShare = 0.05

const limitWords = ({ options }: RunSummary): string => {
  const { min, max } = options.learningRate
  if (min === null && max === null) return 'any rate'
  return `limits ${min === null ? '0' : formatRate(min)} to ${max === null ? 'none' : formatRate(max)}`
}

/** What holds now, beside what is asked for. */
function insteadWords(run: RunSummary): string {
  if (run.plan.segments.length === 0) return ''
  return `Twostep would use ${formatRate(evaluatePlan(run.plan, run.step).learningRate)} now.`
}

export function OverrideForm(props: { run: RunSummary }) {
  const { run } = props
  const rate = useSignal(run.learningRate === null ? '' : formatRate(run.learningRate))
  const end = endStepOf(run)
  const length = end === null ? elapsedOf(run) * 2 : end - firstStepOf(run)
  const until = useSignal(String(run.step + Math.max(10, Math.round(length * usualShare))))
  const reason = useSignal('')
  const tried = useSignal(false)
  const busy = useSignal(false)
  const outcome = useSignal<Outcome>(null)
  const fields = { rate: rate.value, until: until.value, reason: reason.value }
  const checked = checkOverride(fields, run)
  const impossible = whyNot(run, 'override')
  const done = outcome.value?.ok === true
  useGhost(done ? null : ghostOf(run, checkOverride({ ...fields, reason: 'drawn' }, run)))
  const submit = async (event: Event) => {
    event.preventDefault()
    tried.value = true
    if (checked.body === null || impossible !== null) return
    busy.value = true
    outcome.value = outcomeOf(await sendOverride(run.id, checked.body), true)
    busy.value = false
  }
  const errors = tried.value ? checked.errors : {}
  return (
    <form class="panel form" onSubmit={submit} noValidate>
      <h2>Override the rate</h2>
      {run.override === null && <p class="why">{insteadWords(run)}</p>}
      <TextField
        label="Learning rate"
        hint={limitWords(run)}
        value={rate.value}
        change={(text) => (rate.value = text)}
        numeric
        focus
        error={errors.rate}
      />
      <RateSlider run={run} rate={rate.value} change={(text) => (rate.value = text)} />
      {checked.note !== null && (
        <p class="sub" role="status">
          {checked.note}
        </p>
      )}
      <TextField
        label="Until step"
        hint="then Twostep decides again"
        value={until.value}
        change={(text) => (until.value = text)}
        numeric
        error={errors.until}
      />
      <TextField
        label="Reason"
        hint="kept in the record"
        value={reason.value}
        change={(text) => (reason.value = text)}
        error={errors.reason}
      />
      <p class="row-of">
        {!done && (
          <button type="submit" class="button button-human" disabled={busy.value || impossible !== null}>
            {checked.body === null
              ? 'Set the rate'
              : `Set ${formatRate(clampedTo(run, checked.body.learningRate))} until step ${formatStep(checked.body.untilStep)}`}
          </button>
        )}
        <button type="button" class="button button-quiet" onClick={closeForm}>
          {done ? 'Close' : 'Cancel'}
        </button>
      </p>
      {!done && impossible !== null && <p class="sub">{impossible}</p>}
      <OutcomeWords outcome={outcome.value} />
    </form>
  )
}

function ghostOf(run: RunSummary, { body }: ReturnType<typeof checkOverride>) {
  if (body === null) return null
  const rate = clampedTo(run, body.learningRate)
  return [{ fromStep: run.step, toStep: body.untilStep, shape: 'constant', from: rate, to: rate } as const]
}

/** Steps of the slider in a power of ten. */
const stepsInDecade = 40

function RateSlider(props: { run: RunSummary; rate: string; change: (text: string) => void }) {
  const { low, high } = sliderDecades(props.run)
  const rate = Number(props.rate.replace(',', '.'))
  const at = rate > 0 ? Math.min(high, Math.max(low, Math.log10(rate))) : low
  return (
    <p class="slider">
      <span aria-hidden="true">{formatRate(10 ** low)}</span>
      <input
        type="range"
        aria-label="Learning rate, by powers of ten"
        aria-valuetext={props.rate}
        min={low}
        max={high}
        step={1 / stepsInDecade}
        value={at}
        onInput={(event) => props.change(formatRate(10 ** event.currentTarget.valueAsNumber))}
      />
      <span aria-hidden="true">{formatRate(10 ** high)}</span>
    </p>
  )
}
