// Who did what, newest first, for an admin.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AuditEntry } from '../../../protocol/vocabulary.ts'
import { fetchAudit } from '../../connection/api.ts'
import { may } from '../../state/access.ts'
import { formatAddress, runAddress } from '../../state/address.ts'
import { Failure } from '../failure.tsx'
import { SettingsHead } from './settingsHead.tsx'
import '../../style/access.css'

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
  const shown = entries.value
  return (
    <section class="card" aria-labelledby="audit">
      <h2 id="audit">Audit</h2>
      <p class="sub">What was done to runs, tokens and webhooks, newest first. Times are UTC.</p>
      <Failure words={failure.value} />
      {shown?.length === 0 && <p>Nothing yet.</p>}
      {shown !== null && shown.length > 0 && (
        <table class="tokens stacked">
          <SettingsHead titles={['When', 'Who', 'What', 'Run', 'Reason', 'Answer']} />
          <tbody>
            {shown.map((entry) => (
              <AuditRow key={entry.number} entry={entry} />
            ))}
          </tbody>
        </table>
      )}
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

function AuditRow(props: { entry: AuditEntry }) {
  const { at, caller, from, operation, detail, runId, reason, status } = props.entry
  return (
    <tr>
      <td data-title="When">{at.slice(0, 19).replace('T', ' ')}</td>
      <td title={from} data-title="Who">
        {caller}
      </td>
      <td data-title="What">{detail === '' ? operation : `${operation}: ${detail}`}</td>
      {runId === null ? (
        <td />
      ) : (
        <td data-title="Run">
          <a href={formatAddress(runAddress(runId))}>{runId}</a>
        </td>
      )}
      {reason === '' ? <td /> : <td data-title="Reason">{reason}</td>}
      <td data-title="Answer">{status ?? 'none'}</td>
    </tr>
  )
}
