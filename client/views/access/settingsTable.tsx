// A table of the settings. On a narrow screen each row is a block: its first cell heads it, and each other one stands beside
// the title of its column (style/access.css).

import type { ComponentChildren } from 'preact'
import '../../style/access.css'

export type SettingsRow = {
  readonly id: string | number
  /** One for each title. What is empty is left out of a block. */
  readonly cells: readonly ComponentChildren[]
  /** Buttons. */
  readonly acts?: ComponentChildren
}

/** @param props.rows undefined = not known yet
 *  @param props.none what is said where there are none */
export function SettingsTable(props: {
  titles: readonly string[]
  rows: readonly SettingsRow[] | undefined
  none: string
}) {
  const { titles, rows, none } = props
  if (rows === undefined) return null
  if (rows.length === 0) return <p>{none}</p>
  const hasActs = rows.some(({ acts }) => acts)
  return (
    <table class="settings-table">
      <thead>
        <tr>
          {titles.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
          {hasActs && (
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, cells: [first, ...others], acts }) => (
          <tr key={id}>
            <th scope="row">{first}</th>
            {others.map((cell, i) => (
              <td key={titles[i + 1]} data-title={titles[i + 1]}>
                {cell}
              </td>
            ))}
            {hasActs && <td>{acts && <div class="acts">{acts}</div>}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
