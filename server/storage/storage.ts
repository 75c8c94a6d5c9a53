// What the server asks of a database. Every call returns a promise, so that a database over the network fits
// behind it; storage.conformance.ts states the laws that each implementation passes. The log of observations
// is the truth; decisions, snapshots, readings and chunks follow from it and are kept for speed.
//
// Errors: ServerError `disk-full`, `storage-failed` or `storage-damaged`; after one, nothing of the call is stored. Whoever
// changes a run has to know all of it: where the log is longer or shorter than it believes, `run-moved`.

import type {
  DecisionKind,
  RunCounts,
  RunGroup,
  RunSort,
  RunState,
  RunSummary,
} from '../../protocol/vocabulary.ts'
import type { AccessStore } from './access.ts'
import type { DamageWatch } from './damage.ts'
import type { ReplicaStore } from './replicas.ts'
import type { NewDelivery, WebhookStore } from './webhooks.ts'

/** So many notices are kept. */
export const noticesMax = 20

/** One run as stored. Times are milliseconds since 1970, UTC. */
export type RunRecord = {
  readonly id: string
  /** As a person may have changed them since the start. */
  readonly name: string
  readonly project: string
  readonly tags: readonly string[]
  readonly lifecycle: Exclude<RunState, 'stale'>
  readonly createdAt: number
  readonly lastSeenAt: number
  /** From this time on the run is shown as stale; null = never (paused, finished, diverged). */
  readonly staleAt: number | null
  /** Smoothed seconds between two telemetry batches; null before the second. */
  readonly flushSecondsMean: number | null
  readonly stepsPerSecond: number | null
  readonly observationCount: number
  readonly decisionCount: number
  /** Version of the tuner that made what is derived of the run: decisions, readings, summary. */
  readonly tunerVersion: string
  /** The version whose decisions a refold has last replaced; null = none. */
  readonly refoldedFrom: string | null
  /** The summary when the run was last folded; its `state` is the lifecycle. */
  readonly summary: RunSummary
}

export type StoredObservation = {
  readonly number: number
  readonly receivedAt: number
  readonly kind: string
  /** JSON of the observation without number, receivedAt and kind, and of samples without their columns, except 0.1.0's. */
  readonly body: string
  /** The columns of samples (../runs/columnBytes.ts); null for the other kinds, and where the body has them. */
  readonly columns: Uint8Array | null
  /** Smallest and largest step of samples; null for the other kinds. */
  readonly fromStep: number | null
  readonly toStep: number | null
}

export type StoredDecision = {
  readonly number: number
  readonly kind: DecisionKind
  readonly step: number
  readonly body: string
}

/** Signal readings that one batch made, as JSON {signal: [[steps], [values]]}, keyed by its last observation. */
export type StoredReadings = {
  readonly number: number
  readonly fromStep: number
  readonly toStep: number
  readonly body: string
}

/** The tuner's state after observation `number`, and the heads of the series at that point. */
export type Snapshot = {
  readonly number: number
  readonly tunerVersion: string
  readonly state: string
  readonly series: string
}

export type ChunkKey = { readonly signal: string; readonly level: number; readonly chunk: number }
export type StoredChunk = ChunkKey & { readonly body: Uint8Array }

export type ClientRecord = {
  readonly clientId: string
  readonly lastSequence: number
  /** The answer to `lastSequence`, as it was sent. */
  readonly lastAnswer: string
}

/** All that one batch changes: stored whole or not at all. */
export type Batch = {
  readonly run: RunRecord
  readonly observations: readonly StoredObservation[]
  readonly decisions: readonly StoredDecision[]
  readonly readings?: StoredReadings
  /** Whose batch it is; `lastSequence` is its sequence. */
  readonly client?: ClientRecord
  readonly snapshot?: Snapshot
  readonly chunks?: readonly StoredChunk[]
  /** What webhooks are to hear of it, stored as by `WebhookStore.addDeliveries`. */
  readonly deliveries?: readonly NewDelivery[]
}

/** A run that comes as a whole, taken in slice by slice: nothing of it is to be seen before it is finished. */
export type Intake = {
  append(slice: Pick<Batch, 'observations' | 'decisions' | 'readings' | 'chunks'>): Promise<void>
  /** The chunks of these keys that were appended. */
  chunks(keys: readonly ChunkKey[]): Promise<readonly StoredChunk[]>
  /** Makes it a run, at once and whole. False if there is one of that id: then it still has to be discarded. */
  finish(whole: {
    readonly run: RunRecord
    readonly snapshot: Snapshot
    readonly clients: readonly ClientRecord[]
  }): Promise<boolean>
  /** Throws away what came; after a crash that happens by itself. */
  discard(): Promise<void>
}

export type RunQuery = {
  readonly project?: string
  /** The only project that there is for who asks. */
  readonly within?: string
  readonly tag?: string
  readonly state?: RunState
  /** Words that must all be found in what a run is called or set to, any case. */
  readonly text?: string
  /** Default: by creation, newest first. Runs without a value come last either way. */
  readonly sort?: RunSort
  readonly order?: 'asc' | 'desc'
  /** Whether runs that wait for a person come first. */
  readonly waitingFirst?: boolean
  /** A cursor from an earlier answer, of the same order. */
  readonly after?: string
  readonly limit: number
  /** For `state`: what counts as stale. */
  readonly now: number
}

export type RunPage = {
  readonly runs: readonly RunRecord[]
  /** The cursor of the following page; null at the end. */
  readonly next: string | null
  /** Runs that match, and all that there are. */
  readonly total: number
  readonly all: number
}

/** Where values of signals lie in full: columns of samples, and readings. */
export type RowSource = 'samples' | 'readings'

/** Of samples an observation's; readings have no columns. */
export type StoredRow = Pick<StoredObservation, 'body' | 'columns'>

/** What charts are read from. */
export type SeriesReads = {
  /** One signal's chunks of one level, in order. */
  chunkRange(
    runId: string,
    range: {
      readonly signal: string
      readonly level: number
      readonly fromChunk: number
      readonly toChunk: number
    },
  ): Promise<readonly StoredChunk[]>
  /** Numbers of the rows that overlap fromStep … toStep, in log order, after a number. */
  rowNumbers(
    runId: string,
    query: {
      readonly source: RowSource
      readonly fromStep: number
      readonly toStep: number
      readonly after: number
      readonly limit: number
    },
  ): Promise<readonly number[]>
  /** One of these rows, as stored. */
  row(runId: string, source: RowSource, number: number): Promise<StoredRow | undefined>
}

/** What a run is brought into memory from. */
export type RunReads = {
  run(runId: string): Promise<RunRecord | undefined>
  snapshot(runId: string): Promise<Snapshot | undefined>
  /** The last sequence of the clients that sent last, the newest last; of the others `lastSequence` knows. */
  clientSequences(runId: string): Promise<ReadonlyMap<string, number>>
  /** In order, after a number, at most `limit`. */
  observations(
    runId: string,
    query: { readonly after: number; readonly limit: number },
  ): Promise<readonly StoredObservation[]>
  /** The chunks of these keys that exist, in any order. */
  chunks(runId: string, keys: readonly ChunkKey[]): Promise<readonly StoredChunk[]>
}

/** `key` is that of its rows: several of one id may have been removed. */
export type RemovedRun = { readonly key: number; readonly removedAt: number; readonly record: RunRecord }

/** Something about the data that their owner should know. */
export type Notice = {
  readonly at: number
  readonly kind: 'went-back' | 'damage' | 'removed' | 'webhook'
  readonly detail: string
}

/** The storage as it was at one moment; to be closed soon, as what is written meanwhile takes room until then. */
export type View = SeriesReads &
  RunReads & {
    /** Called once, before anything is read: now is that moment. */
    stand(): Promise<void>
    close(): void
  }

export type Storage = SeriesReads &
  RunReads & {
    /** Where several servers may use it at once: how they find each other. */
    readonly replicas?: ReplicaStore
    /** Engine, version and place, for people. */
    readonly description: string
    /** Who may come in. */
    readonly access: AccessStore
    readonly webhooks: WebhookStore
    /** False, and nothing stored, if a run of this id exists. */
    createRun(batch: Batch): Promise<boolean>
    /** @throws ServerError `run-moved`. */
    append(batch: Batch): Promise<void>
    takeIn(): Promise<Intake>
    /** For what is no observation: name, project, tags. @throws ServerError `run-moved`. */
    updateRun(run: RunRecord): Promise<void>
    /** For good. False if there was none. */
    deleteRun(runId: string): Promise<boolean>
    /** So that it can be restored, unless the disk is nearly full: then for good. False if there was none. */
    removeRun(runId: string, at: number): Promise<boolean>
    /** Of the removed runs of that id the one that was removed last, or at that time; undefined = there is none. There must be
     *  no other of that id. */
    restoreRun(
      runId: string,
      which?: { readonly within?: string | undefined; readonly removedAt?: number | undefined },
    ): Promise<RunRecord | undefined>
    /** Those that can be restored, in all or within a project, the newest removal first. */
    removedRuns(within?: string): Promise<readonly RemovedRun[]>
    /** The log of one of them, as `observations` reads that of a run. */
    removedObservations(removed: RemovedRun): RunReads['observations']
    /** Deletes for good what was removed before a time, at most 100; how many. */
    purgeRemoved(before: number): Promise<number>
    /** What the runs take, those among them that can be restored. */
    usedBytes(): Promise<number>
    /** Resolves when what was deleted for good is gone from the disk. */
    settled(): Promise<void>
    /** Equal values go by age. @throws ServerError `invalid-request` of a cursor that is none. */
    listRuns(query: RunQuery): Promise<RunPage>
    /** How many there are, in all or within a project, of each state, project and tag; of the last two the 100 largest. */
    countRuns(now: number, within?: string): Promise<RunCounts>
    /** The runs that match, in groups, the largest first, at most 200. */
    groupRuns(query: Omit<RunQuery, 'after' | 'limit'>, by: 'project' | 'tag'): Promise<readonly RunGroup[]>
    client(runId: string, clientId: string): Promise<ClientRecord | undefined>
    /** 0 = it has sent nothing. */
    lastSequence(runId: string, clientId: string): Promise<number>
    /** What a client sent as a sequence, as it lies in the log; undefined = never sent, or not known:
     *  to 0.1.0, which did not keep it, or before an import. */
    sent(runId: string, clientId: string, sequence: number): Promise<readonly StoredObservation[] | undefined>
    /** Takes the place of everything derived from the log (after a refold by another version of the tuner).
     *  @throws ServerError `run-moved`. */
    replaceDerived(
      batch: Omit<Batch, 'observations' | 'client' | 'deliveries'> & {
        readonly allReadings: readonly StoredReadings[]
      },
    ): Promise<void>
    decisions(
      runId: string,
      query: {
        readonly after: number
        readonly limit: number
        readonly kinds?: readonly DecisionKind[]
      },
    ): Promise<readonly StoredDecision[]>
    decision(runId: string, number: number): Promise<StoredDecision | undefined>
    /** Waits for another one to be closed where there are many. */
    view(): Promise<View>
    /** Whether the pages of the database hang together; reads all of it. @throws ServerError `storage-damaged`. */
    checkPages(): Promise<void>
    /** Whether the newest observations of a run are what was stored. @throws ServerError `storage-damaged`. */
    checkTail(runId: string): Promise<void>
    /** What of a run's chunks and its snapshot is not what was stored, each named once; reads all of them. */
    damagedPieces(runId: string): Promise<readonly string[]>
    /** What was met of damage since the start. */
    readonly damage: DamageWatch
    /** Resolves if a write reaches the database, and nothing is wrong with the database itself as far as is known. */
    checkWritable(): Promise<void>
    /** Tells once what of the acknowledged is not there any more: sentences, which become notices of that time. */
    settleLosses(at: number): Promise<readonly string[]>
    addNotice(notice: Notice): Promise<void>
    /** The newest first, at most `noticesMax`. */
    notices(): Promise<readonly Notice[]>
    close(): Promise<void>
  }
