// `twostep backup FILE` and `twostep restore FILE`. A backup is one whole database of one moment, made while a server
// writes, without the room that deleted runs have left; it gets its name only once all of it was read again and is what
// was stored. A restore puts one in the place of the database, which is kept beside it; no server may run meanwhile.

import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { formatPlural } from '../../protocol/numbers.ts'
import type { Config } from '../config.ts'
import { CommandError, ServerError } from '../errors.ts'
import { Damage } from '../storage/damage.ts'
import { demandFile } from '../storage/open.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { openDatabase, takeLock } from '../storage/sqlite/openDatabase.ts'
import { makeFolder, makePrivate, ownPath, privateFile } from '../storage/sqlite/place.ts'
import { openSqliteStorage } from '../storage/sqlite/sqliteStorage.ts'
import { type Verified, verifyStorage } from '../storage/verify.ts'

const piecesShown = 10

/** Files that belong to a database, by the end of their names. */
const parts = ['', '-wal', '-shm', '-acknowledged'] as const

const contents = ({ runs, observations }: Verified) =>
  `${formatPlural(runs, 'run')} with ${formatPlural(observations, 'observation')}`

/** What is damaged and no loss, as the end of a sentence. */
export function madeAnewSentence({ madeAnew }: Verified): string {
  if (madeAnew.length === 0) return ''
  const shown = madeAnew.slice(0, piecesShown)
  const more = madeAnew.length > shown.length ? ` and ${madeAnew.length - shown.length} more` : ''
  return `; damaged, but no loss, as it follows from the log and is made anew when a server next reads it: ${shown.join(', ')}${more}`
}

/** All of a database read and held to its checksums. @throws CommandError naming what is wrong. */
export async function verifyFile(
  file: string,
  { isCopy = false }: { readonly isCopy?: boolean } = {},
): Promise<Verified> {
  const storage = openSqliteStorage({ file, readOnly: true, isCopy })
  try {
    return await verifyStorage(storage)
  } catch (error) {
    // How a database in use is mended is of no use to who holds a copy.
    if (isCopy && error instanceof Damage) throw new CommandError(`${file}: ${error.found}`)
    throw error instanceof ServerError ? new CommandError(`${file}: ${error.message}`) : error
  } finally {
    await storage.close()
  }
}

function flush(path: string): void {
  const handle = openSync(path, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

const failed = (what: string, error: unknown) =>
  error instanceof CommandError ? error : new CommandError(`${what}: ${(error as Error).message}`)

/** A database of before can give its free pages back only once it is written anew with a word for it. */
function letShrink(file: string): void {
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file)
  const [mode] = Object.values(database.prepare('PRAGMA auto_vacuum').get() as object)
  if (mode === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
  database.close()
}

/** @returns a sentence. @throws CommandError */
export async function backup(config: Config, name: string): Promise<string> {
  demandFile(config, '`twostep backup`', '`pg_dump` makes a copy')
  const { databaseFile } = config
  const file = resolve(name)
  if (existsSync(file)) throw new CommandError(`${file} exists already: name another file, or move it away`)
  if (!existsSync(databaseFile)) throw new CommandError(`there is no database at ${databaseFile}`)
  const unfinished = `${file}.unfinished`
  const { database } = openDatabase({ file: databaseFile, readOnly: true })
  try {
    makeFolder(dirname(file))
    rmSync(unfinished, { force: true })
    // An empty file is one to be filled.
    makePrivate(unfinished)
    database.prepare('VACUUM INTO ?').run(unfinished)
    letShrink(unfinished)
    const verified = await verifyFile(unfinished)
    flush(unfinished)
    renameSync(unfinished, file)
    flush(dirname(file))
    return `${file} holds ${contents(verified)}, read again and as stored${madeAnewSentence(verified)}`
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw failed(`${databaseFile} could not be copied to ${file}`, error)
  } finally {
    database.close()
  }
}

/** @param stamp for the name under which the present database is kept. @returns a sentence. @throws CommandError */
export async function restore(config: Config, name: string, stamp: string): Promise<string> {
  demandFile(config, '`twostep restore`', '`pg_restore` puts a copy back')
  const { databaseFile } = config
  const file = resolve(name)
  if (!existsSync(file)) throw new CommandError(`there is no file ${file}`)
  const verified = await verifyFile(file, { isCopy: true }).catch((error) => {
    const nothing = `it is not put in the place of ${databaseFile}, which is as it was: take another backup`
    throw error instanceof CommandError ? new CommandError(`${error.message}; ${nothing}`) : error
  })
  makeFolder(dirname(databaseFile))
  const place = ownPath(databaseFile)
  const lock = takeLock(loadDriver(), place)
  const unfinished = `${place}.unfinished`
  try {
    copyFileSync(file, unfinished)
    chmodSync(unfinished, privateFile)
    flush(unfinished)
    const kept = `${place}.before-${stamp}`
    const isThere = existsSync(place)
    for (const part of parts) if (existsSync(place + part)) renameSync(place + part, kept + part)
    renameSync(unfinished, place)
    flush(dirname(place))
    const before = isThere ? `; what was there is kept as ${kept}` : ''
    return `${place} now holds ${contents(verified)}${before}${madeAnewSentence(verified)}`
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw failed(`${file} could not be put in the place of ${place}`, error)
  } finally {
    lock.close()
  }
}
