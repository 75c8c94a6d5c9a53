import { expect, test } from 'vitest'
import { storedObservation } from '../testing/storedObservation.ts'
import { logPages } from './logPages.ts'
import type { StoredObservation } from './storage.ts'

const logOf = (lengths: readonly number[], of: 'body' | 'columns') => {
  const all = lengths.map((length, i) =>
    storedObservation(
      i + 1,
      of === 'body' ? { body: 'x'.repeat(length) } : { columns: new Uint8Array(length) },
    ),
  )
  const observations = async (_run: string, { after, limit }: { after: number; limit: number }) =>
    all.slice(after, after + limit)
  return { all, observations }
}

async function pages(log: ReturnType<typeof logOf>, range: { after: number; upTo?: number }) {
  const read: StoredObservation[][] = []
  for await (const page of logPages(log, 'r', range)) read.push([...page])
  return read
}

test.each(['body', 'columns'] as const)(
  'pages are short where the %s of observations is long',
  async (of) => {
    const short = logOf(Array<number>(40).fill(100), of)
    const long = logOf(Array<number>(10).fill(3_000_000), of)
    const middle = logOf(Array<number>(9).fill(190_000), of)
    expect((await pages(short, { after: 0 })).map(({ length }) => length)).toEqual([1, 16, 16, 7])
    expect((await pages(long, { after: 0 })).map(({ length }) => length)).toEqual(Array(10).fill(1))
    expect((await pages(middle, { after: 0 })).map(({ length }) => length)).toEqual([1, 5, 3])
    expect((await pages(short, { after: 0 })).flat()).toEqual(short.all)
  },
)

test('a part of the log begins after a number, and ends with another or with the log', async () => {
  const log = logOf(Array<number>(12).fill(10), 'columns')
  const numbers = async (range: { after: number; upTo?: number }) =>
    (await pages(log, range)).flat().map(({ number }) => number)
  expect(await numbers({ after: 2, upTo: 5 })).toEqual([3, 4, 5])
  expect(await numbers({ after: 10 })).toEqual([11, 12])
  expect(await numbers({ after: 12 })).toEqual([])
  expect(await numbers({ after: 5, upTo: 5 })).toEqual([])
})
