// What is stored cannot be read as it was written. Nothing is repaired or left out in silence: whoever asks is told what
// was found, and what helps.

import { ServerError } from '../errors.ts'

const advice = '`twostep doctor` looks through all of it, and `twostep restore` takes a backup in its place'

export const damaged = (found: string, cause?: unknown): ServerError =>
  new ServerError('storage-damaged', `${found}; ${advice}`, {
    retryAfterSeconds: 30,
    ...(cause === undefined ? {} : { cause }),
  })

/**
 * What a reader makes of stored bytes.
 * @param what for the sentence: `snapshot of run "r"`
 * @throws ServerError `storage-damaged` instead of whatever the reader throws.
 */
export function readStored<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ServerError) throw error
    throw damaged(`the stored ${what} cannot be read (${(error as Error).message})`, error)
  }
}
