import { describe, expect, it } from 'vitest'
import { patience, report, useReporterBench } from '../testing/reporterBench.ts'
import { expectedSequence } from './reporter.ts'

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
      'the server refused the report (409: not this one); training goes on without it',
    ])
  })
})

describe('a refusal', () => {
  it.each([400, 404, 409, 422])(
    'with status %i is said once, and training goes on without reports',
    async (status) => {
      const reporter = bench.newReporter()
      await reporter.start(patience)
      bench.server.fail(status, 1, { detail: 'run r is unknown' })
      report(reporter, 0, 10)
      expect(await reporter.flush(patience)).toBe(false)
      report(reporter, 10, 500)
      expect(await reporter.flush(patience)).toBe(false)
      expect(bench.notices).toEqual([
        `the server refused the report (${status}: run r is unknown); training goes on without it`,
      ])
      expect([reporter.status, reporter.hasUnsent]).toEqual(['refused', false])
      expect(bench.server.applied).toHaveLength(0)
    },
  )
  it('of the run itself ends the wait at once', async () => {
    bench.server.fail(409, 1, { title: 'exists', detail: 'run r exists already' })
    const reporter = bench.newReporter()
    expect(await reporter.start(patience)).toBeUndefined()
    expect(reporter.status).toBe('refused')
  })
})
