// Opens the database file: lock, pragmas, checks, migrations. Whatever is wrong with the file becomes a
// sentence that names it and says what to do; nothing is ever repaired or thrown away in silence.

import { dirname } from 'node:path'
import { familyOf } from '../../../protocol/optimizers.ts'
import { CommandError, ServerError } from '../../errors.ts'
import { damaged, databaseDamaged } from '../damage.ts'
import { searchText } from '../rows.ts'
import { runTables } from '../tables.ts'
import { type Database, type Driver, loadDriver } from './driver.ts'
import { makeFolder, makePrivate, ownPath } from './place.ts'
import { applicationId, migrations, schemaVersion } from './schema.ts'

export type SqliteOptions = {
  /** Path of the database file; its folder is made if it is missing. */
  readonly file: string
  /** For a second process that reads while a server writes. */
  readonly readOnly?: boolean
  /** It is a copy, which nobody starts on: what is said of it is about that. */
  readonly isCopy?: boolean
  /** Upper bound of the file's size in pages of 8 KiB (tests fill a disk with it). */
  readonly pagesMax?: number
  /** Room on the disk (tests fill one with it). */
  readonly freeBytes?: () => number
  /** Bytes kept free beside the file, so that a full disk can be emptied; by default none. */
  readonly reserve?: number
}
export type OpenDatabase = {
  /** The file's own path, whatever name it was given by. */
  readonly file: string
  readonly database: Database
  readonly lock: Database | undefined
  readonly driver: Driver
}

export const busyMilliseconds = 2_000
export const sqliteFull = 13
const sqliteBusy = 5
/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const sqliteDamaged: readonly (number | undefined)[] = [11, 26]

/** SQLite's primary result code behind a driver's error; undefined if it is none of SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** One of the drivers gives no code with what a query meets on its way. */
const isDamage = (error: unknown): boolean =>
  sqliteDamaged.includes(sqliteCode(error)) ||
  (error instanceof Error && /disk image is malformed|not a database|corrupt/i.test(error.message))

/** A failed call as an answer to the job: it keeps its batch and sends it again. */
export function storageError(error: unknown, file: string): ServerError {
  if (error instanceof ServerError) return error
  const code = sqliteCode(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === sqliteFull)
    return new ServerError(
      'disk-full',
      `there is no space left for ${file}: nothing of this request was stored and everything accepted before is kept; free some space and send it again`,
      { cause: error, retryAfterSeconds: 30 },
    )
  if (isDamage(error)) return databaseDamaged(`the database ${file} is damaged (${message})`, error)
  // A text that was stored as JSON and is none any more: of one row.
  if (error instanceof SyntaxError)
    return damaged(`a row of the database ${file} cannot be read (${message})`, error)
  const reason = code === sqliteBusy ? 'another process holds it' : message
  return new ServerError(
    'storage-failed',
    `the database ${file} could not be used (${reason}): nothing of this request was stored; send it again`,
    { cause: error, retryAfterSeconds: 5 },
  )
}

function numberOf(database: Database, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() as Record<string, unknown>)[0])
}

/** Held while a server uses the file, and freed by the system when the process dies, however it dies. */
export function takeLock({ DatabaseSync }: Driver, file: string): Database {
  makePrivate(`${file}-lock`)
  const lock = new DatabaseSync(`${file}-lock`, { timeout: 0 })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (sqliteCode(error) !== sqliteBusy) throw error
    throw new CommandError(
      `another twostep server uses ${file}: stop it, or give this one another folder with --data-dir`,
    )
  }
}

/** What migrations call. */
export function defineFunctions(database: Database): void {
  database.function('family_of', (name) => familyOf(String(name)))
  database.function('search_text', (text) => {
    const [id, name, project, tags, options] = JSON.parse(String(text))
    return searchText(id, { name, project, tags }, options)
  })
}

const ofOldDatabase =
  'and all its runs are kept: the next start of `twostep serve` on it upgrades it. For a copy before that, copy the file together with its -wal while no server runs'
const ofOldCopy =
  'and cannot be checked by this one: put it in the place of the database yourself while no server runs, together with its -wal if there is one, and the next start of `twostep serve` upgrades it'

function checkAndMigrate(database: Database, file: string, readOnly: boolean, isCopy: boolean): void {
  const version = numberOf(database, 'user_version')
  const owner = numberOf(database, 'application_id')
  const empty = version === 0 && numberOf(database, 'schema_version') === 0
  if (!empty && owner !== applicationId)
    throw new CommandError(
      `${file} is a database of another program: name another file with --storage-url or --data-dir`,
    )
  if (version > schemaVersion)
    throw new CommandError(
      `${file} was written by a newer twostep (schema ${version}, this one knows up to ${schemaVersion}): use that version, or another folder with --data-dir`,
    )
  if (version === schemaVersion) return
  if (readOnly && empty)
    throw new CommandError(`${file} holds nothing yet: \`twostep serve\` makes a database of it`)
  if (readOnly)
    throw new CommandError(
      `${file} is of an older version of twostep (schema ${version}; this one has ${schemaVersion}), ${isCopy ? ofOldCopy : ofOldDatabase}`,
    )
  defineFunctions(database)
  for (let from = version; from < schemaVersion; from++) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[from]}; PRAGMA user_version = ${from + 1}; PRAGMA application_id = ${applicationId}; COMMIT`,
    )
  }
}

/** A folder or file that can only be read is noticed now, not at the first batch; a full one may still be emptied. */
function checkWrite(database: Database): void {
  try {
    database.exec(
      'BEGIN IMMEDIATE; INSERT INTO deletions (run) VALUES (-1); DELETE FROM deletions WHERE run = -1; COMMIT',
    )
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    if (sqliteCode(error) !== sqliteFull) throw error
  }
}

function openFailure(error: unknown, file: string, isCopy: boolean): Error {
  if (error instanceof CommandError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (isCopy && isDamage(error)) return new CommandError(`${file} is damaged (${message})`)
  return new CommandError(
    isDamage(error)
      ? `${file} is damaged (${message}): move it aside together with its -wal and -shm files (sqlite3 ${file} ".recover" may save what is in it) and start again, or restore a copy`
      : `${file} cannot be opened (${message}): check that the folder exists, is writable and has space`,
  )
}

/** One more connection to a file that is open already, which only reads. */
export const openReader = ({ DatabaseSync }: Driver, file: string): Database =>
  new DatabaseSync(file, { readOnly: true, timeout: busyMilliseconds })

/** What a damaged or unwritable database says to its end is not the reason that is told. */
function close(database: Database | undefined): void {
  try {
    database?.close()
  } catch {}
}

/**
 * @throws CommandError naming the file and what to do: damaged, newer schema, foreign, locked, not writable.
 */
export function openDatabase(options: SqliteOptions): OpenDatabase {
  const { readOnly = false, isCopy = false } = options
  let { file } = options
  let lock: Database | undefined
  let database: Database | undefined
  try {
    const driver = loadDriver()
    if (!readOnly) {
      makeFolder(dirname(file))
    }
    file = ownPath(file)
    if (!readOnly) {
      lock = takeLock(driver, file)
      makePrivate(file)
    }
    database = new driver.DatabaseSync(file, { readOnly, timeout: busyMilliseconds })
    if (!readOnly) {
      // FULL: a commit is on the disk before it is acknowledged (decision record 0001).
      database.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL')
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      database.exec('PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192')
      if (options.pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${options.pagesMax}`)
    }
    checkAndMigrate(database, file, readOnly, isCopy)
    // Not PRAGMA quick_check: it reads the whole file, and the start must not grow with it (`doctor` does it).
    for (const table of ['runs', ...runTables]) database.prepare(`SELECT * FROM ${table} LIMIT 1`).get()
    if (!readOnly) checkWrite(database)
    return { file, database, lock, driver }
  } catch (error) {
    close(database)
    close(lock)
    throw openFailure(error, file, isCopy)
  }
}
