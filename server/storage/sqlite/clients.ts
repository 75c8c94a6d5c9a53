// What each client of a run has sent last, with its answer, of the newest clients. Of older ones the answer goes, and what
// they sent is still known by their batches: so a run may have any number of them, and none is ever applied twice.

import { limits } from '../../../protocol/schemas.ts'
import type { ClientRecord, Storage } from '../storage.ts'
import { insertClient } from './rows.ts'
import type { Tools } from './tools.ts'

const selectClient = `SELECT client_id AS clientId, last_sequence AS lastSequence, last_answer AS lastAnswer
  FROM clients WHERE run = ? AND client_id = ?`
const selectLastSequence = `SELECT max(
  coalesce((SELECT last_sequence FROM clients WHERE run = ? AND client_id = ?), 0),
  coalesce((SELECT max(sequence) FROM batches WHERE run = ? AND client_id = ?), 0)) AS last`
const selectNewest =
  'SELECT client_id AS id, last_sequence AS last FROM clients WHERE run = ? ORDER BY rowid DESC LIMIT ?'
// Each write of a client gives it a new rowid, so the newest are the highest. Whose batches are not known (sent to 0.1.0,
// or in a log that came from elsewhere) stays.
const foldOld = `DELETE FROM clients WHERE rowid IN (
  SELECT rowid FROM clients WHERE run = ? AND EXISTS (
    SELECT 1 FROM batches WHERE batches.run = clients.run AND batches.client_id = clients.client_id
    AND batches.sequence = clients.last_sequence)
  ORDER BY rowid DESC LIMIT -1 OFFSET ${limits.clientsMax})`

export type ClientsTools = Pick<Tools, 'prepare' | 'attempt' | 'keyOf'>

export function createClients({ prepare, attempt, keyOf }: ClientsTools): {
  insert(run: number, client: ClientRecord): void
  lastSequence(run: number, clientId: string): number
  readonly reads: Pick<Storage, 'client' | 'clientSequences' | 'lastSequence'>
} {
  const lastSequence = (run: number, clientId: string) =>
    (prepare(selectLastSequence).get(run, clientId, run, clientId) as { last: number }).last
  return {
    insert: (run, { clientId, lastSequence: last, lastAnswer }) => {
      prepare(insertClient).run(run, clientId, last, lastAnswer)
      if (last === 1) prepare(foldOld).run(run)
    },
    lastSequence,
    reads: {
      client: (runId, clientId) =>
        attempt(() => prepare(selectClient).get(keyOf(runId), clientId) as ClientRecord | undefined),
      clientSequences: (runId) =>
        attempt(() => {
          const rows = prepare(selectNewest).all(keyOf(runId), limits.clientsMax) as {
            id: string
            last: number
          }[]
          return new Map(rows.reverse().map(({ id, last }) => [id, last]))
        }),
      lastSequence: (runId, clientId) => attempt(() => lastSequence(keyOf(runId), clientId)),
    },
  }
}
