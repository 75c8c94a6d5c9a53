// The line above a chart: title, legend with values at the cursor (or now), and the button for its table.
// It alone follows the cursor, so that moving it paints words and no chart.

import type { Signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { formatStep } from '../../protocol/numbers.ts'
import { Icon } from '../views/icons.tsx'
import { cursorStep } from './cursor.ts'
import { type Frame, presentStep } from './pen.ts'
import type { ChartSpec, HeadItem } from './spec.ts'

function LegendKey(props: { name: NonNullable<HeadItem['key']> }) {
  const drawing = {
    large: <path class="key-large" d="M0 5H18" />,
    ink: <path class="key-ink" d="M0 5H18" />,
    dashed: <path class="key-dashed" d="M0 5H18" />,
    raw: <path class="key-raw" d="M0 6L3 2L6 8L9 3L12 9L15 2L18 6" />,
    anneal: (
      <>
        <path class="key-anneal" d="M0 5H18" />
        <circle class="key-anneal-dot" cx="9" cy="5" r="2.6" />
      </>
    ),
  }[props.name]
  return (
    <svg width="18" height="10" aria-hidden="true">
      {drawing}
    </svg>
  )
}

function Item(props: { item: HeadItem }) {
  const { label, more, value, after, key, secondary } = props.item
  return (
    <span class={`head-item ${secondary ? 'secondary' : ''}`}>
      {key !== undefined && <LegendKey name={key} />}
      {label}
      {more !== undefined && <span class="secondary">{more}</span>}
      {value !== '' && <b>{value}</b>}
      {after}
    </span>
  )
}

/** What the head says at a step, as one line of text. */
export function headWords(spec: ChartSpec, step: number): string {
  // What has no value there is a key to the lines, which is nothing to be told.
  const items = spec
    .head(step)
    .filter(({ value, after }) => Boolean(value) || Boolean(after))
    .map(({ label, more, value, after }) => [label, more, value, after].filter(Boolean).join(' '))
  return [`step ${formatStep(Math.round(step))}`, ...items].join(', ')
}

export function ChartHead(props: {
  spec: ChartSpec
  frame: Frame
  tableOpen: Signal<boolean>
  words?: ComponentChildren
  tools?: ComponentChildren
  children?: ComponentChildren
}) {
  const { spec, frame, tableOpen } = props
  const cursor = cursorStep.value
  const step = cursor ?? presentStep(frame)
  return (
    <div class="chart-head">
      <h3 id={`${spec.id}-title`}>{spec.title}</h3>
      {spec.head(step).map((item) => (
        <Item key={`${item.label}${item.key ?? ''}`} item={item} />
      ))}
      {cursor !== null && spec.id === 'loss' && (
        <span class="head-item secondary">at step {formatStep(Math.round(cursor))}</span>
      )}
      <span class="space" />
      {spec.note !== undefined && <span class="secondary note-words">{spec.note}</span>}
      <span class="tools">
        {props.words}
        <button
          type="button"
          class="tool"
          aria-expanded={tableOpen.value}
          aria-label={`${spec.title} as a table`}
          title={`${spec.title} as a table`}
          onClick={() => {
            tableOpen.value = !tableOpen.value
          }}
        >
          <Icon name="table" size={14} />
        </button>
        {props.tools}
        {props.children}
      </span>
    </div>
  )
}
