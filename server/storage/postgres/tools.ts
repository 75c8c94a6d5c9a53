// What the parts of the storage share.

import type { Query, Value } from './connect.ts'

export type Tools = {
  readonly query: Query
  /** The first row. */
  readonly get: <T>(sql: string, ...values: Value[]) => Promise<T | undefined>
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>
  /** Runs it, with the driver's failures as errors of the server. */
  readonly attempt: <T>(work: () => Promise<T>) => Promise<T>
}

/** The key of a run's rows, as SQL: one value, its id. */
export const keySql = (place: number) => `(SELECT key FROM runs WHERE id = $${place})`

/** `$1, $2, …` */
export const places = (count: number, first = 1): string =>
  Array.from({ length: count }, (_, i) => `$${first + i}`).join(', ')

/** `?` as PostgreSQL numbers its values. */
export function numbered(sql: string): string {
  let number = 0
  return sql.replaceAll('?', () => `$${++number}`)
}
