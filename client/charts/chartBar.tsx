// The head of all charts: which steps are shown, how much the loss is smoothed, and which signals have panels besides the
// usual ones. The list of signals is loaded when it is first opened.

import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useId } from 'preact/hooks'
import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { Range } from './ranges.ts'
import type { PickerProps } from './signalPicker.tsx'
import { usualWindow, windowChoices } from './smooth.ts'
import type { LossFit } from './spec.ts'

const fitWords: Readonly<Record<LossFit, string>> = {
  fit: 'Fit: what is usual',
  all: 'Fit: all',
  log: 'Log axis',
}
const fitAfter: Readonly<Record<LossFit, LossFit>> = { fit: 'all', all: 'log', log: 'fit' }

export type BarProps = {
  readonly whole: Range
  readonly range: Range | null
  /** The last so many steps are followed. */
  readonly last: number | null
  readonly smooth: number | null
  readonly setLast: (steps: number | null) => void
  readonly setSmooth: (steps: number | null) => void
  readonly picker: PickerProps
  readonly openPicker: () => void
  readonly lossFit: LossFit
  readonly setLossFit: (fit: LossFit) => void
  readonly showWhole: () => void
  /** What was wrong with the address. */
  readonly words: string | null
}

export function ChartBar(props: BarProps) {
  const Picker = useSignal<ComponentType<PickerProps> | null>(null)
  const open = useSignal(false)
  const failed = useSignal(false)
  const id = useId()
  const toggle = async () => {
    open.value = !open.peek()
    if (!open.peek()) return
    props.openPicker()
    failed.value = false
    try {
      const { SignalPicker } = await import('./signalPicker.tsx')
      Picker.value = SignalPicker
    } catch {
      failed.value = true
    }
  }
  return (
    <div class="chart-bar-place">
      <div class="chart-bar">
        <StepsShown {...props} />
        <Smoothing {...props} />
        <button
          type="button"
          class="tool bar-tool"
          aria-label={`Loss axis, ${fitWords[props.lossFit]}. Change`}
          onClick={() => props.setLossFit(fitAfter[props.lossFit])}
        >
          {fitWords[props.lossFit]}
        </button>
        {props.range !== null && (
          <button type="button" class="tool bar-tool" onClick={props.showWhole}>
            Whole run
          </button>
        )}
        <span class="space" />
        <button
          type="button"
          class="button bar-button"
          aria-expanded={open.value}
          aria-controls={id}
          onClick={() => void toggle()}
        >
          More signals
        </button>
      </div>
      {props.words !== null && (
        <p class="bar-words" role="status">
          {props.words}
        </p>
      )}
      <div id={id}>
        {open.value && failed.value && <p class="bar-words">The list could not be loaded.</p>}
        {open.value && Picker.value !== null && <Picker.value {...props.picker} />}
      </div>
    </div>
  )
}

/** Lengths that may be followed: those shorter than the run, and the one that is followed now. */
function lengthsOf(whole: Range, last: number | null): number[] {
  const lengths = [100, 500, 1_000, 5_000, 20_000, 100_000].filter((steps) => steps < whole.to - whole.from)
  if (last !== null && !lengths.includes(last)) lengths.push(last)
  return lengths.sort((a, b) => a - b)
}

function StepsShown(props: BarProps) {
  const { whole, range, last } = props
  const chosen = last !== null ? String(last) : range === null ? 'all' : 'part'
  return (
    <label class="bar-field">
      <span>Steps</span>
      <select
        value={chosen}
        onChange={(event) => {
          const { value } = event.currentTarget
          props.setLast(value === 'all' ? null : Number(value))
        }}
      >
        <option value="all">whole run</option>
        {chosen === 'part' && range !== null && (
          <option value="part" disabled>
            {formatStep(range.from)} to {formatStep(range.to)}
          </option>
        )}
        {lengthsOf(whole, last).map((steps) => (
          <option key={steps} value={String(steps)}>
            last {formatStep(steps)}, followed
          </option>
        ))}
      </select>
    </label>
  )
}

function Smoothing({ whole, range, smooth, setSmooth }: BarProps) {
  const choices = windowChoices(whole.to - whole.from)
  const shown = range ?? whole
  const usual = usualWindow(shown.to - shown.from)
  const steps = smooth ?? usual
  const index = choices.findLastIndex((choice) => choice <= steps)
  const words = steps === 0 ? 'off' : `± ${formatPlural(steps, 'step')}`
  return (
    <label
      class="bar-field"
      title="Straight lines are fitted to the samples within so many steps on both sides: the curve does not lag."
    >
      <span>Smoothing</span>
      <input
        type="range"
        min="0"
        max={choices.length - 1}
        value={index}
        aria-label="Smoothing of the loss, to both sides"
        aria-valuetext={words}
        onInput={(event) => {
          const next = choices[Number(event.currentTarget.value)]!
          setSmooth(next === usual ? null : next)
        }}
      />
      <output>{words}</output>
    </label>
  )
}
