// What narrows the list, above it: words, state, project, tag; how it is grouped; which columns are shown. All of it but
// the columns stands in the address.

import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatStep } from '../../protocol/numbers.ts'
import { runSorts, runStates } from '../../protocol/vocabulary.ts'
import { goTo } from '../state/address.ts'
import { allRuns, groupings, isFiltered, type RunsAddress, usualOrder } from '../state/listAddress.ts'
import { runCounts } from '../state/runList.ts'
import { Icon } from './icons.tsx'
import { columns, shownColumns, toggleColumn } from './runColumns.ts'
import { stateTitle } from './words.ts'

/** Everything that narrows, taken away. */
export const unfiltered = (address: RunsAddress): RunsAddress => ({
  ...address,
  search: allRuns.search,
  state: allRuns.state,
  project: allRuns.project,
  tag: allRuns.tag,
})

export function ListFilters(props: { address: RunsAddress; field: RefObject<HTMLInputElement | null> }) {
  const { address } = props
  const counts = runCounts.value
  const change = (part: Partial<RunsAddress>) => goTo({ ...address, ...part })
  const states = runStates.map((name) => ({
    name,
    title: stateTitle[name],
    count: counts?.states.find((one) => one.name === name)?.count ?? 0,
  }))
  return (
    <search class="filters">
      <SearchField field={props.field} address={address} />
      <Choice
        label="State"
        any="Any state"
        value={address.state}
        options={states.filter(({ count, name }) => count > 0 || name === address.state)}
        choose={(value) => change({ state: runStates.find((name) => name === value) ?? null })}
      />
      <Choice
        label="Project"
        any="Any project"
        value={address.project}
        options={counts?.projects ?? []}
        choose={(project) => change({ project })}
      />
      <Choice
        label="Tag"
        any="Any tag"
        value={address.tag}
        options={counts?.tags ?? []}
        choose={(tag) => change({ tag })}
      />
      {isFiltered(address) && (
        <button type="button" class="button button-quiet" onClick={() => goTo(unfiltered(address))}>
          Clear filters
        </button>
      )}
      <span class="space" />
      <Choice
        label="Group"
        any="No groups"
        value={address.group}
        options={groupings.map((name) => ({ name, title: `By ${name}` }))}
        choose={(value) => change({ group: groupings.find((name) => name === value) ?? null })}
      />
      {address.group === null && <OrderChoice address={address} />}
      {address.group === null && <ColumnsMenu />}
    </search>
  )
}

function SearchField(props: { field: RefObject<HTMLInputElement | null>; address: RunsAddress }) {
  const { address } = props
  return (
    <label class="field">
      <Icon name="search" size={16} />
      <input
        ref={props.field}
        type="search"
        aria-label="Search runs by name, project, tag or setting"
        placeholder="Name, project, tag, lr=0.1"
        maxLength={128}
        value={address.search}
        onInput={(event) => goTo({ ...address, search: event.currentTarget.value }, 'replace')}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <kbd>/</kbd>
    </label>
  )
}

/** What the columns' titles do, where the list is cards and has none; the columns' own usual order, such as the lowest loss. */
const orders: readonly Option[] = [
  { name: 'name', title: 'By name' },
  ...columns.flatMap(({ sort, title }) =>
    sort === undefined || sort === allRuns.sort ? [] : [{ name: sort, title: `By ${title.toLowerCase()}` }],
  ),
]

function OrderChoice({ address }: { address: RunsAddress }) {
  return (
    <span class="order-choice">
      <Choice
        label="Order"
        any="Last seen first"
        value={address.sort === allRuns.sort ? null : address.sort}
        options={orders}
        choose={(value) => {
          const sort = runSorts.find((name) => name === value) ?? allRuns.sort
          goTo({ ...address, sort, order: usualOrder(sort) })
        }}
      />
    </span>
  )
}

type Option = { readonly name: string; readonly title?: string; readonly count?: number }

function Choice(props: {
  label: string
  any: string
  value: string | null
  options: readonly Option[]
  choose: (value: string | null) => void
}) {
  const { label, any, value, options, choose } = props
  // What the address names is shown, even where no run has it any more.
  const all =
    value === null || options.some(({ name }) => name === value) ? options : [{ name: value }, ...options]
  return (
    <select
      class={value === null ? 'choice' : 'choice choice-set'}
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => choose(event.currentTarget.value === '' ? null : event.currentTarget.value)}
    >
      <option value="">{any}</option>
      {all.map(({ name, title = name, count }) => (
        <option key={name} value={name} selected={name === value}>
          {count === undefined ? title : `${title} (${formatStep(count)})`}
        </option>
      ))}
    </select>
  )
}

/** Closes with Escape, and with a press anywhere else. */
function ColumnsMenu() {
  const menu = useRef<HTMLDetailsElement>(null)
  useLayoutEffect(() => {
    const onPress = (event: Event) => {
      if (menu.current?.open && !menu.current.contains(event.target as Node)) menu.current.open = false
    }
    document.addEventListener('pointerdown', onPress)
    return () => document.removeEventListener('pointerdown', onPress)
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !menu.current?.open) return
    menu.current.open = false
    menu.current.querySelector('summary')?.focus()
  }
  return (
    <details class="columns" ref={menu} onKeyDown={onKeyDown}>
      <summary class="button">Columns</summary>
      <fieldset>
        <legend class="visually-hidden">Columns that are shown</legend>
        {columns.map(({ id, title, meaning }) => (
          <label key={id} title={meaning}>
            <input
              type="checkbox"
              checked={shownColumns.value.includes(id)}
              onChange={() => toggleColumn(id)}
            />
            {title}
          </label>
        ))}
      </fieldset>
    </details>
  )
}
