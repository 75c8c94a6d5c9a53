// What is answered to who asks for a list of runs: the page, and what else was asked for of all that match.

import type { RunListQuery } from '../../protocol/schemas.ts'
import type { RunList } from '../../protocol/vocabulary.ts'
import type { Storage } from '../storage/storage.ts'
import { summaryAt } from './runRecord.ts'

/** The runs, of all or of one project, as they look at a time. @throws ServerError `invalid-request` of a cursor that is none. */
export async function listRuns(
  storage: Storage,
  { q, first, counts, group, ...query }: RunListQuery,
  now: number,
  within?: string,
): Promise<RunList> {
  const bound = within === undefined ? {} : { within }
  const asked = {
    ...query,
    ...bound,
    now,
    waitingFirst: first === 'waiting',
    ...(q === undefined ? {} : { text: q }),
  }
  const { runs, ...page } = await storage.listRuns(asked)
  return {
    runs: runs.map((record) => summaryAt(record, now)),
    ...page,
    ...(counts === undefined ? {} : { counts: await storage.countRuns(now, within) }),
    ...(group === undefined ? {} : { groups: await storage.groupRuns(asked, group) }),
  }
}
