// Tokens of several servers on one database.

import { expect, test, vi } from 'vitest'
import { silentLog } from '../log.ts'
import type { StoredToken } from '../storage/access.ts'
import { createFakeClock } from '../testing/fakeClock.ts'
import { attemptsMax } from './attempts.ts'
import { learnMilliseconds, Tokens } from './tokens.ts'

const clock = createFakeClock()
let serial = 0

/** Two servers, and how often the database was read for the second. */
function servers({ isShared = true, isRequired = true } = {}) {
  const stored = new Map<string, StoredToken>()
  const read = vi.fn(async () => [...stored.values()])
  const store = {
    tokens: read,
    putToken: async (token: StoredToken) => void stored.set(token.id, token),
    noteTokenUse: async () => {},
  }
  const make = () =>
    new Tokens({
      store: store as never,
      ...{ clock, log: silentLog, isRequired, isShared },
      newId: () => `t${++serial}`,
      newSecret: () => String(++serial).padStart(43, 'x'),
    })
  return { first: make(), second: make(), read, stored }
}
const wish = { name: 'job', scopes: ['write' as const], project: null, expiresAt: null }
const guess = () => `tw_${String(++serial).padStart(43, 'z')}`

test('a token that another server has made just now is let in; one that is known or is none asks for nothing', async () => {
  const { first, second, read } = servers()
  const { secret } = await first.create(wish)
  expect(() => second.admit(secret, 'a')).toThrow('knows no such token')
  await second.learn(secret, 'a')
  expect(second.admit(secret, 'a')).toMatchObject({ name: 'job' })
  expect(read).toHaveBeenCalledTimes(1)
  for (const known of [secret, undefined, 'no token at all']) expect(second.learn(known, 'a')).toBeUndefined()
})

test('guesses share one read a time, which begins after them, and those of who guesses on cause none', async () => {
  const { first, second, read } = servers()
  await second.learn(guess(), 'a')
  const waiting = Promise.all([second.learn(guess(), 'a'), second.learn(guess(), 'b')])
  const { secret } = await first.create(wish)
  const made = second.learn(secret, 'c')
  expect(read).toHaveBeenCalledTimes(1)
  clock.advance(learnMilliseconds)
  await Promise.all([waiting, made])
  expect(read).toHaveBeenCalledTimes(2)
  expect(second.admit(secret, 'c')).toMatchObject({ name: 'job' })
  for (let i = 0; i < attemptsMax; i++) expect(() => second.admit(guess(), 'a')).toThrow()
  expect(second.learn(guess(), 'a')).toBeUndefined()
})

test('what is read anew takes nothing back of what was done here meanwhile', async () => {
  const { first, second, read, stored } = servers()
  const { token } = await first.create(wish)
  await second.load()
  const before = [...stored.values()]
  read.mockImplementationOnce(async () => before)
  await second.revoke(token.id)
  const { secret } = await second.create({ ...wish, name: 'other' })
  await second.learn(guess(), 'a')
  expect(
    second
      .list()
      .map(({ state }) => state)
      .sort(),
  ).toEqual(['active', 'revoked'])
  expect(second.admit(secret, 'a')).toMatchObject({ name: 'other' })
})

test('where the database does not answer nobody is told that a token is wrong, and a single server asks nothing', async () => {
  const { second, read } = servers()
  read.mockRejectedValueOnce(new Error('away'))
  await expect(second.learn(guess(), 'a')).rejects.toThrow('away')
  expect(servers({ isShared: false }).second.learn(guess(), 'a')).toBeUndefined()
  expect(servers({ isRequired: false }).second.learn(guess(), 'a')).toBeUndefined()
})
