// Conditional reads: an answer that the caller has already is not made again. Its tag comes from what the answer follows
// from (counts and times of the run, the address), so it costs no look at the answer. Tags hold for one life of the
// server: another one may answer otherwise.

import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import { stateOf } from '../runs/runRecord.ts'
import type { RunRecord } from '../storage/storage.ts'

/** Whether the caller has the answer already; then it has been told so, and nothing is left to do. */
export type Unchanged = (request: Request, response: Response, from: readonly unknown[]) => boolean

/**
 * Whether a caller's `If-None-Match` names the tag. Not express's `fresh`, which takes `Cache-Control: no-cache` of a request
 * for a refusal: fetch adds that to every request with a tag of the caller's own.
 */
const names = (header: string, tag: string): boolean =>
  header.split(',').some((entry) => ['*', tag].includes(entry.trim().replace(/^W\//, '')))

/** @param life of this server, that no other one has */
export function createUnchanged(life: string): Unchanged {
  return (request, response, from) => {
    const text = JSON.stringify([life, request.originalUrl, ...from])
    const tag = `"${createHash('sha1').update(text).digest('base64url')}"`
    // Weak: the answer may be compressed. It may be kept by who asked and nobody on the way, and is asked for again.
    response.set({ ETag: `W/${tag}`, 'Cache-Control': 'private, no-cache' })
    response.vary('Accept-Encoding')
    if (!names(request.headers['if-none-match'] ?? '', tag)) return false
    response.status(304).end()
    return true
  }
}

/** What the decisions follow from. */
export const decisionParts = ({ id, createdAt, decisionCount, tunerVersion }: RunRecord): unknown[] => [
  id,
  createdAt,
  decisionCount,
  tunerVersion,
]

/** What everything that is read off the log follows from. */
export const logParts = (record: RunRecord): unknown[] => [...decisionParts(record), record.observationCount]

/** What the run as it is shown follows from: also what is no observation, and that it may be stale by now. */
export const runParts = (record: RunRecord, now: number): unknown[] => [
  ...logParts(record),
  ...[record.name, record.project, record.tags, record.lastSeenAt, record.stepsPerSecond],
  stateOf(record, now),
]
