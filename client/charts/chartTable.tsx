// The table behind a chart: every decision and up to 50 rows of the window.

import { formatStep } from '../../protocol/numbers.ts'
import type { ChartSpec } from './spec.ts'

export function ChartTable(props: { spec: ChartSpec }) {
  const { spec } = props
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section class="chart-table" aria-label={`${spec.title}, table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {spec.columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {spec.tableSteps.map((step) => (
            <tr key={step}>
              <th scope="row">{formatStep(step)}</th>
              {spec.columns.map(({ title, at }) => (
                <td key={title}>{at(step)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {spec.tableSteps.length === 0 && <p>No values in this window yet.</p>}
    </section>
  )
}
