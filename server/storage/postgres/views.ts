// Views: transactions that only read and see one moment, on the connections of a small pool of their own. Who asks for one
// while all are open waits for one to be closed.

import type pg from 'pg'
import type { View } from '../storage.ts'
import { queryOn } from './connect.ts'
import type { DerivedTools } from './derived.ts'
import { runReads } from './runReads.ts'
import { seriesReads } from './seriesReads.ts'

export async function openView(
  pool: pg.Pool,
  { attempt, damage }: Pick<DerivedTools, 'attempt' | 'damage'>,
): Promise<View> {
  const client = await attempt(() => pool.connect())
  // The pool does not listen while a connection is lent.
  const ignore = () => {}
  client.on('error', ignore)
  const query = queryOn(client)
  let isOpen = true
  let standing: Promise<unknown> = Promise.resolve()
  const release = (error?: Error) => {
    client.off('error', ignore)
    client.release(error)
  }
  return {
    ...seriesReads({ query, attempt }),
    ...runReads({ query, attempt, damage }),
    stand: () =>
      attempt(async () => {
        standing = client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1 FROM runs LIMIT 1')
        await standing
      }),
    close: () => {
      if (!isOpen) return
      isOpen = false
      standing.then(() => client.query('COMMIT')).then(() => release(), release)
    },
  }
}
