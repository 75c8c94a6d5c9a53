import { afterEach, beforeEach, expect, test } from 'vitest'
import { protocolVersion } from '../../protocol/version.ts'
import { emptyLineProbe, sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server.close())

const api = '/api/v1'
const newRun = (body: Record<string, unknown> = {}) =>
  server.call('POST', `${api}/runs`, { runId: 'r1', ...body })
const post = (sequence: number, more: Record<string, unknown> = {}) =>
  server.call('POST', `${api}/runs/r1/telemetry`, { clientId: 'c', sequence, ...more })

test('a run is created, reported to, read, changed, listed and deleted', async () => {
  const created = await newRun({ name: 'first', budgetSteps: 2_000, tags: ['a'] })
  expect(created.status).toBe(201)
  expect(created.headers.get('location')).toBe('/api/v1/runs/r1')
  expect(created.body.nextSequence).toEqual({})
  const answer = await post(1, { steps: sampleBatch(0, 100) })
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({ accepted: 100, duplicate: false, nextSequence: 2, phase: 'large' })
  const run = await server.call('GET', `${api}/runs/r1`)
  expect(run.body).toMatchObject({ id: 'r1', state: 'running', step: 100, decisionCount: 1 })
  const changed = await server.call('PATCH', `${api}/runs/r1`, { name: 'second', budgetSteps: 3_000 })
  expect(changed.body).toMatchObject({ budgetSteps: 3_000, options: { name: 'second' }, decisionCount: 2 })
  const listed = await server.call('GET', `${api}/runs?q=SEC&tag=a&state=running`)
  expect(listed.body.runs.map(({ id }: { id: string }) => id)).toEqual(['r1'])
  expect((await server.call('DELETE', `${api}/runs/r1`)).status).toBe(204)
  expect((await server.call('GET', `${api}/runs/r1`)).body.code).toBe('run-not-found')
})

test('runs are listed newest first, page by page', async () => {
  for (const id of ['a', 'b', 'c']) await server.call('POST', `${api}/runs`, { runId: id })
  const first = await server.call('GET', `${api}/runs?limit=2`)
  expect(first.body.runs.map(({ id }: { id: string }) => id)).toEqual(['c', 'b'])
  const second = await server.call('GET', `${api}/runs?limit=2&after=${first.body.next}`)
  expect(second.body).toMatchObject({ runs: [{ id: 'a' }], next: null })
})

test('a run can be resumed, and says which sequence each client sends next', async () => {
  await newRun()
  await post(1, { steps: sampleBatch(0, 10) })
  const again = await newRun({ resume: 'allow' })
  expect(again.status).toBe(200)
  expect(again.body.nextSequence).toEqual({ c: 2 })
  expect((await newRun()).body).toMatchObject({ status: 409, code: 'run-exists' })
  const stored = await server.storage.observations('r1', { after: 0, limit: 10 })
  expect(stored.map(({ kind }) => kind)).toEqual(['start', 'samples', 'resumed'])
  const missing = await server.call('POST', `${api}/runs`, { runId: 'none', resume: 'must' })
  expect(missing.body).toMatchObject({ status: 404, code: 'run-not-found' })
})

test('a repeated batch is applied once and answered the same', async () => {
  await newRun()
  const first = await post(1, { steps: sampleBatch(0, 10) })
  const repeat = await post(1, { steps: sampleBatch(0, 10) })
  expect(repeat.body).toEqual({ ...first.body, duplicate: true })
  await post(2, { steps: sampleBatch(10, 10) })
  const older = await post(1, { steps: sampleBatch(0, 10) })
  expect(older.body).toMatchObject({ accepted: 0, duplicate: true, nextSequence: 3 })
  const { body } = await server.call('GET', `${api}/runs/r1/series?signals=loss`)
  expect(body).toMatchObject({ stored: 20, shown: 20 })
})

test('a repeat of all that a batch can hold is one, before and after a restart', async () => {
  await newRun()
  const acknowledgement = { actionId: 'a', status: 'done', step: 10, detail: 'NaN' }
  const everything = {
    planVersion: 3,
    steps: { ...sampleBatch(0, 10), metrics: { accuracy: Array.from({ length: 10 }, () => 'Infinity') } },
    probes: [
      emptyLineProbe(10),
      {
        kind: 'valley',
        step: 10,
        set: 'held-out',
        examples: 8,
        seconds: 0.5,
        raw: { loss: 'NaN' },
        averaged: [{ windowSteps: 4, loss: 1 }],
      },
    ],
    acknowledgements: [acknowledgement],
  }
  expect((await post(1, everything)).body).toMatchObject({ accepted: 10, duplicate: false })
  expect((await post(1, everything)).body).toMatchObject({ duplicate: true })
  await post(2, everything)
  await server.restart()
  for (const sequence of [1, 2]) expect((await post(sequence, everything)).body.duplicate).toBe(true)
})

test('a used sequence with another content is refused, a different spelling of the same content is not', async () => {
  await newRun()
  const steps = { step: [0, 1], loss: [2, 'NaN'] }
  await post(1, { steps, planVersion: 3 })
  const reused = await post(1, { steps: { ...steps, loss: [2, 1] }, planVersion: 3 })
  expect(reused.body).toMatchObject({ status: 409, code: 'sequence-reused', expectedSequence: 2 })
  expect(reused.body.detail).toContain('sequence 1 of client "c" was used for another content')
  expect((await post(1, { steps, planVersion: 4 })).body.code).toBe('sequence-reused')
  const spelled = { planVersion: 3, probes: [], steps: { metrics: {}, loss: [2, 'NaN'], step: [0, 1] } }
  expect((await post(1, spelled)).body).toMatchObject({ duplicate: true, accepted: 2 })
  await post(2)
  await server.restart()
  expect((await post(1, { steps: sampleBatch(0, 2) })).body.code).toBe('sequence-reused')
  expect((await post(1, { steps, planVersion: 3 })).body).toMatchObject({ duplicate: true, nextSequence: 3 })
})

test('another budget is applied to a running run, by PATCH or on resuming, and refused by an ended one', async () => {
  await newRun({ budgetSteps: 2_000 })
  const changed = await server.call('PATCH', `${api}/runs/r1`, { budgetSteps: 3_000 })
  expect(changed.body).toMatchObject({ budgetSteps: 3_000, decisionCount: 2 })
  const same = await server.call('PATCH', `${api}/runs/r1`, { budgetSteps: 3_000 })
  expect(same.body.decisionCount).toBe(2)
  expect((await newRun({ resume: 'allow' })).body.run).toMatchObject({ budgetSteps: 3_000, decisionCount: 2 })
  const resumed = await newRun({ resume: 'allow', budgetSteps: null })
  expect(resumed.body.run).toMatchObject({ budgetSteps: null, decisionCount: 3 })
  await server.call('POST', `${api}/runs/r1/commands`, { kind: 'finish' })
  const late = await server.call('PATCH', `${api}/runs/r1`, { budgetSteps: 4_000, name: 'renamed' })
  expect(late.body).toMatchObject({ status: 409, code: 'run-finished' })
  expect(late.body.detail).toContain('start a new run')
  expect((await newRun({ resume: 'must', budgetSteps: 4_000 })).body.code).toBe('run-finished')
  const run = await server.call('GET', `${api}/runs/r1`)
  expect(run.body).toMatchObject({ budgetSteps: null, options: { name: 'r1' } })
  expect((await newRun({ resume: 'must' })).status).toBe(200)
})

test('a metric may have any name: it is stored and read like another, and so are settings and clients', async () => {
  const odd = [
    '__proto__',
    'constructor',
    'toString',
    'a/b@1[x=2]: c,d',
    'précision 🙂',
    '\u0001',
    'x'.repeat(128),
  ]
  const text = (of: (name: string, i: number) => string) => `{${odd.map(of).join()}}`
  const settings = text((name, i) => `${JSON.stringify(name)}:${i}`)
  const metrics = text((name, i) => `${JSON.stringify(name)}:[${i},${i}]`)
  await server.call('POST', `${api}/runs`, `{"runId":"r1","settings":${settings}}`)
  const batch = `{"clientId":"__proto__","sequence":1,"steps":{"step":[0,40000],"metrics":${metrics}}}`
  expect((await server.call('POST', `${api}/runs/r1/telemetry`, batch)).body).toMatchObject({ accepted: 2 })
  const expectAll = async () => {
    for (const [i, name] of odd.entries()) {
      const query = `signals=${encodeURIComponent(`metrics.${name}`)}`
      for (const range of ['', '&to=99']) {
        const { signals } = (await server.call('GET', `${api}/runs/r1/series?${query}${range}`)).body
        expect(signals[`metrics.${name}`].last).toEqual(range === '' ? [i, i] : [i])
      }
    }
    const { run, nextSequence } = (await newRun({ resume: 'must' })).body
    expect(Object.entries(run.options.settings)).toEqual(odd.map((name, i) => [name, i]))
    expect(Object.entries(nextSequence)).toEqual([['__proto__', 2]])
  }
  await expectAll()
  await server.restart()
  await expectAll()
  expect(({} as Record<string, unknown>)[0]).toBeUndefined()
})

test('series are asked for by name; a comma may be part of one, and unknown ones are named', async () => {
  await newRun()
  const metrics = { 'top-1, top-5': [0.5], plain: [1] }
  await post(1, { steps: { step: [0], loss: [1], metrics, tokens: [512] } })
  const read = async (query: string) => (await server.call('GET', `${api}/runs/r1/series?${query}`)).body
  const names = async (query: string) => Object.keys((await read(query)).signals)
  const odd = encodeURIComponent('metrics.top-1, top-5')
  expect(await names(`signals=${odd}`)).toEqual(['metrics.top-1, top-5'])
  expect(await names(`signals=${odd}&signals=loss,tokens`)).toEqual([
    'metrics.top-1, top-5',
    'loss',
    'tokens',
  ])
  // The run may come to have it; there is nothing of it yet.
  expect((await read('signals=noiseScale')).signals.noiseScale.step).toEqual([])
  // Known ones are answered beside others; only where there is none of them is there nothing to answer.
  const some = await read('signals=loss,lozz&signals=toString')
  expect([Object.keys(some.signals), some.unknown]).toEqual([['loss'], ['lozz', 'toString']])
  expect(await read('signals=loss')).not.toHaveProperty('unknown')
  const unknown = await read('signals=lozz')
  expect(unknown).toMatchObject({ status: 404, code: 'signal-not-found' })
  expect(unknown.detail).toContain('no signal "lozz"; it has loss')
})

test('a gap is refused with the number that was expected', async () => {
  await newRun()
  const gap = await post(3)
  expect(gap.body).toMatchObject({ status: 409, code: 'sequence-gap', expectedSequence: 1 })
  expect(gap.body.detail).toContain('must be 1, got 3')
})

test('an empty batch is a heartbeat', async () => {
  await newRun()
  expect((await post(1)).body).toMatchObject({ accepted: 0, duplicate: false, nextSequence: 2 })
})

test('non-finite losses are stored and counted, never lost', async () => {
  await newRun()
  await post(1, { steps: { step: [0, 1, 2], loss: [1, 'NaN', 'Infinity'] } })
  const { body } = await server.call('GET', `${api}/runs/r1/series?signals=loss`)
  expect(body.signals.loss).toMatchObject({ step: [0, 1, 2], first: [1, null, null], nonFinite: [0, 1, 1] })
  expect((await server.call('GET', `${api}/runs/r1`)).body.badSamples.nonFinite).toBe(2)
})

test('decisions are read in order, by kind, and one by one', async () => {
  await newRun()
  const probes = [1, 2, 3].map((step) => ({
    kind: 'line',
    step,
    seconds: 0.1,
    criticalLearningRate: null,
    curvature: null,
  }))
  await post(1, { steps: sampleBatch(0, 10), probes })
  const all = await server.call('GET', `${api}/runs/r1/decisions?limit=2`)
  expect(all.body.decisions.map(({ number }: { number: number }) => number)).toEqual([1, 2])
  expect(all.body.next).toBe(2)
  const holds = await server.call('GET', `${api}/runs/r1/decisions?after=2&kind=hold,switch`)
  expect(holds.body).toMatchObject({ decisions: [{ number: 3 }, { number: 4 }], next: null })
  expect((await server.call('GET', `${api}/runs/r1/decisions/2`)).body).toMatchObject({
    step: 1,
    kind: 'hold',
  })
  const none = await server.call('GET', `${api}/runs/r1/decisions/99`)
  expect(none.body).toMatchObject({ status: 404, code: 'decision-not-found' })
})

test('an override is set and handed back, a command is obeyed, a finished run refuses both', async () => {
  await newRun()
  await post(1, { steps: sampleBatch(0, 50) })
  const override = { learningRate: 0.05, untilStep: 90, reason: 'new data' }
  const set = await server.call('POST', `${api}/runs/r1/overrides`, override)
  expect(set.status).toBe(201)
  expect(set.body).toMatchObject({ run: { override }, decisions: [{ kind: 'override' }] })
  const late = await server.call('POST', `${api}/runs/r1/overrides`, { ...override, untilStep: 50 })
  expect(late.body.errors).toEqual([{ pointer: '/untilStep', detail: 'must be above 50' }])
  const back = await server.call('DELETE', `${api}/runs/r1/overrides/current?reason=done`)
  expect(back.body).toMatchObject({ run: { override: null }, decisions: [{ kind: 'hand-back' }] })
  const none = await server.call('DELETE', `${api}/runs/r1/overrides/current`)
  expect(none.body.code).toBe('override-not-found')
  const finish = await server.call('POST', `${api}/runs/r1/commands`, { kind: 'finish' })
  expect(finish.body.run.state).toBe('finished')
  const more = await server.call('POST', `${api}/runs/r1/commands`, { kind: 'pause' })
  expect(more.body).toMatchObject({ status: 409, code: 'run-finished' })
})

test('the recommendation is the plan at the present step', async () => {
  await newRun()
  await post(1, { steps: sampleBatch(0, 1_500) })
  const { body } = await server.call('GET', `${api}/runs/r1/recommendation`)
  expect(body).toMatchObject({
    step: 1_500,
    learningRate: 0.05,
    momentum: null,
    status: 'insufficient-evidence',
  })
})

test('the schedule lists what was applied and what is planned, as JSON and as CSV', async () => {
  await newRun()
  await post(1, { steps: { step: [0, 1, 2], learningRate: [0.1, 0.1, 0.2] } })
  const { body } = await server.call('GET', `${api}/runs/r1/schedule`)
  expect(body.applied).toEqual([
    { fromStep: 0, toStep: 2, learningRate: 0.1, momentum: null },
    { fromStep: 2, toStep: 3, learningRate: 0.2, momentum: null },
  ])
  expect(body.planned).toHaveLength(2)
  // Another process of the job reports step 2 as well; the first report stands.
  const other = { clientId: 'd', sequence: 1, steps: { step: [2, 3], learningRate: [0.7, 0.2] } }
  await server.call('POST', `${api}/runs/r1/telemetry`, other)
  const again = await server.call('GET', `${api}/runs/r1/schedule`)
  expect(again.body.applied).toEqual([body.applied[0], { ...body.applied[1], toStep: 4 }])
  const csv = await server.call('GET', `${api}/runs/r1/schedule?format=csv`)
  expect(csv.headers.get('content-type')).toContain('text/csv')
  const lines = String(csv.body).trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(['step,learningRate,momentum,kind', '0,0.1,,applied'])
  expect(lines).toHaveLength(2_001)
  expect(lines.at(-1)).toMatch(/^1999,.*,planned$/)
})

test('health, readiness, versions and the contract are served', async () => {
  expect((await server.call('GET', '/healthz')).body).toEqual({ status: 'ok' })
  expect((await server.call('GET', '/readyz')).body.status).toBe('ok')
  expect((await server.call('GET', '/version')).body).toMatchObject({
    version: '0.0.0-test',
    protocol: protocolVersion,
  })
  const { body } = await server.call('GET', '/openapi.json')
  expect(body.components.schemas.Column.items.anyOf).toHaveLength(3)
  const references = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
    ([, name]) => name!,
  )
  expect(references.filter((name) => body.components.schemas[name] === undefined)).toEqual([])
  const described = Object.values(body.paths).flatMap((methods) => Object.values(methods as object))
  const ids = described.map(({ operationId }) => operationId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).not.toContain(undefined)
  // An empty schema allows anything: there is none.
  expect(JSON.stringify(body)).not.toMatch(
    /"(schema|items|additionalProperties)":\{\}|(?<!"properties)":\{\},"/,
  )
  const series = body.paths['/api/v1/runs/{id}/series'].get
  expect(series.parameters.map(({ name }: { name: string }) => name)).toEqual([
    ...['id', 'signals', 'from', 'to', 'points'],
  ])
  expect(Object.keys(series.responses)).toEqual([
    ...['200', '304', '400', '401', '403', '404', '408', '422', '429', '431', '500', '503', '507'],
  ])
  for (const path of Object.keys(body.paths)) {
    const known = await server.call('PUT', path.replace('{id}', 'x').replace('{number}', '1'))
    expect([path, known.status]).toEqual([path, 405])
  }
})
