// A run taken in slice by slice, on PostgreSQL. Its rows get a key that no run has, and that stands among the deletions until
// the last transaction, which takes it from there and makes it a run's.

import type { Checksum } from '../chain.ts'
import type { Batch, ChunkKey, Intake, StoredChunk } from '../storage.ts'
import { chunksOf } from './derived.ts'
import type { Sweep } from './sweep.ts'
import type { Tools } from './tools.ts'
import { bytesOf, insertSliceSql, insertSql, intakeSql, noSlice, rowValues, sliceValues } from './write.ts'

// Nobody sweeps it for an hour, and each slice gives it another.
const reserve = `INSERT INTO deletions (run, due)
  VALUES (nextval(pg_get_serial_sequence('runs', 'key')), now() + interval '1 hour') RETURNING run`
const insertClient =
  'INSERT INTO clients (run, client_id, last_sequence, last_answer) VALUES ($1, $2, $3, $4)'

const sweptAway = () => new Error('it came so slowly that what had come of it was deleted')

export async function createIntake(tools: Tools & { readonly sweep: Sweep }): Promise<Intake> {
  const { query, transaction, attempt, sweep } = tools
  const [{ run: key } = { run: -1 }] = await query<{ run: number }>(reserve)
  let checksum: Checksum = null
  let bytes = 0
  let isOpen = true
  return {
    append: ({ readings, ...slice }: Pick<Batch, 'observations' | 'decisions' | 'readings' | 'chunks'>) =>
      attempt(async () => {
        const whole = { ...slice, readings: readings === undefined ? [] : [readings], last: 0 }
        const next = sliceValues(whole, checksum)
        if ((await query(intakeSql, key, ...next.values)).length === 0) throw sweptAway()
        checksum = next.checksum
        bytes += bytesOf(whole)
      }),
    chunks: (keys: readonly ChunkKey[]): Promise<readonly StoredChunk[]> =>
      attempt(() => chunksOf(query, key, keys)),
    finish: ({ run, snapshot, clients }) =>
      attempt(async () => {
        const isNew = await transaction(async (inside) => {
          const made = await inside(insertSql, key, ...rowValues(run), bytes)
          if (made.length === 0) return false
          const kept = await inside('DELETE FROM deletions WHERE run = $1 RETURNING run', key)
          if (kept.length === 0) throw sweptAway()
          for (const { clientId, lastSequence, lastAnswer } of clients)
            await inside(insertClient, key, clientId, lastSequence, lastAnswer)
          await inside(insertSliceSql, key, ...sliceValues({ ...noSlice, snapshot }, null).values)
          return true
        })
        if (isNew) isOpen = false
        return isNew
      }),
    discard: () =>
      attempt(async () => {
        if (!isOpen) return
        isOpen = false
        await query('UPDATE deletions SET due = now() WHERE run = $1', key)
        sweep.start()
      }),
  }
}
