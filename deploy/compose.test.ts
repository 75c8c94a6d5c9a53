// What compose.yaml promises of the profile `replicas`, and its secrets, made by the one command that the guide tells.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../server/config.ts'
import { isInstalled } from './testing/installed.ts'

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const file = pathOf('../compose.yaml')
// biome-ignore lint/suspicious/noExplicitAny: the tests read parts of every shape
const compose: any = parse(readFileSync(file, 'utf8'), { merge: true })
const hasOpenssl = isInstalled('openssl', ['version'], 'apt-get install openssl')
const hasCompose = isInstalled('docker', ['compose', 'version'], 'Docker with its plugin compose')
const servers = ['server-a', 'server-b'] as const

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-compose-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('only the balancer is published, and to this computer alone', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const services = Object.entries<any>(compose.services).filter(([, { profiles }]) =>
    profiles.includes('replicas'),
  )
  expect(services.map(([name]) => name).sort()).toEqual(['balancer', 'postgres', ...servers])
  const published = services.flatMap(([name, { ports = [] }]) =>
    ports.map((port: string) => `${name} ${port}`),
  )
  expect(published).toEqual(['balancer 127.0.0.1:7317:7317'])
  for (const [name, { cap_drop, security_opt, read_only }] of services.filter(
    ([name]) => name !== 'postgres',
  ))
    expect([name, cap_drop, security_opt, read_only]).toEqual([
      name,
      ['ALL'],
      ['no-new-privileges:true'],
      true,
    ])
})

test('the balancer leads to the two servers, and its checks find one that drains before it stops', () => {
  const config = readFileSync(pathOf('haproxy/haproxy.cfg'), 'utf8')
  const named = [...config.matchAll(/^ {2}server \w (\S+):7317$/gm)].map(([, name]) => name)
  expect([...new Set(named)]).toEqual(servers)
  const [, inter = '', fall = ''] = /check inter (\d+)s fall (\d+)/.exec(config) ?? []
  for (const name of servers) {
    const { environment, stop_grace_period } = compose.services[name]
    const drained = Number(environment.TWOSTEP_DRAIN_SECONDS)
    expect(drained).toBeGreaterThan(Number(inter) * Number(fall))
    expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(drained)
  }
})

const makeSecrets = () => spawnSync('sh', [pathOf('makeSecrets.sh')], { cwd: folder, encoding: 'utf8' })
const kept = (name: string) => readFileSync(join(folder, '.twostep', name), 'utf8')
const modeOf = (...path: string[]) => (statSync(join(folder, '.twostep', ...path)).mode & 0o777).toString(8)

describe.skipIf(!hasOpenssl)('secrets', () => {
  test('are made once, for their owner alone, and are settings that the servers take', () => {
    expect(makeSecrets()).toMatchObject({ status: 0, stderr: '' })
    const made = [kept('postgres-password'), kept('replicas.json')]
    expect(makeSecrets()).toMatchObject({ status: 0, stderr: '' })
    expect([kept('postgres-password'), kept('replicas.json')]).toEqual(made)
    expect([modeOf(), modeOf('postgres-password'), modeOf('replicas.json')]).toEqual(['700', '600', '644'])
    writeFileSync(join(folder, 'twostep.config.json'), made[1]!)
    for (const name of servers) {
      const config = loadConfig({}, compose.services[name].environment, folder)
      expect(config.replicaAddress).toBe(`http://${name}:7317`)
      expect(config.databaseUrl).toBe(`postgresql://twostep:${made[0]!.trim()}@postgres:5432/twostep`)
      expect(config.trustProxy).toEqual([compose.networks.replicas.ipam.config[0].subnet])
    }
  })

  test('keep a password that is there, and say where it cannot stand in an address', () => {
    mkdirSync(join(folder, '.twostep'))
    writeFileSync(join(folder, '.twostep', 'postgres-password'), 'a password')
    expect(makeSecrets()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('must have letters, digits'),
    })
    writeFileSync(join(folder, '.twostep', 'postgres-password'), 'own.one')
    expect(makeSecrets().status).toBe(0)
    expect(JSON.parse(kept('replicas.json')).storageUrl).toBe(
      'postgresql://twostep:own.one@postgres:5432/twostep',
    )
  })
})

test.skipIf(!hasCompose)('docker compose reads the profile', () => {
  const words = ['compose', '--file', file, '--profile', 'replicas', 'config', '--format', 'json']
  const { status, stdout, stderr } = spawnSync('docker', words, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('rror')])
  const read = JSON.parse(stdout).services
  expect(Object.keys(read).sort()).toEqual(['balancer', 'postgres', ...servers])
  expect(read['server-b'].environment.TWOSTEP_REPLICA_ADDRESS).toBe('http://server-b:7317')
})
