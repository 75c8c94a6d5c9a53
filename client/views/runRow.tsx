// A row of the list: one run, in the columns that are shown. Its name is a link, so that the browser's own ways of
// opening one work; a plain click elsewhere on the row opens it too.

import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { elapsedOf, endStepOf } from '../charts/phases.ts'
import { PhaseBar, Spark } from '../charts/smallPictures.tsx'
import { formatAddress, goTo, runAddress } from '../state/address.ts'
import { nowMs } from '../state/clock.ts'
import { formatAgo } from './format.ts'
import { stateNote } from './notes.ts'
import { type Column, deltaOf, type Measure } from './runColumns.ts'
import { Sentence } from './sentence.tsx'
import { StateChip } from './stateChip.tsx'

export type RowProps = {
  readonly run: RunSummary
  readonly columns: readonly Column[]
  readonly chosen: boolean
  readonly picked: boolean
  readonly pinned: boolean
  readonly base: RunSummary | undefined
  /** From 1, among all rows. */
  readonly index: number
  readonly links: Map<string, HTMLAnchorElement>
  readonly pick: (id: string) => void
}

export function RunRow(props: RowProps) {
  const { run, columns, chosen, picked, pinned, base } = props
  const { name } = run.options
  const open = (event: MouseEvent) => {
    // A click on a link or a box is its own, and a selection stays one.
    if ((event.target as Element).closest('a, label, button') !== null || String(getSelection()) !== '')
      return
    const address = runAddress(run.id)
    if (event.ctrlKey || event.metaKey) window.open(formatAddress(address), '_blank', 'noopener')
    else if (!event.shiftKey && !event.altKey) goTo(address)
  }
  const looks = [
    `row row-${run.state}`,
    chosen && 'row-chosen',
    picked && 'row-picked',
    pinned && 'row-pinned',
  ]
  return (
    <tr class={looks.filter(Boolean).join(' ')} aria-rowindex={props.index + 1} onClick={open}>
      <td class="c-pick">
        <label class="pick">
          <input
            type="checkbox"
            checked={picked}
            aria-label={`Pick ${name}`}
            onChange={() => props.pick(run.id)}
          />
        </label>
      </td>
      <NameCell {...props} />
      {columns.map((column) => (
        <Cell key={column.id} run={run} column={column} base={base} />
      ))}
    </tr>
  )
}

function NameCell({ run, links, pinned, base }: RowProps) {
  const { name, project, framework, tags } = run.options
  const about = [project, ...[framework].filter((text) => text !== 'unknown'), ...tags].join(' · ')
  const marks = [base?.id === run.id && 'Base', pinned && 'Pinned'].filter(Boolean).join(', ')
  return (
    <td class="c-name">
      <a
        class="run-name"
        href={formatAddress(runAddress(run.id))}
        title={name}
        ref={(element) => {
          if (element === null) links.delete(run.id)
          else links.set(run.id, element)
        }}
      >
        {name}
      </a>
      <p class="sub" title={about}>
        {marks !== '' && <b class="mark">{marks} </b>}
        {about}
      </p>
    </td>
  )
}

function Cell(props: { run: RunSummary; column: Column; base: RunSummary | undefined }) {
  const { run, column, base } = props
  if (column.measure !== undefined)
    return <MeasureCell run={run} column={column} measure={column.measure} base={base} />
  switch (column.id) {
    case 'state':
      return (
        <td class="c-state">
          <StateChip run={run} />
          {run.state === 'waiting' && run.awaitingDecision !== null && (
            <a
              class="button button-human review"
              href={formatAddress({ ...runAddress(run.id), decision: run.awaitingDecision })}
              aria-label={`Review ${run.options.name}`}
            >
              Review
            </a>
          )}
        </td>
      )
    case 'saying': {
      const words = run.state === 'stale' ? (stateNote(run, nowMs.value) ?? run.headline) : run.headline
      return (
        <td class="c-say">
          <p class="saying" title={words}>
            <Sentence text={words} />
          </p>
        </td>
      )
    }
    case 'progress':
      return (
        <td class="c-progress">
          <PhaseBar run={run} />
          <p class="sub">{progressWords(run)}</p>
        </td>
      )
    case 'curve':
      return (
        <td class="c-curve">
          <Spark run={run} />
        </td>
      )
    default:
      return <td class="c-seen">{formatAgo(run.lastSeenAt, nowMs.value)}</td>
  }
}

function MeasureCell(props: {
  run: RunSummary
  column: Column
  measure: Measure
  base: RunSummary | undefined
}) {
  const { run, column, measure, base } = props
  const value = measure.of(run)
  const delta = deltaOf(measure, run, base)
  const look = delta?.isBetter == null ? '' : delta.isBetter ? 'delta-better' : 'delta-worse'
  return (
    <td class={`c-number c-${column.id}`} data-title={column.short ?? column.title}>
      {value === null ? (
        <span class="unknown" title="not measured">
          –
        </span>
      ) : (
        <b>{measure.write(value)}</b>
      )}
      {delta !== null && (
        <small class={`delta ${look}`} title={`Against the base, ${base?.options.name}`}>
          {delta.words}
        </small>
      )}
    </td>
  )
}

function progressWords(run: RunSummary): string {
  if (run.state === 'finished') return `All ${formatPlural(elapsedOf(run), 'step')}`
  const end = endStepOf(run)
  return end === null
    ? `Step ${formatStep(run.step)}, no budget`
    : `Step ${formatStep(run.step)} of ${formatStep(end)}`
}
