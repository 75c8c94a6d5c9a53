// The runs that match in groups: what the runs of one project, or of one tag, reached, and how far apart that lies, as of
// several seeds. Counted by the server over all of them, not over the rows that are loaded.

import { formatNumber, formatPercent, formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { RunGroup } from '../../protocol/vocabulary.ts'
import { formatAddress } from '../state/address.ts'
import type { Grouping, RunsAddress } from '../state/listAddress.ts'

const titles = ['Runs', 'Train loss', 'Best held-out loss', 'Best accuracy'] as const

export function GroupsTable(props: { address: RunsAddress; by: Grouping; groups: readonly RunGroup[] }) {
  const { address, by, groups } = props
  return (
    <section class="card runs-card" aria-label={`Runs by ${by}`}>
      <table class="runs groups">
        <thead>
          <tr>
            <th scope="col">{by === 'tag' ? 'Tag' : 'Project'}</th>
            {titles.map((title) => (
              <th key={title} scope="col" class="c-number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.name}>
              <td>
                <a
                  class="run-name"
                  title={group.name}
                  href={formatAddress({ ...address, group: null, [by]: group.name })}
                >
                  {group.name}
                </a>
              </td>
              <td class="c-number">{formatStep(group.count)}</td>
              <SpreadCell spread={group.loss} of={group.count} write={formatNumber} />
              <SpreadCell spread={group.heldOutBest} of={group.count} write={formatNumber} />
              <SpreadCell
                spread={group.accuracyBest}
                of={group.count}
                write={(value) => formatPercent(value, 4)}
              />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function SpreadCell(props: { spread: RunGroup['loss']; of: number; write: (value: number) => string }) {
  const { spread, of, write } = props
  if (spread === null) return <td class="c-number unknown">not measured</td>
  const { count, mean, min, max } = spread
  const range = count > 1 ? `${write(min)} to ${write(max)}` : 'one run'
  return (
    <td class="c-number">
      <b>{write(mean)}</b>
      <small class="delta">
        {range}
        {count > 1 && count < of ? `, of ${formatPlural(count, 'run')}` : ''}
      </small>
    </td>
  )
}
