import { expect, test } from 'vitest'
import { KeptAnswers, keptBytesMax } from './keptAnswers.ts'
import { ReadGate } from './readGate.ts'

function held() {
  let release = () => {}
  const until = new Promise<void>((resolve) => {
    release = resolve
  })
  return { until, release }
}

test('so many reads are at work, so many wait, and the next one is told to come back', async () => {
  const gate = new ReadGate('reads', 2, 3)
  const hold = held()
  let atWork = 0
  let most = 0
  const read = async () => {
    most = Math.max(most, ++atWork)
    await hold.until
    atWork--
  }
  const taken = Array.from({ length: 5 }, () => gate.run(read))
  await expect(gate.run(read)).rejects.toMatchObject({
    code: 'server-busy',
    extras: { retryAfterSeconds: 1 },
  })
  expect(atWork).toBe(2)
  hold.release()
  await Promise.all(taken)
  expect(most).toBe(2)
  await gate.run(read)
})

test('a read that fails gives its place on', async () => {
  const gate = new ReadGate('reads', 1, 1)
  const broken = gate.run(() => Promise.reject(new Error('broken')))
  const next = gate.run(() => Promise.resolve('read'))
  await expect(broken).rejects.toThrow('broken')
  expect(await next).toBe('read')
  expect(await gate.run(() => Promise.resolve('again'))).toBe('again')
})

test('who asks the same waits for one answer, which is kept until there is no room', async () => {
  const kept = new KeptAnswers()
  let made = 0
  const make = (bytes: number) => async () => {
    made++
    return Buffer.alloc(bytes)
  }
  await Promise.all([kept.get('a', make(10)), kept.get('a', make(10)), kept.get('a', make(10))])
  await kept.get('a', make(10))
  expect(made).toBe(1)
  await kept.get('b', make(keptBytesMax))
  await kept.get('a', make(10))
  expect(made).toBe(3)
})

test('an answer that failed is made again', async () => {
  const kept = new KeptAnswers()
  await expect(kept.get('a', () => Promise.reject(new Error('busy')))).rejects.toThrow('busy')
  expect((await kept.get('a', () => Promise.resolve(Buffer.from('x')))).toString()).toBe('x')
})
