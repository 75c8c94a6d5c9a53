// Which line is which run, with the value of each at the cursor; and the cursor itself as a slider, for keys and touch.

import { valueOn } from '../charts/aligned.ts'
import { type CompareAxisView, type CompareLine, LineSample } from '../charts/compareChart.tsx'
import { formatAddress, goTo, runAddress } from '../state/address.ts'
import type { CompareAddress } from '../state/compareAddress.ts'
import type { Compared } from '../state/comparison.ts'
import { Icon } from './icons.tsx'
import { StateChip } from './stateChip.tsx'

export function Legend(props: {
  address: CompareAddress
  compared: readonly Compared[]
  lines: readonly CompareLine[]
  at: number | null
  write: (value: number) => string
  x: { readonly write: (value: number) => string }
}) {
  const { address, compared, lines, at, write, x } = props
  return (
    <ul class="legend">
      {compared.map(({ run }, look) => {
        const line = lines[look]?.line ?? []
        const value = at === null ? (line.at(-1)?.y ?? null) : valueOn(line, at)
        return (
          <li key={run.id}>
            <LineSample look={look} />
            <span class="look-number">{look + 1}</span>
            <a href={formatAddress(runAddress(run.id))} title={run.options.name}>
              {run.options.name}
            </a>
            <StateChip run={run} />
            <b>{value === null ? '–' : write(value)}</b>
            <button
              type="button"
              class="icon-button small"
              aria-label={`Leave out ${run.options.name}`}
              title="Leave out"
              onClick={() => {
                const runs = address.runs.filter((id) => id !== run.id)
                goTo({ ...address, runs, base: address.base === run.id ? (runs[0] ?? null) : address.base })
              }}
            >
              <Icon name="close" size={14} />
            </button>
          </li>
        )
      })}
      <li class="sub">{at === null ? 'Values at the end' : `Values at ${x.write(at)}`}</li>
    </ul>
  )
}

/** Shares of the axis that a key moves the cursor by. */
const cursorKeys: Readonly<Record<string, number>> = {
  ArrowLeft: -0.01,
  ArrowRight: 0.01,
  PageDown: -0.1,
  PageUp: 0.1,
  Home: -1,
  End: 1,
}

const cursorWords = (
  place: string,
  lines: readonly CompareLine[],
  at: number,
  write: (value: number) => string,
): string => {
  const values = lines.map(({ name, line }) => {
    const value = valueOn(line, at)
    return `${name} ${value === null ? 'no value' : write(value)}`
  })
  return `${place}: ${values.join(', ')}`
}

export function CursorSlider(props: {
  x: CompareAxisView
  cursor: number | null
  setCursor: (at: number) => void
  lines: readonly CompareLine[]
  write: (value: number) => string
}) {
  const { x, lines, setCursor, write } = props
  const at = props.cursor ?? x.to
  return (
    <input
      type="range"
      class="cursor-range"
      aria-label="Cursor"
      min={x.from}
      max={x.to}
      step="any"
      value={at}
      aria-valuetext={cursorWords(x.write(at), lines, at, write)}
      onKeyDown={(event) => {
        const by = cursorKeys[event.key]
        if (by === undefined) return
        event.preventDefault()
        setCursor(Math.min(x.to, Math.max(x.from, at + by * (x.to - x.from))))
      }}
      onInput={(event) => setCursor(event.currentTarget.valueAsNumber)}
    />
  )
}
