import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { benchPlan, patience, reading, report, until, useReporterBench } from '../testing/reporterBench.ts'
import { batchStepsMax, memoryMessagesMax } from './reporter.ts'
import { createHttpTransport } from './transport.ts'

const bench = useReporterBench()
const range = (to: number, from = 0) => Array.from({ length: to - from }, (_, index) => from + index)

describe('a reporter', () => {
  it('creates the run, sends in order with numbers from 1, and hands over every answer', async () => {
    const reporter = bench.newReporter()
    const start = await reporter.start(patience)
    expect(start?.plan).toEqual(benchPlan)
    report(reporter, 0, 3)
    reporter.addProbe({
      kind: 'valley',
      step: 3,
      set: 'train',
      examples: 1,
      seconds: 1,
      raw: { loss: Number.NaN },
      averaged: [],
    })
    reporter.addAcknowledgement({ actionId: 'a', status: 'done', step: 3, detail: '' })
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 3, 5)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied.map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(bench.server.applied[0]).toMatchObject({
      steps: { step: [0, 1, 2], loss: [0.5, 0.5, 0.5] },
      probes: [{ raw: { loss: Number.NaN } }],
      acknowledgements: [{ actionId: 'a' }],
    })
    expect(bench.server.applied[0]?.steps?.microGradientNormSquared).toBeUndefined()
    expect(bench.answerCount).toBe(3)
  })
  it('seals by count, and keeps numbers that are not finite', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    reporter.addReading(reading(0, Number.POSITIVE_INFINITY))
    report(reporter, 1, batchStepsMax)
    await until(() => bench.server.applied.length === 1)
    expect(bench.server.applied[0]?.steps?.loss?.[0]).toBe(Number.POSITIVE_INFINITY)
    expect(bench.server.applied[0]?.steps?.gradientNormSquared?.[1]).toBeCloseTo(1 / 3, 8)
  })
  it('with nothing to say sends nothing, unless it is to ask', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied).toHaveLength(0)
    reporter.addPoll()
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied).toEqual([{ clientId: 'c', sequence: 1 }])
  })
  it('does not wait beyond its time for a server that hangs, and loses nothing', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    const release = bench.server.hold()
    report(reporter, 0, 10)
    expect(await reporter.flush(5)).toBe(false)
    report(reporter, 10, 20)
    release()
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(20))
  })
})

describe('when the server goes away', () => {
  it('spools to disk, backs off further each time, and catches up in order', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await bench.server.stop()
    report(reporter, 10, 20)
    expect(await reporter.flush(patience)).toBe(false)
    expect(reporter.status).toBe('offline')
    expect(existsSync(bench.spoolFile)).toBe(true)
    report(reporter, 20, 300)
    await until(() => bench.backoffs.length >= 5)
    expect(bench.backoffs.slice(0, 4)).toEqual([187.5, 375, 750, 1500])
    await bench.server.start()
    await until(() => reporter.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 300, 310)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(310))
    expect(existsSync(bench.spoolFile)).toBe(false)
    expect(bench.notices).toEqual([
      expect.stringMatching(
        /^the server cannot be reached \(.*\): training follows its last plan, reports wait in /,
      ),
      'the server answers again: catching up',
    ])
  })
  it('before the run was ever created, creates it later and sends everything', async () => {
    await bench.server.stop()
    const reporter = bench.newReporter()
    expect(await reporter.start(patience)).toBeUndefined()
    report(reporter, 0, 120)
    await bench.server.start()
    await until(() => reporter.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.created).toHaveLength(1)
    expect(bench.appliedSteps()).toEqual(range(120))
  })
  it('after the work was done but the answer was lost, nothing is applied twice', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    bench.server.fail(0, 2)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await until(() => reporter.status === 'online')
    await reporter.flush(patience)
    expect(bench.appliedSteps()).toEqual(range(10))
  })
  it.each([500, 503, 429, 408])('status %i is tried again', async (status) => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    bench.server.fail(status, 3)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await until(() => reporter.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(10))
  })
  it('a full spool says so once, drops the newest, and leaves no gap', async () => {
    const reporter = bench.newReporter(3_000)
    await reporter.start(patience)
    await bench.server.stop()
    report(reporter, 0, 10)
    await reporter.flush(patience)
    for (let batch = 1; batch < 200; batch++) {
      report(reporter, batch * 10, batch * 10 + 10)
      await reporter.flush(0)
    }
    expect(reporter.droppedSteps).toBeGreaterThan(0)
    expect(bench.notices.filter((sentence) => sentence.includes('is full'))).toHaveLength(1)
    const kept = 2_000 - reporter.droppedSteps
    await bench.server.start()
    await until(() => reporter.status === 'online')
    await reporter.flush(patience)
    expect(bench.appliedSteps()).toEqual(range(kept))
    expect(kept).toBeGreaterThan(memoryMessagesMax * 10)
    report(reporter, 2_000, 2_005)
    expect(await reporter.flush(patience)).toBe(true)
    expect(bench.server.applied.at(-1)?.steps?.step).toEqual(range(2_005, 2_000))
  })
  it('and the process ends, the next process of the run sends the rest with its numbers', async () => {
    const reporter = bench.newReporter()
    await reporter.start(patience)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await bench.server.stop()
    report(reporter, 10, 30)
    await reporter.flush(patience)
    report(reporter, 30, 33)
    reporter.close()
    expect(reporter.hasUnsent).toBe(true)
    expect(JSON.parse(readFileSync(bench.spoolFile, 'utf8').split('\n')[0]!)).toMatchObject({
      clientId: 'c',
      sequence: 2,
    })
    await bench.server.start()
    const next = bench.newReporter()
    await next.start(patience)
    report(next, 33, 40)
    expect(await next.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(40))
    expect(bench.server.applied.map(({ sequence }) => sequence)).toEqual(
      range(bench.server.applied.length + 1, 1),
    )
  })
  it('and the process dies over an answer, the next one sends nothing twice, wherever its numbers began', async () => {
    bench.server.sequences.set('c', 7)
    const reporter = bench.newReporter()
    await reporter.start(patience)
    report(reporter, 0, 10)
    expect(await reporter.flush(patience)).toBe(true)
    await bench.server.stop()
    report(reporter, 10, 20)
    await reporter.flush(patience)
    report(reporter, 20, 30)
    reporter.close()
    await bench.server.start()
    const [line = ''] = readFileSync(bench.spoolFile, 'utf8').split('\n')
    await fetch(`${bench.server.url}/api/v1/runs/r/telemetry`, { method: 'POST', body: line })
    expect(bench.appliedSteps()).toEqual(range(20))
    const next = bench.newReporter()
    await next.start(patience)
    report(next, 30, 40)
    expect(await next.flush(patience)).toBe(true)
    expect(bench.appliedSteps()).toEqual(range(40))
    expect(bench.server.applied.at(-1)).toMatchObject({ sequence: 11 })
  })
})

describe('the HTTP transport', () => {
  it('takes an answer that is no JSON as no answer', async () => {
    const send = createHttpTransport(`${bench.server.url}/`)
    await expect(send({ method: 'GET', path: '/runs/r' })).resolves.toMatchObject({ status: 404, body: {} })
    await bench.server.stop()
    await expect(send({ method: 'GET', path: '/runs/r' })).rejects.toThrow()
  })
})
