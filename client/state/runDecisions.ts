// The decisions that a run has when its page is opened. A long run has thousands, most of them holds: those that changed
// something, the newest and the chosen one come first, all others after them, page by page from the newest on, while the
// page is looked at already.

import { type Decision, type DecisionKind, decisionKinds } from '../../protocol/vocabulary.ts'
import { fetchDecisions } from '../connection/api.ts'
import { mergeDecisions } from './runState.ts'

const newestMax = 20
const pageMax = 200
const changeKinds: readonly DecisionKind[] = decisionKinds.filter((kind) => kind !== 'hold')

/** Those that changed something, and the chosen one, in order; asked for before anything of the run is known. */
export async function loadChanges(runId: string, chosen: number | null): Promise<readonly Decision[]> {
  const asked = [fetchDecisions(runId, { after: 0, limit: pageMax, kinds: changeKinds })]
  if (chosen !== null && chosen > 0) asked.push(fetchDecisions(runId, { after: chosen - 1, limit: 1 }))
  const answers = await Promise.all(asked)
  return answers.reduce<readonly Decision[]>(
    (all, answer) => (answer.ok ? mergeDecisions(all, answer.value.decisions) : all),
    [],
  )
}

export type NewestDecisions = {
  readonly decisions: readonly Decision[]
  /** Those up to this number have not been asked for. */
  readonly awaitedUpTo: number
}

export async function loadNewest(runId: string, count: number): Promise<NewestDecisions> {
  const after = Math.max(0, count - newestMax)
  const answer = await fetchDecisions(runId, { after, limit: pageMax })
  // What did not come is asked for over the socket, as after a lost connection.
  return answer.ok
    ? { decisions: answer.value.decisions, awaitedUpTo: after }
    : { decisions: [], awaitedUpTo: 0 }
}

/** Those up to a number, from there on down; `take` says whether anybody waits for more. */
export async function loadOlder(
  runId: string,
  upTo: number,
  take: (decisions: readonly Decision[]) => boolean,
): Promise<void> {
  for (let to = upTo; to > 0; ) {
    const after = Math.max(0, to - pageMax)
    const answer = await fetchDecisions(runId, { after, limit: to - after })
    if (!answer.ok || !take(answer.value.decisions)) return
    to = after
  }
}
