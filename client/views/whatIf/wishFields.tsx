// The settings of a what-if: sliders for what has an amount, with a mark at the value in force, and what the job offers as
// boxes. A slider only helps to type: the field beside it takes any value that the setting can have.

import { useSignal } from '@preact/signals'
import { formatRate, formatStep } from '../../../protocol/numbers.ts'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { elapsedOf } from '../../charts/phases.ts'
import { changeRunAddress } from '../../state/address.ts'
import { inForce, noneWord, type Wishes, type WishName, withoutOf, withWish } from '../../state/wishes.ts'
import { capabilityTitle, modeTitle } from '../words.ts'

type FieldsProps = {
  readonly run: RunSummary
  readonly wishes: Wishes
  readonly errors: Readonly<Partial<Record<WishName, string>>>
}

/** Settings that few look at. */
const rare = ['min', 'max', 'warmup', 'without'] as const

export function WishFields(props: FieldsProps) {
  const { run, wishes } = props
  const budget = run.budgetSteps ?? Math.max(100, elapsedOf(run) * 2)
  const rate = run.options.learningRate.initial ?? run.largeLearningRate ?? 0.1
  return (
    <>
      <ModeField {...props} />
      <Amount {...props} name="budget" title="Budget, steps" low={budget / 4} high={budget * 4} whole />
      <Amount {...props} name="initial" title="Rate to begin from" low={rate / 100} high={rate * 10} />
      <details class="more-wishes" open={rare.some((name) => wishes[name] !== undefined)}>
        <summary>More settings</summary>
        <Amount {...props} name="min" title="Lowest rate" low={rate / 1000} high={rate} />
        <Amount {...props} name="max" title="Highest rate" low={rate / 10} high={rate * 100} />
        <Amount {...props} name="warmup" title="Warm-up, steps" low={1} high={budget / 4} whole />
        <Capabilities {...props} />
      </details>
    </>
  )
}

const set = ({ run, wishes }: FieldsProps, name: WishName, text: string) =>
  changeRunAddress({ wishes: withWish(wishes, run, name, text) }, 'replace')

function ModeField(props: FieldsProps) {
  const { run, wishes, errors } = props
  return (
    <p class="form-field">
      <label for="wish-mode">
        Mode
        <small>in force: {modeTitle[run.mode]}</small>
      </label>
      <select
        id="wish-mode"
        value={wishes.mode ?? run.mode}
        onChange={(event) => set(props, 'mode', event.currentTarget.value)}
      >
        {(['auto', 'approve', 'advisory', 'off'] as const).map((mode) => (
          <option key={mode} value={mode}>
            {modeTitle[mode]}
          </option>
        ))}
      </select>
      {errors.mode !== undefined && <span class="field-error">Mode {errors.mode}.</span>}
    </p>
  )
}

type AmountProps = FieldsProps & {
  readonly name: Exclude<WishName, 'mode' | 'without'>
  readonly title: string
  /** Ends of the slider, which goes by powers of ten. */
  readonly low: number
  readonly high: number
  readonly whole?: boolean
}

/** Steps of a slider in a power of ten. */
const stepsInDecade = 30

function Amount(props: AmountProps) {
  const { run, wishes, errors, name, title, whole = false } = props
  const [low, high] = [Math.log10(props.low), Math.log10(props.high)]
  const force = inForce(run)[name]
  const text = wishes[name] ?? force
  /** What is being written: a run that goes on draws this anew many times a second. */
  const draft = useSignal<string | null>(null)
  const value = Number(text.replaceAll(',', ''))
  const clamped = (number: number) => Math.min(high, Math.max(low, Math.log10(number)))
  const words = (number: number) => (whole ? String(Math.round(number)) : formatRate(number))
  const forced = Number(force)
  const error = errors[name]
  return (
    <div class={`form-field wish ${wishes[name] === undefined ? '' : 'wish-changed'}`}>
      <label for={`wish-${name}`}>
        {title}
        <small>
          in force: {force === noneWord ? 'none' : whole ? formatStep(forced) : formatRate(forced)}
        </small>
      </label>
      <div class="wish-row">
        <span class="slider">
          <input
            type="range"
            aria-label={`${title}, by powers of ten`}
            aria-valuetext={text}
            min={low}
            max={high}
            step={1 / stepsInDecade}
            list={`force-${name}`}
            value={value > 0 ? clamped(value) : low}
            onInput={(event) => set(props, name, words(10 ** event.currentTarget.valueAsNumber))}
          />
          <datalist id={`force-${name}`}>{forced > 0 && <option value={clamped(forced)} />}</datalist>
        </span>
        <input
          id={`wish-${name}`}
          type="text"
          inputMode="decimal"
          autoComplete="off"
          maxLength={20}
          value={draft.value ?? text}
          aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? undefined : `wish-error-${name}`}
          onInput={(event) => (draft.value = event.currentTarget.value)}
          onChange={(event) => {
            draft.value = null
            set(props, name, event.currentTarget.value)
          }}
        />
      </div>
      {error !== undefined && (
        <span class="field-error" id={`wish-error-${name}`}>
          {title} {error}.
        </span>
      )}
    </div>
  )
}

function Capabilities(props: FieldsProps) {
  const { run, wishes, errors } = props
  const left = withoutOf(wishes)
  if (run.options.capabilities.length === 0) return null
  const toggle = (name: string) => {
    const next = left.includes(name) ? left.filter((entry) => entry !== name) : [...left, name]
    set(props, 'without', next.join(','))
  }
  return (
    <fieldset class="form-field boxes">
      <legend>
        What the job offers <small>all in force</small>
      </legend>
      {run.options.capabilities.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={!left.includes(name)} onChange={() => toggle(name)} />
          {capabilityTitle[name]}
        </label>
      ))}
      {errors.without !== undefined && <span class="field-error">{errors.without}</span>}
    </fieldset>
  )
}
