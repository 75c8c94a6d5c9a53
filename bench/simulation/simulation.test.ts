// The simulation itself: a seed is a history; it is clean with our server, and tells of a storage that does not keep its word.

import { describe, expect, it } from 'vitest'
import type { Batch, Storage } from '../../server/storage/storage.ts'
import { runHistory } from './history.ts'

const seeds = [1, 2, 3, 4, 5, 6]

describe('a simulated history', () => {
  it('is clean', async () => {
    for (const seed of seeds) expect([seed, (await runHistory(seed)).broken]).toEqual([seed, []])
  })
  it('is the same whenever its seed is', async () => {
    expect(await runHistory(11)).toEqual(await runHistory(11))
  })
})

/** Of the batches of telemetry, about one in ten. */
function now(): () => boolean {
  let count = 0
  return () => ++count % 10 === 7
}

const sabotages: readonly [string, (storage: Storage) => Storage, RegExp][] = [
  [
    'says that it has stored what it has not',
    (storage) => {
      const isNow = now()
      return { ...storage, append: async (batch) => (isNow() ? undefined : storage.append(batch)) }
    },
    /has lost step|cannot be read|says at its start/,
  ],
  [
    'forgets who sent a batch',
    (storage) => ({
      ...storage,
      append: ({ client: _, ...batch }: Batch) => storage.append(batch),
    }),
    /twice|after/,
  ],
  [
    'alters a decision',
    (storage) => ({
      ...storage,
      append: (batch) =>
        storage.append({
          ...batch,
          decisions: batch.decisions.map((one) => ({
            ...one,
            body: one.body.replace('"summary":"', '"summary":"Not '),
          })),
        }),
    }),
    /another decision|was told as/,
  ],
]

describe('a storage that', () => {
  it.each(sabotages)('%s is found out', async (_name, sabotage, words) => {
    const broken: string[] = []
    for (const seed of seeds) broken.push(...(await runHistory(seed, sabotage)).broken)
    expect(broken.some((sentence) => words.test(sentence))).toBe(true)
  })
})
