import { expect, test, vi } from 'vitest'
import { startTestServer } from '../testing/testServer.ts'
import { createToken, endOf, revokeToken, rotateToken } from './token.ts'

const now = Date.parse('2026-11-29T12:00:00Z')

test('the end of a token is days or a day of the calendar', () => {
  expect(endOf(undefined, now)).toBeNull()
  expect(endOf('30d', now)).toBe('2026-12-29T12:00:00.000Z')
  expect(endOf('2030-01-31', now)).toBe('2030-01-31T00:00:00.000Z')
  expect(endOf('2028-02-29', now)).toBe('2028-02-29T00:00:00.000Z')
  expect(endOf('2030-01-31T18:00:00Z', now)).toBe('2030-01-31T18:00:00.000Z')
})

test.each([
  ...[
    '45',
    'w 33',
    '2027-02-31',
    '2027-02-29',
    '2027-2-3',
    '2027',
    '2027-01',
    '1/2/2027',
    '30 d',
    '1e3d',
    '',
  ],
  ...['2027-02-31T00:00:00Z', '2027-02-03T25:00:00Z', '2027-02-03T01:00', 'Jan 5 2027', 'tomorrow'],
])('an end that is neither is refused, not guessed at: "%s"', (text) => {
  expect(() => endOf(text, now)).toThrow(
    /^--expires must be days such as 30d or a date such as 2030-01-31, got/,
  )
})

test('the name of a token steers no terminal, whichever verb tells it', async () => {
  const server = await startTestServer()
  const written: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  const name = 'e\u001b[31mvil\u009b2J\u202e\nfine'
  const shown = 'e\\u001b[31mvil\\u009b2J\\u202e\\u000afine'
  const remote = { server: server.url }
  const noConfig = () => {
    throw new Error('not offline')
  }
  try {
    await createToken(name, { ...remote, scope: 'read' }, noConfig)
    // What the server says of it stays on its line, too.
    const again = createToken(name, { ...remote, scope: 'read' }, noConfig)
    await expect(again).rejects.toThrow(`there is a token "${shown}" already`)
    await rotateToken(name, remote)
    await revokeToken(name, remote)
    await createToken(name, { ...remote, scope: 'read', json: true }, noConfig)
  } finally {
    spy.mockRestore()
  }
  expect(written).toHaveLength(4)
  expect(written[0]).toContain(`The token "${shown}" (read)`)
  expect(written[1]).toContain(`The token "${shown}" (read)`)
  expect(written[2]).toBe(`The token "${shown}" is revoked.\n`)
  expect(JSON.parse(written[3]!)).toMatchObject({ token: { name } })
  // Of an answer as JSON, too: JSON itself escapes neither what is above U+007F nor marks of direction.
  expect(written.join('')).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  await server.close()
})
