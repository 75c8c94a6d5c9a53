// A log file becomes a run: each observation is folded as it comes, and stored in slices that become a run only with the
// last of them (storage.ts, `Intake`). Whatever fails before leaves nothing. One import at a time: it takes the memory
// of a run, and as much of the processor as it can get between other requests.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ImportAnswer, type LogHeader, limits } from '../../protocol/schemas.ts'
import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import { OneAtATime } from '../runs/oneAtATime.ts'
import { runExists } from '../runs/runErrors.ts'
import { summaryAt } from '../runs/runRecord.ts'
import type { Runs } from '../runs/runs.ts'
import type { Tuner } from '../runs/tuner.ts'
import type { Intake, RunRecord, Storage } from '../storage/storage.ts'
import { GrowingRun, type Grown } from './growingRun.ts'
import type { LogEntry } from './readLog.ts'

type Options = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly runs: Runs
  readonly clock: Clock
}
type Entry<Kind extends LogEntry['kind']> = Extract<LogEntry, { kind: Kind }>
/** `runId` of the new run, undefined = as in the file; `check` may refuse what the file says of it. */
export type ImportWish = { readonly runId?: string | undefined; readonly check?: (header: LogHeader) => void }
type Read = { readonly run: Grown; readonly end: Entry<'end'>['end'] }

export class Imports {
  private readonly options: Options
  private readonly line = new OneAtATime('the import of another log', 10)

  constructor(options: Options) {
    this.options = options
  }

  /** Waits for the import at work, whose connection is closed by now. */
  stop(): Promise<void> {
    return this.line.stop()
  }

  /**
   * @throws ServerError `server-busy`, `run-exists`, those of the file's entries and of the storage.
   */
  take(entries: AsyncGenerator<LogEntry, void, void>, wish: ImportWish = {}): Promise<ImportAnswer> {
    return this.line.run(async () => {
      try {
        return await this.taken(entries, wish)
      } finally {
        // The rest of the body is left to whoever answers.
        await entries.return()
      }
    })
  }

  private async taken(
    entries: AsyncGenerator<LogEntry, void, void>,
    { runId, check }: ImportWish,
  ): Promise<ImportAnswer> {
    const { storage } = this.options
    const first = (await entries.next()).value as Entry<'header'>
    const { header } = first
    check?.(header)
    const id = runId ?? header.run.id
    if ((await storage.run(id)) !== undefined) throw taken(id)
    const intake = await storage.takeIn()
    try {
      const { run, end } = await this.read(entries, first, id, intake)
      const { record, snapshot, clients } = run
      const store = () => intake.finish({ run: record, snapshot, clients })
      if (!(await this.options.runs.adopt(record, store))) throw taken(id)
      return this.answer(record, run.hashes, header.tunerVersion, end.decisionHashes)
    } catch (error) {
      await intake.discard()
      throw error
    }
  }

  private async read(
    entries: AsyncGenerator<LogEntry, void, void>,
    { header }: Entry<'header'>,
    id: string,
    intake: Intake,
  ): Promise<Read> {
    const { storage, tuner } = this.options
    const growing = new GrowingRun({ storage, tuner, intake, id, header })
    let end: Entry<'end'>['end'] | undefined
    for await (const entry of entries) {
      if (entry.kind === 'end') end = entry.end
      if (entry.kind !== 'observation') continue
      await growing.add(entry.stored, entry.line)
      await growing.storeIfDue()
      await nextTurn()
    }
    return { run: await growing.finish(), end: end! }
  }

  private answer(
    record: RunRecord,
    made: readonly string[],
    exportedBy: string,
    exported: readonly string[],
  ): ImportAnswer {
    const isSameTuner = exportedBy === this.options.tuner.version
    const count = Math.max(made.length, exported.length)
    const different = Array.from({ length: count }, (_, i) => i).find((i) => made[i] !== exported[i])
    const isComparable = isSameTuner && different !== undefined
    return {
      run: summaryAt(record, this.options.clock.now()),
      observations: record.observationCount,
      decisions: {
        made: made.length,
        exported: exported.length,
        identical: isSameTuner ? made.filter((hash, i) => hash === exported[i]).length : null,
        firstDifferent: isComparable ? different + 1 : null,
      },
      tunerVersion: { made: this.options.tuner.version, exported: exportedBy },
    }
  }
}

const taken = (id: string) => {
  const { code, message, extras } = runExists(
    id,
    '/run/id',
    `delete it first, or import the log under another id (?runId=, of 1 to ${limits.nameCharactersMax} characters)`,
  )
  return new ServerError(code, message, { ...extras, closeConnection: true })
}
