// Who did what, newest first, for an admin.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AuditEntry } from '../../../protocol/vocabulary.ts'
import { fetchAudit } from '../../connection/api.ts'
import { may } from '../../state/access.ts'
import { formatAddress, runAddress } from '../../state/address.ts'
import { Failure } from '../failure.tsx'
import { type SettingsRow, SettingsTable } from './settingsTable.tsx'

export function AuditTable() {
  if (!may('admin')) return <p class="card">The audit is shown to the scope admin alone.</p>
  return <AuditEntries />
}

function AuditEntries() {
  const entries = useSignal<readonly AuditEntry[] | null>(null)
  const next = useSignal<number | null>(null)
  const failure = useSignal<string | null>(null)
  const load = async (before: number | null) => {
    const answer = await fetchAudit(before)
    failure.value = answer.ok ? null : answer.problem.detail
    if (!answer.ok) return
    entries.value = [...(before === null ? [] : (entries.value ?? [])), ...answer.value.entries]
    next.value = answer.value.next
  }
  useEffect(() => void load(null), [])
  return (
    <section class="card" aria-labelledby="audit">
      <h2 id="audit">Audit</h2>
      <p class="sub">What was done to runs, tokens and webhooks, newest first. Times are UTC.</p>
      <Failure words={failure.value} />
      <SettingsTable
        titles={['When', 'Who', 'What', 'Run', 'Reason', 'Answer']}
        rows={entries.value?.map(rowOf)}
        none="Nothing yet."
      />
      {next.value !== null && (
        <p class="row-of">
          <button type="button" class="button" onClick={() => load(next.value)}>
            Earlier ones
          </button>
        </p>
      )}
    </section>
  )
}

function rowOf(entry: AuditEntry): SettingsRow {
  const { number, at, caller, from, operation, detail, runId, reason, status } = entry
  return {
    id: number,
    cells: [
      at.slice(0, 19).replace('T', ' '),
      <span title={from}>{caller}</span>,
      detail === '' ? operation : `${operation}: ${detail}`,
      runId && <a href={formatAddress(runAddress(runId))}>{runId}</a>,
      reason,
      status ?? 'none',
    ],
  }
}
