// Settings and results of the runs that are compared: the base first, what differs first or alone, the better value bold.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { LineSample } from '../charts/compareChart.tsx'
import { formatAddress, goTo, runAddress } from '../state/address.ts'
import type { CompareAddress } from '../state/compareAddress.ts'
import { type CompareRow, compareTable } from './compareRows.ts'

export function CompareTables(props: { address: CompareAddress; runs: readonly RunSummary[] }) {
  const { address, runs } = props
  const baseFirst = runs
    .map((run, look) => ({ run, look }))
    .sort((a, b) => Number(b.run.id === address.base) - Number(a.run.id === address.base))
  const { settings, results } = compareTable(baseFirst.map(({ run }) => run))
  const change = () => goTo({ ...address, differing: !address.differing }, 'replace')
  return (
    <section class="card compare-card" aria-label="Settings and results">
      <label class="row-of">
        <input type="checkbox" checked={address.differing} onChange={change} />
        Only what differs
      </label>
      <section class="scrolls" aria-label="Table of the runs">
        <table class="compare-table">
          <thead>
            <tr>
              <td />
              {baseFirst.map(({ run, look }) => (
                <th key={run.id} scope="col">
                  <LineSample look={look} />
                  <a href={formatAddress(runAddress(run.id))} title={run.options.name}>
                    {run.options.name}
                  </a>
                  {run.id === address.base ? (
                    <span class="sub">Base</span>
                  ) : (
                    <button
                      type="button"
                      class="link"
                      aria-label={`Use as base: ${run.options.name}`}
                      onClick={() => goTo({ ...address, base: run.id }, 'replace')}
                    >
                      Use as base
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <Rows title="Results" rows={results} differing={address.differing} columns={runs.length} />
          <Rows title="Settings" rows={settings} differing={address.differing} columns={runs.length} />
        </table>
      </section>
    </section>
  )
}

function Rows(props: { title: string; rows: readonly CompareRow[]; differing: boolean; columns: number }) {
  const { title, rows, differing, columns } = props
  const shown = differing
    ? rows.filter(({ differs }) => differs)
    : [...rows].sort((a, b) => Number(b.differs) - Number(a.differs))
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={columns + 1} class="rows-title">
          {title}
        </th>
      </tr>
      {shown.length === 0 && (
        <tr>
          <td colSpan={columns + 1} class="sub">
            {columns > 1 ? 'The same in all.' : 'With one run nothing differs.'}
          </td>
        </tr>
      )}
      {shown.map(({ title: name, cells, best, differs }) => (
        <tr key={name} class={differs ? 'row-differs' : ''}>
          <th scope="row">{name}</th>
          {cells.map((words, i) => (
            <td key={i} class={best[i] ? 'best' : ''} title={words.length > 28 ? words : undefined}>
              {words}
              {best[i] && <span class="visually-hidden"> (best)</span>}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  )
}
