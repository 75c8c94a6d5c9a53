// The one place that chooses the SQLite driver: `node:sqlite` where Node has it without a flag (22.13 and
// newer), else @photostructure/sqlite, which has the same interface and carries its binaries in the package
// (docs/decisions/0001-sqlite-driver.md).

import { createRequire } from 'node:module'

export type SqlValue = null | number | string | Uint8Array
export type Statement = {
  run(...values: SqlValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): unknown
  all(...values: SqlValue[]): unknown[]
}
export type Database = {
  exec(sql: string): void
  prepare(sql: string): Statement
  /** A function that SQL may call by this name. */
  function(name: string, called: (value: SqlValue) => SqlValue): void
  close(): void
  readonly isTransaction: boolean
}
type DatabaseClass = new (file: string, options?: { readOnly?: boolean; timeout?: number }) => Database

export type Driver = {
  readonly name: 'node:sqlite' | '@photostructure/sqlite'
  readonly DatabaseSync: DatabaseClass
}

const nativeSince = [22, 13] as const

function hasNative(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  return major > nativeSince[0] || (major === nativeSince[0] && minor >= nativeSince[1])
}

/** Loads node:sqlite without its "experimental" warning, which says nothing to a user of ours. */
function nativeDriver(): Driver {
  const emitWarning = process.emitWarning
  process.emitWarning = (() => {}) as typeof process.emitWarning
  try {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as never) as unknown as {
      DatabaseSync: DatabaseClass
    }
    return { name: 'node:sqlite', DatabaseSync }
  } finally {
    process.emitWarning = emitWarning
  }
}

/** The driver for a Node version (without the leading "v"); by default the one that runs. */
export function loadDriver(nodeVersion: string = process.versions.node): Driver {
  if (hasNative(nodeVersion)) return nativeDriver()
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite') as {
    DatabaseSync: DatabaseClass
  }
  return { name: '@photostructure/sqlite', DatabaseSync }
}
