// Who reads series, and how many at once: beside the run's line, in which only the moment is taken that is read, and never
// more than a few, whose pieces take turns (turns.ts). So readers wait for each other and for no batch, and no batch for them.

import { type CompactOptions, compactSeries } from '../../protocol/compactSeries.ts'
import type { Series } from '../../protocol/vocabulary.ts'
import type { Clock } from '../clock.ts'
import { isDerivedDamage } from '../storage/damage.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import { KeptAnswers } from './keptAnswers.ts'
import {
  liveReadsAtOnceMax,
  liveReadsWaitingMax,
  ReadGate,
  readsAtOnceMax,
  readsWaitingMax,
  streamsAtOnceMax,
} from './readGate.ts'
import { type Read, readSeries, seriesOf, seriesText } from './readSeries.ts'
import { RowCache } from './rowCache.ts'
import type { RunSeries, SeriesQuery } from './runSeries.ts'
import type { Runs } from './runs.ts'
import { signalsOf } from './signalsOf.ts'
import { type Pause, Turns } from './turns.ts'

export const wholeRange = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** A run at the moment that is read. */
export type Standing = { readonly record: RunRecord; readonly series: RunSeries }
/** Chooses the signals, in the run's line; undefined = all. */
type Choose<Chosen> = (standing: Standing) => Chosen | Promise<Chosen>

/** What an answer over HTTP is asked for; signals as they were written. */
type Asked = Omit<SeriesQuery, 'signals'> & { readonly signals?: string | readonly string[] | undefined }

type Taken<Chosen> = {
  readonly chosen: Chosen
  readonly read: Read
  readonly names: readonly string[]
  readonly pause: Pause
}

/** A storage that is read in pieces. */
export type PausedReads = { readonly storage: Storage; readonly pause: Pause }

export type SeriesReaderOptions = {
  readonly storage: Storage
  readonly runs: Runs
  readonly clock: Clock
}

export class SeriesReader {
  private readonly gate = new ReadGate('reads of charts and schedules', readsAtOnceMax, readsWaitingMax)
  private readonly liveGate = new ReadGate('reads for pages', liveReadsAtOnceMax, liveReadsWaitingMax)
  private readonly streams = new ReadGate('files', streamsAtOnceMax, 0)
  private readonly turns: Turns
  private readonly options: SeriesReaderOptions
  private readonly cache = new RowCache()
  private readonly answers = new KeptAnswers()

  constructor(options: SeriesReaderOptions) {
    this.options = options
    this.turns = new Turns(options.clock.monotonic)
  }

  /**
   * The answer as JSON; one that was made of the same state is there already.
   * @param state what the run is in, as a key
   * @throws ServerError `server-busy`, `run-busy`, `run-not-found`, `signal-not-found`.
   */
  json(runId: string, state: string, asked: Asked): Promise<Buffer> {
    return this.kept(['json', state], runId, asked, seriesText)
  }

  /** The same in few bytes. @param state what the run is in, and how it is written, as a key */
  compact(runId: string, state: string, asked: Asked, how: CompactOptions): Promise<Buffer> {
    return this.kept(['compact', state], runId, asked, async (read, unknown, pause) => {
      const series = await seriesOf(read, pause)
      const whole = unknown.length === 0 ? series : { ...series, unknown: [...unknown] }
      return Buffer.from(JSON.stringify(compactSeries(whole, how)))
    })
  }

  private async kept(
    kind: readonly string[],
    runId: string,
    { signals, ...query }: Asked,
    write: (read: Read, unknown: readonly string[], pause: Pause) => Promise<Buffer>,
  ): Promise<Buffer> {
    const answer = await this.answers.get(JSON.stringify([...kind, signals, query]), () =>
      this.gate.run(async () => {
        const choose = ({ series }: Standing) => signalsOf(series, runId, signals)
        const { chosen, read, pause } = await this.read(runId, query, choose, ({ wanted }) => wanted)
        return write(read, chosen.unknown, pause)
      }),
    )
    // To send it takes a while as well, where it is long.
    await this.turn()
    return answer
  }

  /** For a live connection. `choose` is called in the run's line. */
  live(
    runId: string,
    query: Omit<SeriesQuery, 'signals'>,
    choose: Choose<readonly string[] | undefined>,
  ): Promise<{ readonly series: Series; readonly names: readonly string[] }> {
    return this.liveGate.run(async () => {
      const { read, names, pause } = await this.read(runId, query, choose, (signals) => signals)
      return { series: await seriesOf(read, pause), names }
    })
  }

  /** For a short read: resolves when it may be made, one per turn of the event loop. */
  async turn(): Promise<void> {
    await this.turns.begin()
  }

  /** Any other read that is made as a whole, in pieces. @throws ServerError `server-busy`. */
  made<T>(make: (source: PausedReads) => Promise<T>): Promise<T> {
    const { storage } = this.options
    return this.gate.run(async () => make({ storage, pause: await this.turns.begin() }))
  }

  /** One that is sent as it is read, as fast as its reader takes it. @throws ServerError `server-busy`. */
  streamed(send: (source: PausedReads) => Promise<void>): Promise<void> {
    const { storage } = this.options
    return this.streams.run(async () => send({ storage, pause: await this.turns.begin() }))
  }

  /** Where a piece is damaged that follows from the log, it is made anew, and read. */
  private async read<Chosen>(
    runId: string,
    query: Omit<SeriesQuery, 'signals'>,
    choose: Choose<Chosen>,
    signalsIn: (chosen: Chosen) => readonly string[] | undefined,
  ): Promise<Taken<Chosen>> {
    const { runs, storage } = this.options
    let found: RunSeries | undefined
    const noted: Choose<Chosen> = (standing) => {
      found = standing.series
      return choose(standing)
    }
    try {
      return await this.readOnce(runId, query, noted, signalsIn)
    } catch (error) {
      if (!isDerivedDamage(error) || found === undefined) throw error
      storage.damage.met(error)
      await runs.mend(runId, found)
      return this.readOnce(runId, query, choose, signalsIn)
    }
  }

  private async readOnce<Chosen>(
    runId: string,
    query: Omit<SeriesQuery, 'signals'>,
    choose: Choose<Chosen>,
    signalsIn: (chosen: Chosen) => readonly string[] | undefined,
  ): Promise<Taken<Chosen>> {
    const { runs, storage } = this.options
    const pause = await this.turns.begin()
    const view = await storage.view()
    try {
      const taken = await runs.inLine(runId, async () => {
        const standing = await runs.openInLine(runId)
        const chosen = await choose(standing)
        await view.stand()
        const moment = standing.series.moment({ ...query, signals: signalsIn(chosen) })
        return {
          chosen,
          moment,
          record: standing.record,
          mends: runs.mends,
          names: [...standing.series.names()],
        }
      })
      const { createdAt, tunerVersion } = taken.record
      const life = `${runId}/${createdAt}/${tunerVersion}/${taken.mends}`
      // Another server may have folded the run anew, and what is kept here of its readings would be of other rows.
      const keepsReadings = storage.replicas === undefined
      const read = await readSeries(taken.moment, view, { pause, cache: this.cache, life, keepsReadings })
      return { chosen: taken.chosen, names: taken.names, read, pause }
    } finally {
      view.close()
    }
  }
}
