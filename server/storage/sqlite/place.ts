// The place of the database file: its folder, its one name, its room on the disk, and whether it is still there.
//
// SQLite keeps -wal and -shm beside the *name* by which a file was opened. A symbolic link is resolved to one name, and the
// lock lies beside that. A second hard link cannot be resolved, and whoever opens the file by it has another log: a lock
// would not mend that, as readers and backups would miss what is in the first one. So such a file is refused.

import { closeSync, mkdirSync, openSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CommandError, ServerError } from '../../errors.ts'

/** Less than this free, and a batch of the largest size might not fit any more. */
export const freeBytesMin = 32 * 1024 * 1024

/** Rights of what is made here: its owner's alone. A database holds digests of tokens, and the secrets that webhooks are signed with. */
const privateFolder = 0o700
export const privateFile = 0o600

/** Makes a file that is not there yet. SQLite gives those beside it (-wal, -shm) the same rights. */
export function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', privateFile))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Whether others on this computer may read a file. */
export const isOpenToOthers = (file: string): boolean =>
  process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0

/** Makes a folder and those above it, one by one: a recursive mkdir never ends below /proc. */
export function makeFolder(folder: string): void {
  try {
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder, privateFolder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The file's own path. @throws CommandError if it has another name beside it. */
export function ownPath(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) {
    const folder = dirname(file)
    return statSync(folder, { throwIfNoEntry: false }) === undefined
      ? file
      : join(realpathSync(folder), basename(file))
  }
  if (stat.nlink > 1 && stat.isFile())
    throw new CommandError(
      `${file} has ${stat.nlink} names (hard links), and a database keeps its newest part beside one of them: remove the others, or copy it with \`twostep backup\` under the first`,
    )
  return realpathSync(file)
}

/** Bytes that are left on the disk of a file. */
export function freeBytesOf(file: string): number {
  const { bavail, bsize } = statfsSync(dirname(file))
  return bavail * bsize
}

export type PlaceCheck = {
  /** @throws ServerError `storage-failed` where the file is gone, or is not the one that was opened. */
  file(): void
  /** @throws ServerError `disk-full` where the largest batch might not fit any more. */
  room(): void
}

export function createPlaceCheck(file: string, freeBytes: () => number): PlaceCheck {
  const opened = statSync(file)
  const checkFile = () => {
    const now = statSync(file, { throwIfNoEntry: false })
    if (now === undefined)
      throw new ServerError(
        'storage-failed',
        `${file} is gone: nothing of this request was stored; put it back, or stop this server and start it on a restored one`,
      )
    if (now.ino !== opened.ino || now.dev !== opened.dev)
      throw new ServerError(
        'storage-failed',
        `${file} is another file than the one that this server opened: nothing of this request was stored; restart the server, so that it reads and writes the one that is there`,
      )
  }
  const checkRoom = () => {
    const free = freeBytes()
    if (free < freeBytesMin)
      throw new ServerError(
        'disk-full',
        `the disk of ${file} has ${Math.floor(free / 1024 / 1024)} MB left, too little for the largest batch: free some space`,
      )
  }
  return { file: checkFile, room: checkRoom }
}
