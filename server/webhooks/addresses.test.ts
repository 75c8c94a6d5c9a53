import { describe, expect, test } from 'vitest'
import { allowedOf, type Guard, whyNoUrl, whyRefused } from './addresses.ts'

const guard: Guard = { allowed: allowedOf([]), ownPort: () => 7317, ownAddresses: () => ['198.41.0.4'] }

describe('an address within is refused, however it is written', () => {
  test.each([
    ...['127.0.0.1', '127.8.8.8', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '0.0.0.0', '0'],
    ...['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '169.254.169.254'],
    ...['100.100.100.200', '168.63.129.16', '198.18.0.1', '224.0.0.1', '239.1.1.1', '255.255.255.255'],
    ...['[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:a01:203]', '[::7f00:1]'],
    ...[
      '[::ffff:169.254.169.254]',
      '[64:ff9b::7f00:1]',
      '[::ffff:0:7f00:1]',
      '[2002:7f00:1::]',
      '[fc00::1]',
      '[fd00:ec2::254]',
    ],
    ...['[fe80::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[2001:0:1::1]'],
  ])('%s', (host) => {
    expect(whyNoUrl(`http://${host}/hook`, guard)).toMatch(/^must lead elsewhere: .* private network/)
  })
})

test('what is outside is allowed, by any port', () => {
  for (const host of [
    '93.184.216.34',
    '93.184.216.34:8443',
    '[2606:4700::1111]',
    'example.org',
    '172.32.0.1',
  ])
    expect(whyNoUrl(`https://${host}/hook?a=b`, guard)).toBeUndefined()
})

test('other schemes, users and what is no address are refused with a sentence', () => {
  for (const url of ['ftp://example.org', 'file:///etc/passwd', 'example.org', 'javascript:1', ''])
    expect(whyNoUrl(url, guard)).toBe('must be an address such as https://example.org/hook')
  for (const url of ['https://me@example.org', 'https://me:secret@example.org'])
    expect(whyNoUrl(url, guard)).toBe('must have no user and no password in it')
})

test('the owner allows hosts, addresses and networks within, and never the server itself', () => {
  const allowed = allowedOf(['hooks.internal', '10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
  const open: Guard = { ...guard, allowed }
  for (const host of ['10.9.9.9', '127.0.0.1:9000', '[::ffff:10.1.1.1]', '[fd12::1]'])
    expect(whyNoUrl(`http://${host}/`, open)).toBeUndefined()
  expect(whyNoUrl('http://192.168.0.1/', open)).toContain('private network')
  expect(whyRefused(new URL('http://hooks.internal/'), '192.168.0.9', open)).toBeUndefined()
  expect(whyRefused(new URL('http://other.internal/'), '192.168.0.9', open)).toBe(
    'other.internal is 192.168.0.9, which is an address of a private network or of this computer; TWOSTEP_WEBHOOK_ALLOW can allow it',
  )
  expect(whyRefused(new URL('http://127.0.0.1:7317/'), '127.0.0.1', open)).toContain('this server itself')
  expect(whyRefused(new URL('http://x.org:7317/'), '198.41.0.4', open)).toContain('this server itself')
  expect(whyRefused(new URL('http://x.org:7318/'), '198.41.0.4', open)).toBeUndefined()
})
