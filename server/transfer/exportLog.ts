// A run's log as the lines of a file, page by page, so that a log of any length fits in memory. It ends where the run
// stood when the export began; a run that is deleted meanwhile and a log that is damaged break it off, and the missing last
// line tells.

import { type LogEnd, type LogHeader, logFileVersion } from '../../protocol/schemas.ts'
import { isoTime } from '../clock.ts'
import { storedDecisions, storedObservations } from '../runs/fold.ts'
import { bodyText } from '../runs/observationCodec.ts'
import { runNotFound } from '../runs/runErrors.ts'
import type { RunRecord, Storage, StoredObservation } from '../storage/storage.ts'
import { decisionHash } from './decisionHash.ts'

const charactersAtOnce = 64 * 1_024

const line = (value: unknown) => `${JSON.stringify(value)}\n`

function headerOf(record: RunRecord, sequences: ReadonlyMap<string, number>): LogHeader {
  const { id, name, project, tags, createdAt, lastSeenAt, flushSecondsMean, stepsPerSecond } = record
  return {
    format: 'twostep-log',
    version: logFileVersion,
    run: {
      ...{ id, name, project, tags },
      createdAt: isoTime(createdAt),
      lastSeenAt: isoTime(lastSeenAt),
      flushSecondsMean,
      stepsPerSecond,
    },
    tunerVersion: record.tunerVersion,
    observationCount: record.observationCount,
    decisionCount: record.decisionCount,
    clients: [...sequences].map(([clientId, lastSequence]) => ({ clientId, lastSequence })),
  }
}

const observationLine = (stored: StoredObservation) =>
  `{"number":${stored.number},"receivedAt":"${isoTime(stored.receivedAt)}","kind":"${stored.kind}","body":${bodyText(stored)}}\n`

/** Lines together, so that short ones are not written one by one: what is damaged near the beginning is met before any. */
async function* observationLines(storage: Storage, { id, observationCount }: RunRecord, header: string) {
  let lines = header
  for await (const stored of storedObservations(storage, id, observationCount)) {
    lines += observationLine(stored)
    if (lines.length < charactersAtOnce) continue
    yield lines
    lines = ''
  }
  yield lines
}

async function decisionHashes(storage: Storage, { id, decisionCount }: RunRecord): Promise<string[]> {
  const hashes: string[] = []
  for await (const body of storedDecisions(storage, id, decisionCount)) hashes.push(decisionHash(body))
  if (hashes.length < decisionCount) throw runNotFound(id)
  return hashes
}

/**
 * The lines of the file.
 * @param record as of now, folded by this version of the tuner
 * @throws ServerError `run-not-found` where the run is deleted meanwhile, `storage-damaged` where its log is.
 */
export async function* exportedLog(storage: Storage, record: RunRecord): AsyncGenerator<string, void, void> {
  // The end is where a log is cut: better told now than after all that stands before it.
  await storage.checkTail(record.id)
  const header = line(headerOf(record, await storage.clientSequences(record.id)))
  yield* observationLines(storage, record, header)
  const hashes = await decisionHashes(storage, record)
  // Another run may have taken the place of a deleted one.
  if ((await storage.run(record.id))?.createdAt !== record.createdAt) throw runNotFound(record.id)
  const end: LogEnd = {
    end: true,
    observations: record.observationCount,
    decisions: hashes.length,
    decisionHashes: hashes,
  }
  yield line(end)
}
