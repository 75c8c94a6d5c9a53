// What was noticed about the data, kept for their owner, and what was lost of the acknowledged, told once.

import { type Notice, noticesMax, type Storage } from '../storage.ts'
import { type Acknowledged, lossSentence } from './acknowledged.ts'
import type { Tools } from './tools.ts'

export type NoticeTools = Pick<Tools, 'prepare' | 'transaction' | 'attempt'> & {
  /** None where the database is only read. */
  readonly acknowledged: Acknowledged | undefined
}

const trim = `DELETE FROM notices WHERE rowid NOT IN (SELECT rowid FROM notices ORDER BY rowid DESC LIMIT ${noticesMax})`

export function createNotices({
  prepare,
  transaction,
  attempt,
  acknowledged,
}: NoticeTools): Pick<Storage, 'settleLosses' | 'addNotice' | 'notices'> {
  const add = ({ at, kind, detail }: Notice) => {
    prepare('INSERT INTO notices (at, kind, detail) VALUES (?, ?, ?)').run(at, kind, detail)
    prepare(trim).run()
  }
  return {
    settleLosses: (at) =>
      attempt(() => {
        const sentences = acknowledged?.losses.map(lossSentence) ?? []
        if (sentences.length === 0) return sentences
        transaction(() => {
          for (const detail of sentences.slice(0, noticesMax)) add({ at, kind: 'went-back', detail })
        })
        acknowledged?.clear()
        return sentences
      }),
    addNotice: (notice) => attempt(() => transaction(() => add(notice))),
    notices: () =>
      attempt(() => prepare('SELECT at, kind, detail FROM notices ORDER BY rowid DESC').all() as Notice[]),
  }
}
