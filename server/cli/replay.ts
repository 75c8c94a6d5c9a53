// `twostep replay RUN`: reads the stored log, folds it anew, and compares what is decided byte for byte with the stored
// decisions. It only reads, so it may run beside a server. The stored decisions are of one version of the tuner and the
// replay is of this program's, so both are always named.

import { formatPlural } from '../../protocol/numbers.ts'
import type { Config } from '../config.ts'
import { CommandError, ServerError } from '../errors.ts'
import { foldLog, storedDecision, storedDecisions } from '../runs/fold.ts'
import { realTuner } from '../runs/realTuner.ts'
import type { Tuner } from '../runs/tuner.ts'
import { logCut } from '../storage/damage.ts'
import { openStorage } from '../storage/open.ts'
import type { Storage } from '../storage/storage.ts'

export type Difference = {
  readonly number: number
  /** Undefined where that side has no such decision. */
  readonly stored: string | undefined
  readonly replayed: string | undefined
}
export type Replay = {
  readonly runId: string
  readonly observations: number
  readonly decisions: number
  readonly identical: boolean
  readonly difference: Difference | null
  readonly tunerVersion: {
    /** Of the decisions that are stored. */
    readonly stored: string
    /** Of the decisions that were made now. */
    readonly replayed: string
    /** Of the decisions that a refold has replaced; null = there was none. */
    readonly refoldedFrom: string | null
  }
  /** The stored decisions are of another version: a server replaces them when the run is next opened. */
  readonly needsRefold: boolean
}

/** @throws CommandError if there is no such run; ServerError `storage-damaged` where its log is not whole. */
export async function replayRun(storage: Storage, tuner: Tuner, runId: string): Promise<Replay> {
  const record = await storage.run(runId)
  if (record === undefined) throw new CommandError(`there is no run "${runId}" in ${storage.description}`)
  const { tunerVersion: version, refoldedFrom } = record
  const versions = {
    tunerVersion: { stored: version, replayed: tuner.version, refoldedFrom },
    needsRefold: version !== tuner.version,
  }
  const stored = storedDecisions(storage, runId, record.decisionCount)
  let decisions = 0
  let observations = 0
  const differ = (storedBody: string | undefined, replayed: string | undefined): Replay => ({
    runId,
    observations,
    decisions,
    identical: false,
    difference: { number: decisions, stored: storedBody, replayed },
    ...versions,
  })
  const start = { state: tuner.initialState(), after: 0 }
  for await (const page of foldLog(storage, tuner, runId, start)) {
    observations = Math.min(page.lastNumber, record.observationCount)
    for (const decision of page.decisions) {
      // A server may be adding to the run: what it stored after this read began is not judged.
      if (decision.cause > record.observationCount) continue
      decisions++
      const { body } = storedDecision(decision)
      const expected = await stored.next()
      if (expected.done === true) return differ(undefined, body)
      if (expected.value !== body) return differ(expected.value, body)
    }
    if (observations >= record.observationCount) break
  }
  if (observations < record.observationCount) {
    if ((await storage.run(runId)) === undefined)
      throw new CommandError(`run "${runId}" was deleted while it was read`)
    throw logCut(runId, observations, record.observationCount)
  }
  if (decisions < record.decisionCount) {
    const left = await stored.next()
    decisions++
    return differ(left.done === true ? undefined : left.value, undefined)
  }
  return { runId, observations, decisions, identical: true, difference: null, ...versions }
}

/** The first place where two texts differ, with what stands around it. */
export function firstDifference(
  a: string,
  b: string,
): { readonly at: number; readonly a: string; readonly b: string } {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  const from = Math.max(0, at - 40)
  return { at, a: a.slice(from, at + 40), b: b.slice(from, at + 40) }
}

function differenceSentence({ number, stored, replayed }: Difference): string {
  if (stored === undefined) return `decision ${number} is made by the replay, and not stored`
  if (replayed === undefined) return `decision ${number} is stored, and not made by the replay`
  const { at, a, b } = firstDifference(stored, replayed)
  return `decision ${number} differs at character ${at}\n  stored:   …${a}…\n  replayed: …${b}…`
}

/** Which versions were compared, and whether the stored decisions are to be replaced. */
function versionSentence({ tunerVersion, needsRefold }: Replay): string {
  const { stored, replayed, refoldedFrom } = tunerVersion
  if (needsRefold)
    return `stored by tuner ${stored === '' ? 'of an unknown version' : stored}, replayed by tuner ${replayed}: the run needs a refold, which a server does when the run is next opened`
  const refolded = refoldedFrom === null ? '' : `, after a refold from tuner ${refoldedFrom}`
  return `stored by tuner ${stored}${refolded}, replayed by tuner ${replayed}`
}

/** What a person reads: the verdict, then the versions. */
export function replaySentence(replay: Replay): string {
  const { difference, decisions, observations } = replay
  const verdict =
    difference === null
      ? `${formatPlural(decisions, 'decision')}, identical (from ${formatPlural(observations, 'observation')})`
      : differenceSentence(difference)
  return `${verdict}\n${versionSentence(replay)}`
}

/** `twostep replay`. Resolves to the exit status. */
export async function replay(
  config: Config,
  runId: string,
  { json }: { readonly json: boolean },
): Promise<number> {
  const storage = await openStorage(config, { readOnly: true })
  try {
    const result = await replayRun(storage, realTuner, runId)
    process.stdout.write(`${json ? JSON.stringify(result) : replaySentence(result)}\n`)
    return result.identical ? 0 : 1
  } catch (error) {
    // What is damaged is told in a sentence, not as a fault of the program.
    throw error instanceof ServerError ? new CommandError(error.message) : error
  } finally {
    await storage.close()
  }
}
