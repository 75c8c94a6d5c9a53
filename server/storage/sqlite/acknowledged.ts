// What was acknowledged last, beside the database: a line a commit in `<file>-acknowledged`, written after it. SQLite takes
// a write-ahead log that was cut, emptied or removed for one that ends there, and opens an older state without a word;
// against these lines that is noticed. A line may be missing (it is not flushed), none is ever ahead of the database, so a
// loss of power raises no false alarm. The file covers what is only in the write-ahead log: once that is folded into the
// database the lines are thrown away.

import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Batch } from '../storage.ts'
import { privateFile } from './place.ts'

/** Beyond this the write-ahead log is folded and the lines begin anew. */
export const acknowledgedBytesMax = 1024 * 1024

/** A run that has less than what was acknowledged. `to` null = the run is gone. */
export type WentBack = {
  readonly runId: string
  readonly observations: { readonly from: number; readonly to: number | null }
  readonly clients: readonly { readonly clientId: string; readonly from: number; readonly to: number }[]
}

/** What the database has of a run; undefined = it has no such run. */
export type Stored = {
  observations(runId: string): number | undefined
  lastSequence(runId: string, clientId: string): number
}

/** Observations null = the run is deleted. */
type Line = readonly [runId: string, observations: number | null, clientId?: string, sequence?: number]

function linesOf(file: string): Line[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  // The last part is empty, or a line that was not written to its end.
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line]
      } catch {
        return []
      }
    })
}

/** What the lines tell that is not in the database. */
export function wentBack(lines: readonly Line[], stored: Stored): WentBack[] {
  const runs = new Map<string, { observations: number; clients: Map<string, number> }>()
  for (const [runId, observations, clientId, sequence] of lines) {
    if (observations === null) {
      runs.delete(runId)
      continue
    }
    const run = runs.get(runId) ?? { observations, clients: new Map<string, number>() }
    if (clientId !== undefined && sequence !== undefined) run.clients.set(clientId, sequence)
    runs.set(runId, { ...run, observations })
  }
  return [...runs].flatMap(([runId, { observations, clients }]) => {
    const found = stored.observations(runId)
    if (found !== undefined && found >= observations) return []
    const back = [...clients]
      .map(([clientId, from]) => ({ clientId, from, to: stored.lastSequence(runId, clientId) }))
      .filter(({ from, to }) => to < from)
    return [{ runId, observations: { from: observations, to: found ?? null }, clients: back }]
  })
}

export type Acknowledged = {
  /** What the lines of before told that is not in the database. */
  readonly losses: readonly WentBack[]
  stored(batch: Pick<Batch, 'run' | 'client'>): void
  removed(runId: string): void
  /** Whether the lines are so many that the write-ahead log should be folded. */
  readonly isLong: boolean
  /** After a try to fold it; what was not folded keeps its lines. */
  begin(isFolded: boolean): void
  /** All is in the database itself, or what is missing was told. */
  clear(): void
  close(): void
}

export function openAcknowledged(file: string, stored: Stored): Acknowledged {
  const losses = wentBack(linesOf(file), stored)
  const handle = openSync(file, 'a', privateFile)
  let bytes = fstatSync(handle).size
  const write = (line: Line) => {
    try {
      bytes += writeSync(handle, `${JSON.stringify(line)}\n`)
    } catch {
      // A full disk: the batch is stored all the same, and a cut of just this one would go unnoticed.
    }
  }
  const clear = () => {
    ftruncateSync(handle)
    bytes = 0
  }
  return {
    losses,
    stored: ({ run, client }) => {
      const { id, observationCount } = run
      write(
        client === undefined
          ? [id, observationCount]
          : [id, observationCount, client.clientId, client.lastSequence],
      )
    },
    removed: (runId) => write([runId, null]),
    get isLong() {
      return bytes > acknowledgedBytesMax
    },
    begin: (isFolded) => {
      if (isFolded) clear()
      bytes = 0
    },
    clear,
    close: () => closeSync(handle),
  }
}

/** For people. */
export function lossSentence({ runId, observations, clients }: WentBack): string {
  const to =
    observations.to === null
      ? 'is gone'
      : `went back from observation ${observations.from} to ${observations.to}`
  const parts = clients.map(
    ({ clientId, from, to: last }) => `client "${clientId}" from sequence ${from} to ${last}`,
  )
  return [`run "${runId}" ${to}`, ...parts].join(', ')
}
