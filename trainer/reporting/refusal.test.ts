import { existsSync, mkdirSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { patience, reading, report, until, useReporterBench } from '../testing/reporterBench.ts'
import { expectedSequence } from './replies.ts'

const bench = useReporterBench()
const range = (to: number, from = 0) => Array.from({ length: to - from }, (_, index) => from + index)

describe('sequence numbers', () => {
  it('of a fresh process go on where the server stands', async () => {
    bench.server.sequences.set('c', 41)
    const reporter = bench.newReporter()
    await reporter.start(patience)
    report(reporter, 0, 5)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied.map(({ sequence }) => sequence)).toEqual([42])
  })
  it('follow a server that forgot some: the message at the gap is numbered anew and sent again', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    report(reporter, 0, 5)
    await reporter.flush(patience)
    report(reporter, 5, 10)
    await reporter.flush(patience)
    bench.server.sequences.set('c', 0)
    report(reporter, 10, 15)
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 15, 20)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied.map(({ sequence }) => sequence)).toEqual([1, 2, 1, 2])
    expect(bench.appliedSteps()).toEqual(range(20))
  })
  it('are found in the problem that the server answers', () => {
    expect(expectedSequence({ code: 'sequence-gap', expectedSequence: 7 })).toBe(7)
    expect(expectedSequence({ detail: 'conflict' })).toBeUndefined()
    expect(expectedSequence(null)).toBeUndefined()
  })
  it('that the server never takes end in a refusal, not in a loop', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    bench.server.fail(409, 100, { detail: 'not this one', expectedSequence: 5 })
    report(reporter, 0, 10)
    expect(await reporter.flush(patience)).toBe(false)
    expect(bench.notices).toEqual([
      `the server refused the report (409: not this one): training goes on, reports wait in ${bench.spoolFile}, and are tried again now and then`,
    ])
  })
  it('that were used for other reports are told, and this report is numbered on', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    bench.server.sequences.set('c', 8)
    const detail = 'sequence 1 was used for another content'
    bench.server.fail(409, 1, { code: 'sequence-reused', detail, expectedSequence: 9 })
    report(reporter, 0, 10)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied.map(({ sequence }) => sequence)).toEqual([9])
    expect(bench.notices).toEqual([
      `the server has other reports under this number (${detail}): numbered on from 9`,
    ])
  })
})

describe('a refusal', () => {
  it.each([400, 401, 404, 409, 422])(
    'with status %i is said once; what waits is kept on disk, and sent when it is taken again',
    async (status) => {
      const reporter = bench.newReporter()
      await reporter.start(patience)
      bench.server.fail(status, 2, { detail: 'run r is unknown' })
      report(reporter, 0, 10)
      expect(await reporter.flush(patience)).toBe(false)
      report(reporter, 10, 300)
      expect(await reporter.drain(patience)).toBe(false)
      expect(bench.notices).toEqual([expect.stringContaining(`(${status}: run r is unknown)`)])
      expect([reporter.status, reporter.hasUnsent]).toEqual(['refused', true])
      expect(reporter.whereUnsent).toBe(`the rest waits in ${bench.spoolFile}`)
      expect(await reporter.drain(patience)).toBe(true)
      expect(bench.appliedSteps()).toEqual(range(300))
      expect(bench.notices.at(-1)).toBe('the server answers again: catching up')
    },
  )
  it("of the run itself, as it is another's, ends the wait at once and leaves nothing for that run", async () => {
    bench.server.fail(409, 1, { title: 'exists', detail: 'run r exists already' })
    const reporter = bench.newReporter()
    expect(await reporter.start(patience)).toBeUndefined()
    expect(reporter.status).toBe('refused')
    report(reporter, 0, 200)
    expect(await reporter.drain(patience)).toBe(true)
    reporter.close()
    expect([reporter.hasUnsent, existsSync(bench.spoolFile), bench.server.created]).toEqual([
      false,
      false,
      [],
    ])
    expect(bench.notices).toEqual([
      'the server refused the run (409: run r exists already); training goes on without it',
    ])
  })
  it('of a report that is too large divides it, and all of it arrives in order', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    bench.server.fail(413, 3)
    for (let step = 0; step < 40; step++) reporter.addReading(reading(step), 3)
    reporter.addAcknowledgement({ actionId: 'a', status: 'done', step: 2, detail: '' })
    reporter.addAcknowledgement({ actionId: 'b', status: 'done', step: 40, detail: '' })
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 40, 50)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(50))
    const parts = bench.server.applied.map(({ clientId, sequence, steps }) => [
      clientId,
      sequence,
      steps?.step.length,
    ])
    // The names of the parts follow from that of the whole, which is the last one's.
    expect(parts).toEqual([
      ['c.1', 1, 5],
      ['c.1', 2, 5],
      ['c.1', 3, 10],
      ['c', 1, 20],
      ['c', 2, 10],
    ])
    const told = bench.server.applied.map((batch) => batch.acknowledgements?.map(({ actionId }) => actionId))
    expect(told).toEqual([['a'], undefined, undefined, ['b'], undefined])
    expect(reporter.droppedSteps).toBe(0)
  })
})

describe('an answer that is none of ours', () => {
  it.each([{}, { actions: null }, { plan: { version: 2, segments: [] }, actions: [] }, [], null, 'ok'])(
    'stored nothing, as far as anybody knows: %j',
    async (body) => {
      const reporter = bench.newReporter()
      await reporter.start(patience)
      bench.server.fail(200, 3, body)
      report(reporter, 0, 10)
      expect(await reporter.flush(patience)).toBe(false)
      expect(bench.notices[0]).toContain('its answer is not of this protocol')
      await until(() => reporter.status === 'online')
      expect(await reporter.flush(patience)).toBe(true)
      expect(bench.appliedSteps()).toEqual(range(10))
      expect(reporter.hasUnsent).toBe(false)
    },
  )
  it('does not create the run either', async () => {
    const reporter = bench.newReporter()
    bench.server.fail(200, 1, {})
    expect(await reporter.start(patience)).toBeUndefined()
    await until(() => reporter.status === 'online')
    expect(bench.server.created).toHaveLength(1)
  })
})

test('where the spool cannot be written, what is said of it is true', async () => {
  const reporter = bench.newReporter()
  await reporter.start(patience)
  mkdirSync(bench.spoolFile)
  await bench.server.stop()
  report(reporter, 0, 10)
  expect(await reporter.flush(patience)).toBe(false)
  expect(bench.notices[0]).toMatch(/reports wait in memory, as .*r\.ndjson cannot be written \(EISDIR/)
  reporter.close()
  expect(reporter.whereUnsent).toMatch(/^10 steps could not be kept, as .* cannot be written \(EISDIR/)
})
