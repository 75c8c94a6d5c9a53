// Runs that were deleted and can still be brought back, for an admin.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { RemovedRuns } from '../../../protocol/vocabulary.ts'
import { fetchRemoved, sendRestore } from '../../connection/api.ts'
import { may } from '../../state/access.ts'
import { formatAddress, runAddress } from '../../state/address.ts'
import { Failure } from '../failure.tsx'
import { SettingsTable } from './settingsTable.tsx'
import { timeAgo } from './times.ts'

export function RemovedRunsList() {
  if (!may('admin')) return <p class="card">Deleted runs are shown to the scope admin alone.</p>
  return <Removed />
}

function Removed() {
  const runs = useSignal<RemovedRuns['runs'] | null>(null)
  const failure = useSignal<string | null>(null)
  const restored = useSignal<string | null>(null)
  const load = async () => {
    const answer = await fetchRemoved()
    failure.value = answer.ok ? null : answer.problem.detail
    if (answer.ok) runs.value = answer.value.runs
  }
  useEffect(() => void load(), [])
  const restore = async (runId: string, removedAt: string) => {
    const answer = await sendRestore(runId, removedAt)
    if (answer.ok) {
      restored.value = runId
      await load()
    } else failure.value = answer.problem.detail
  }
  const shown = runs.value
  return (
    <section class="card" aria-labelledby="removed-runs">
      <h2 id="removed-runs">Deleted runs</h2>
      <p class="sub">They can be brought back whole for 7 days. Times are UTC.</p>
      <Failure words={failure.value} />
      <p role="status">
        {restored.value !== null && (
          <>
            <a href={formatAddress(runAddress(restored.value))}>{restored.value}</a> is back.
          </>
        )}
      </p>
      <SettingsTable
        titles={['Run', 'Project', 'Deleted', 'Kept until']}
        rows={shown?.map(({ id, name, project, removedAt, keptUntil }) => ({
          id: `${id} ${removedAt}`,
          cells: [
            name === id ? id : `${name} (${id})`,
            project,
            <span title={removedAt}>{timeAgo(removedAt, Date.now())}</span>,
            keptUntil.slice(0, 16).replace('T', ' '),
          ],
          acts: (
            <button
              type="button"
              class="button"
              aria-label={`Restore ${id}`}
              onClick={() => restore(id, removedAt)}
            >
              Restore
            </button>
          ),
        }))}
        none="There are none."
      />
    </section>
  )
}
