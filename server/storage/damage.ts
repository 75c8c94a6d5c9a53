// What is stored cannot be read as it was written. Nothing is left out in silence: whoever asks is told what was found, and
// what helps. Three things can be damaged, and each weighs otherwise: the database itself, which makes the server not ready;
// the log of one run, which is told with the run's name while all others go on; and what follows from a log, which is lost
// to nobody and made anew from there.

import { ServerError } from '../errors.ts'

const advice = '`twostep doctor` looks through all of it, and `twostep restore` takes a backup in its place'

export type DamagedPart = 'database' | 'log' | 'derived'

export class Damage extends ServerError {
  readonly part: DamagedPart
  /** The sentence without advice. */
  readonly found: string

  constructor(part: DamagedPart, found: string, cause?: unknown) {
    super('storage-damaged', part === 'derived' ? found : `${found}; ${advice}`, {
      retryAfterSeconds: 30,
      ...(cause === undefined ? {} : { cause }),
    })
    this.part = part
    this.found = found
  }
}

/** Of a run's log. */
export const damaged = (found: string, cause?: unknown): Damage => new Damage('log', found, cause)

/** Of the file, or the tables, that hold everything. */
export const databaseDamaged = (found: string, cause?: unknown): Damage =>
  new Damage('database', found, cause)

/** @param what of the run: `the snapshot` */
export const derivedDamaged = (runId: string, what: string, cause?: unknown): Damage =>
  new Damage(
    'derived',
    `${what} of run "${runId}" is not what was stored: it follows from the log, and is made anew from there`,
    cause,
  )

export const isDerivedDamage = (error: unknown): error is Damage =>
  error instanceof Damage && error.part === 'derived'

/** A log that ends before its run. */
export const logCut = (runId: string, found: number, stored: number): Damage =>
  damaged(`run "${runId}" has ${found} observations in its log, and ${stored} were stored`)

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

/** The same of what follows from a run's log. @param what `the snapshot` */
export function readDerived<T>(runId: string, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw derivedDamaged(runId, what, error)
  }
}

/** What was met since the start. */
export class DamageWatch {
  private database: Damage | undefined
  private tell: (damage: Damage) => void = () => {}

  /** Who hears of what is damaged of one run. */
  listen(tell: (damage: Damage) => void): void {
    this.tell = tell
  }

  /** What is no damage is not looked at. */
  met(error: unknown): void {
    if (!(error instanceof Damage)) return
    if (error.part === 'database') this.database ??= error
    else this.tell(error)
  }

  /** @throws Damage of the database. */
  check(): void {
    if (this.database !== undefined) throw this.database
  }
}
