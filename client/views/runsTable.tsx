// The runs as a table: a head that orders, and the rows that are in view. Pinned runs and the base stand on top.

import type { Ref } from 'preact'
import { useEffect } from 'preact/hooks'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { goTo } from '../state/address.ts'
import { otherOrder, type RunsAddress, toggled, usualOrder } from '../state/listAddress.ts'
import { loadMoreRuns, runList } from '../state/runList.ts'
import { useRowWindow } from './rowWindow.ts'
import { type Column, columns, shownColumns } from './runColumns.ts'
import { RunRow } from './runRow.tsx'

/** Heights of a row and of a card on a narrow screen, in px, as in the style sheet. */
const rowPx = 65
const cardPx = 196
const narrow = matchMedia('(max-width: 720px)')
export const rowHeight = (): number => (narrow.matches ? cardPx : rowPx)

/** The next page is asked for when the last rows are so near. */
const nearRows = 30

type TableProps = {
  readonly address: RunsAddress
  readonly rows: readonly RunSummary[]
  readonly base: RunSummary | undefined
  readonly chosen: string | null
  readonly links: Map<string, HTMLAnchorElement>
  readonly body: { current: HTMLTableSectionElement | null }
}

export function RunsTable({ address, rows, base, chosen, links, body }: TableProps) {
  const shown = columns.filter(({ id }) => shownColumns.value.includes(id))
  const { next, runs } = runList.value
  const { from, to } = useRowWindow(body, { count: rows.length, rowPx: rowHeight(), more: next !== null })
  const wantsMore = next !== null && to > rows.length - nearRows
  useEffect(() => {
    if (wantsMore) void loadMoreRuns()
    // Whatever the list is replaced by asks anew.
  }, [wantsMore, runs])
  const pick = (id: string) => goTo({ ...address, pick: toggled(address.pick, id) }, 'replace')
  return (
    <section class="card runs-card" aria-label="All runs">
      <table class={`runs sorted-${address.sort}`} aria-rowcount={rows.length + 1}>
        <TableHead address={address} columns={shown} />
        <tbody ref={body as Ref<HTMLTableSectionElement>}>
          <Spacer rows={from} />
          {rows.slice(from, to).map((run, i) => (
            <RunRow
              key={run.id}
              run={run}
              columns={shown}
              index={from + i + 1}
              chosen={chosen === run.id}
              picked={address.pick.includes(run.id)}
              pinned={address.pin.includes(run.id)}
              base={base}
              links={links}
              pick={pick}
            />
          ))}
          <Spacer rows={rows.length - to} />
        </tbody>
      </table>
    </section>
  )
}

/** Holds the place of rows that are not drawn. */
function Spacer(props: { rows: number }) {
  if (props.rows <= 0) return null
  return (
    <tr class="spacer">
      <td style={{ height: `${props.rows * rowHeight()}px` }} />
    </tr>
  )
}

const nameColumn = { id: 'name', title: 'Run', sort: 'name' } as const

function TableHead(props: { address: RunsAddress; columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        <th scope="col" class="c-pick">
          <span class="visually-hidden">Pick</span>
        </th>
        {[nameColumn, ...props.columns].map((column) => (
          <HeadCell key={column.id} column={column} address={props.address} />
        ))}
      </tr>
    </thead>
  )
}

function HeadCell(props: {
  column: Omit<Column, 'id' | 'measure'> & { readonly id: string; readonly measure?: Column['measure'] }
  address: RunsAddress
}) {
  const { column, address } = props
  const { sort } = column
  const isSorted = sort !== undefined && address.sort === sort
  const look = `c-${column.id === 'saying' ? 'say' : column.id} ${column.measure === undefined ? '' : 'c-number'}`
  if (sort === undefined)
    return (
      <th scope="col" class={look} title={column.meaning}>
        {column.title}
      </th>
    )
  const order = isSorted ? otherOrder(address.order) : usualOrder(sort)
  return (
    <th
      scope="col"
      class={look}
      aria-sort={isSorted ? (address.order === 'asc' ? 'ascending' : 'descending') : undefined}
    >
      <button
        type="button"
        class="sort"
        title={column.meaning}
        onClick={() => goTo({ ...address, sort, order })}
      >
        {column.title}
        <span class="arrow" aria-hidden="true">
          {isSorted ? (address.order === 'asc' ? '↑' : '↓') : ''}
        </span>
      </button>
    </th>
  )
}
