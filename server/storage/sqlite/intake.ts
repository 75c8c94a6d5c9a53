// A run taken in slice by slice, on SQLite. Its rows get a key that no run has, and that stands among the deletions until
// the last transaction, which takes it from there and makes it a run's. So a crash in the middle leaves rows of a
// deleted run, which the next start removes like those of any other.

import { rowOf } from '../rows.ts'
import type { Batch, Intake } from '../storage.ts'
import { chunkAt } from './derived.ts'
import { insertClient, insertRun } from './rows.ts'
import type { Tools } from './tools.ts'

type Slice = Parameters<Intake['append']>[0] & {
  readonly snapshot?: Parameters<Intake['finish']>[0]['snapshot']
}

/** What the storage lends: its statements, its transactions, its deletions. */
export type IntakeTools = Tools & {
  readonly insertSlice: (key: number, slice: Slice) => void
  readonly startSweep: () => void
  readonly acknowledge: (stored: Pick<Batch, 'run'>) => void
  /** Keys that the sweep leaves alone. */
  readonly intakes: Set<number>
}

// The table never gives out a key twice, so one that it gave to a row which is gone again is nobody else's. No run's id
// is empty.
const placeholder = `INSERT INTO runs (id, name, project, tags, lifecycle, created_at, last_seen_at,
  observation_count, decision_count, summary) VALUES ('', '', '', '[]', 'running', 0, 0, 0, 0, '{}')`

function reservedKey({ prepare, transaction }: IntakeTools): number {
  return transaction(() => {
    const key = Number(prepare(placeholder).run().lastInsertRowid)
    prepare('DELETE FROM runs WHERE key = ?').run(key)
    prepare('INSERT INTO deletions (run) VALUES (?)').run(key)
    return key
  })
}

export function createIntake(tools: IntakeTools): Intake {
  const { prepare, transaction, attempt, insertSlice, keyOf, startSweep, acknowledge, intakes } = tools
  const key = reservedKey(tools)
  intakes.add(key)
  return {
    append: (slice) => attempt(() => transaction(() => insertSlice(key, slice))),
    chunks: (keys) =>
      attempt(() => keys.flatMap((wanted) => chunkAt({ prepare }, { id: 'import', key }, wanted) ?? [])),
    finish: ({ run, snapshot, clients }) =>
      attempt(() => {
        const isNew = transaction(() => {
          if (keyOf(run.id) !== -1) return false
          prepare('DELETE FROM deletions WHERE run = ?').run(key)
          prepare(insertRun).run(key, ...rowOf(run))
          for (const { clientId, lastSequence, lastAnswer } of clients)
            prepare(insertClient).run(key, clientId, lastSequence, lastAnswer)
          insertSlice(key, { observations: [], decisions: [], snapshot })
          return true
        })
        if (!isNew) return false
        intakes.delete(key)
        acknowledge({ run })
        return true
      }),
    discard: () =>
      attempt(() => {
        if (intakes.delete(key)) startSweep()
      }),
  }
}
