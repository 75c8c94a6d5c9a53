// What the parts of the storage share: the connection's statements, its transactions, and how failures are told.

import type { Statement } from './driver.ts'

export type Tools = {
  readonly prepare: (sql: string) => Statement
  readonly transaction: <T>(work: () => T) => T
  /** Runs it, with the driver's failures as errors of the server. */
  readonly attempt: <T>(work: () => T) => Promise<T>
  /** The key of a run's rows; −1 = there is no such run. */
  readonly keyOf: (runId: string) => number
}
