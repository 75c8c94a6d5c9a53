import { expect, test } from 'vitest'
import { startTestServer } from '../testing/testServer.ts'
import { readJsonText, repeatedKey } from './jsonText.ts'

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":1,"b":[{"c":1,"d":{}},{"c" : 2,\n"d":[],"c"\t\n:3}]}', 'c'],
  ['{"a\\"b":1,"a\\u0022b":2}', 'a"b'],
  ['{"\\\\":1,"x":"\\\\","\\u005c":"y"}', '\\'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('a key that an object has twice is found: %s', (text, key) => {
  expect(repeatedKey(text)).toBe(key)
})

test.each([
  '{"a":"a","b":["a","a"],"c":{"a":1},"d":{"a":1}}',
  '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
  '[{"a":1},{"a":2}]',
  '"a"',
  '{"a\\\\":1,"a":2}',
])('one that several objects have, or that stands in a text, is not: %s', (text) => {
  expect(repeatedKey(text)).toBeUndefined()
})

test('text within text that only looks like what cannot be stored is kept', () => {
  expect(readJsonText('{"a":"\\\\u0000","b":"\\ud83d\\ude00"}')).toEqual({ value: { a: '\\u0000', b: '😀' } })
})

const nested = 100_000
test('nesting costs no stack', () => {
  const text = `${'[{"a":'.repeat(nested)}"\\u0000"${'}]'.repeat(nested)}`
  const fault = { code: 'malformed-json', detail: expect.stringMatching(/^is nested too deep: .* 64 levels/) }
  expect(readJsonText(text)).toEqual({ fault })
})

const bytes = (text: string) => Buffer.from(text, 'latin1')

test('what storage cannot keep is refused by its place, wherever text comes in, and nothing is stored', async () => {
  const server = await startTestServer()
  await server.call('POST', '/api/v1/runs', { runId: 'r' })
  const refused = async (method: string, path: string, body: unknown, pointer: string) => {
    const { status, body: problem } = await server.call(method, `/api/v1/runs${path}`, body)
    expect([status, problem.code]).toEqual([422, 'invalid-request'])
    expect(problem.errors[0].pointer).toBe(pointer)
  }
  await refused('POST', '/r/telemetry', { clientId: 'a\0b', sequence: 1 }, '/clientId')
  await refused('POST', '/r/telemetry', { clientId: '\ud800', sequence: 1 }, '/clientId')
  const metrics = { 'm\ud801': [1] }
  await refused(
    'POST',
    '/r/telemetry',
    { clientId: 'c', sequence: 1, steps: { step: [0], metrics } },
    '/steps/metrics/m\\ud801',
  )
  await refused('POST', '', { name: 'a\0b' }, '/name')
  await refused('POST', '', { settings: { 'a/b': 'x\0' } }, '/settings/a~1b')
  await refused('PATCH', '/r', { tags: ['t', 'p\udfff'] }, '/tags/1')
  await refused('POST', '/r/commands', { kind: 'pause', reason: '\0' }, '/reason')
  for (const path of ['/api/v1/runs/%00', '/api/v1/runs/r1%00/decisions'])
    expect(await server.call('GET', path)).toMatchObject({ status: 400, body: { code: 'malformed-request' } })
  for (const query of ['q=%ED%A0%80', 'tag=x&q=a%00b', 'project=%']) {
    const { body } = await server.call('GET', `/api/v1/runs?${query}`)
    expect(body).toMatchObject({ status: 400, code: 'malformed-request' })
    expect(body.detail).toContain(`?${query.includes('q') ? 'q' : 'project'} `)
  }
  const { body } = await server.call('GET', '/api/v1/runs')
  expect(body.total).toBe(1)
  await server.close()
})

test('a body that is no UTF-8, or says one thing twice, is refused', async () => {
  const server = await startTestServer()
  const post = async (body: Buffer, type = 'application/json') => {
    const headers = { 'content-type': type }
    const response = await fetch(`${server.url}/api/v1/runs`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
    })
    return { status: response.status, ...((await response.json()) as { code: string; detail: string }) }
  }
  expect(await post(bytes('{"name":"\xff"}'))).toMatchObject({ status: 400, code: 'malformed-json' })
  expect((await post(bytes('{"name":"a","name":"b"}'))).detail).toContain('the key "name" twice')
  expect(await post(bytes('{}'), 'application/json; charset=utf-16')).toMatchObject({ status: 415 })
  expect(
    await post(Buffer.from('\ufeff{"name":"größe"}'), 'application/json; charset="UTF-8"'),
  ).toMatchObject({
    status: 201,
  })
  await server.close()
})

test('a log that is imported is held to the same', async () => {
  const server = await startTestServer()
  const take = async (line: string) => {
    const headers = { 'content-type': 'application/x-ndjson' }
    return (await server.call('POST', '/api/v1/runs/import', line, headers)).body
  }
  expect(await take('{"format":"twostep-log","format":"x"}')).toMatchObject({ status: 400 })
  const header = await take('{"format":"twostep-log","run":{"name":"\\u0000"}}')
  expect(header.detail).toContain('line 1: /run/name holds the character U+0000')
  await server.close()
})
