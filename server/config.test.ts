import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configFileName, isLoopback, loadConfig, type Settings } from './config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const write = (settings: unknown) => writeFileSync(join(folder, configFileName), JSON.stringify(settings))

test('without settings the server is on loopback, with its data in the current folder', () => {
  expect(loadConfig({}, {}, folder)).toEqual({
    host: '127.0.0.1',
    requireTokens: false,
    port: 7317,
    basePath: '',
    dataDir: join(folder, '.twostep'),
    databaseFile: join(folder, '.twostep', 'twostep.db'),
    databaseUrl: null,
    trustProxy: [],
    allowedHosts: [],
    allowedOrigins: [],
    embedOrigins: [],
    retentionDays: null,
    storageMaxBytes: null,
    webhookAllow: [],
    publicUrl: null,
    logLevel: 'warn',
    replicaAddress: null,
    drainSeconds: 0,
  })
})

test('a flag goes before the environment, the environment before the file', () => {
  write({ port: 1, logLevel: 'info', allowedHosts: ['box', 'Other:80'] })
  const config = loadConfig({ port: '3' }, { TWOSTEP_PORT: '2', TWOSTEP_LOG_LEVEL: 'debug' }, folder)
  expect(config).toMatchObject({ port: 3, logLevel: 'debug', allowedHosts: ['box', 'other:80'] })
})

test('the database may be named by an address, relative or absolute', () => {
  const at = (storageUrl: string) => loadConfig({ storageUrl }, {}, folder).databaseFile
  expect(at('sqlite:///runs.db')).toBe(join(folder, 'runs.db'))
  expect(at('sqlite:////data/runs.db')).toBe('/data/runs.db')
})

test('tokens are demanded beyond this computer, and wherever they are asked for', () => {
  const isRequired = (flags: Record<string, string>) => loadConfig(flags, {}, folder).requireTokens
  expect(['127.0.0.1', '::1', 'localhost'].map((host) => isRequired({ host }))).toEqual([false, false, false])
  expect(['0.0.0.0', '::', '10.0.0.2'].map((host) => isRequired({ host }))).toEqual([true, true, true])
  expect(isRequired({ host: '0.0.0.0', trustNetwork: '1' })).toBe(false)
  expect(isRequired({ host: '0.0.0.0', trustNetwork: '0' })).toBe(true)
  expect(isRequired({ host: '0.0.0.0', trustNetwork: '1', requireTokens: '1' })).toBe(true)
  expect(isRequired({ requireTokens: '1' })).toBe(true)
  expect(isRequired({ trustProxy: '127.0.0.1' })).toBe(true)
  expect(isRequired({ trustProxy: '127.0.0.1', trustNetwork: '1' })).toBe(false)
})

test('under a path, what people reach has the path, too, whether it is written twice or once', () => {
  const at = (publicUrl: string) => loadConfig({ basePath: '/twostep', publicUrl }, {}, folder).publicUrl
  expect(at('https://ml.example')).toBe('https://ml.example/twostep')
  expect(at('https://ml.example/twostep/')).toBe('https://ml.example/twostep')
  expect(() => at('https://ml.example/other')).toThrow(
    /^--public-url must have the path \/twostep of TWOSTEP_BASE_PATH, or none, got "https:\/\/ml\.example\/other"$/,
  )
  expect(loadConfig({ publicUrl: 'https://ml.example/x/' }, {}, folder).publicUrl).toBe(
    'https://ml.example/x',
  )
})

test("a job's own settings in the environment are left alone", () => {
  expect(() => loadConfig({}, { TWOSTEP_SERVER_URL: 'x', TWOSTEP_SPOOL_DIR: 'y' }, folder)).not.toThrow()
})

test.each<[Record<string, string>, Record<string, string>, RegExp]>([
  [{ port: 'x' }, {}, /^--port must be a whole number from 0 \(any free port\) to 65535, got "x"$/],
  [{}, { TWOSTEP_PORT: '70000' }, /^TWOSTEP_PORT must be .*got "70000"$/],
  [{ host: 'box.example' }, {}, /^--host must be an address of this computer .*got "box\.example"$/],
  [
    {},
    { TWOSTEP_REQUIRE_TOKENS: 'yes' },
    /^TWOSTEP_REQUIRE_TOKENS must be 1 \(callers .*\) or 0, got "yes"$/,
  ],
  [{}, { TWOSTEP_TRUST_NETWORK: 'yes' }, /^TWOSTEP_TRUST_NETWORK must be 1 \(everyone .*\) or 0, got "yes"$/],
  [{ trustProxy: 'nginx' }, {}, /^--trust-proxy must list proxies such as .*"nginx" is no address/],
  [{ basePath: '/twostep/' }, {}, /^--base-path must be a path such as \/twostep, .*got "\/twostep\/"$/],
  [{}, { TWOSTEP_BASE_PATH: 'twostep' }, /^TWOSTEP_BASE_PATH must be a path .*got "twostep"$/],
  [{ drainSeconds: '900' }, {}, /^--drain-seconds must be whole seconds from 0 to 300, got "900"$/],
  [
    { webhookAllow: 'http://x' },
    {},
    /^--webhook-allow must list receivers such as .*"http:\/\/x" is no host/,
  ],
  [{ publicUrl: 'runs.example' }, {}, /^--public-url must be an address such as .*got "runs\.example"$/],
  [{ logLevel: 'loud' }, {}, /^--log-level must be one of debug, info, warn, error, silent, got "loud"$/],
  [{}, { TWOSTEP_PRT: '1' }, /^unknown setting TWOSTEP_PRT in the environment; allowed are TWOSTEP_HOST/],
  [
    {},
    { TWOSTEP_STORAGE_URL: 'postgresql://me:secret@x' },
    /^TWOSTEP_STORAGE_URL must look like postgresql:\/\/user:password@host:5432\/database$/,
  ],
  [
    { storageUrl: 'runs.db' },
    {},
    /^--storage-url must look like sqlite:\/\/\/file or postgresql:\S+, got "runs\.db"$/,
  ],
  [{ allowedOrigins: 'example.org' }, {}, /^--allowed-origins must list origins such as/],
  [{ embedOrigins: 'https://a;script-src' }, {}, /^--embed-origins must list origins such as/],
  [{ allowedHosts: 'http://x' }, {}, /^--allowed-hosts must list host names/],
])('%j with %j is refused with a sentence', (flags, environment, sentence) => {
  expect(() => loadConfig(flags, environment, folder)).toThrow(sentence)
})

test('no sentence about a setting shows a password or a token, also where the setting is misspelt', () => {
  const refused = (flags: Settings, environment: Record<string, string>) => {
    try {
      loadConfig(flags, environment, folder)
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('it was taken')
  }
  const secret = 'hunter2/@"x'
  const token = `tw_${'s'.repeat(43)}`
  writeFileSync(join(folder, configFileName), `{"storageUrl": postgresql://me:${secret}@db/runs}`)
  const sentences = [
    refused({}, {}),
    refused({}, { TWOSTEP_STORAGEURL: `postgresql://me:${secret}@db/runs` }),
    refused({}, { TWOSTEP_TOKENS: token }),
  ]
  for (const text of ['{"storageUrl":hunter2@db}', '["hunter2"]', '"hunter2"']) {
    writeFileSync(join(folder, configFileName), text)
    sentences.push(refused({}, {}))
  }
  rmSync(join(folder, configFileName))
  const misnamed = refused({ storageUrl: `mysql://me:${secret}@db/runs` }, {})
  expect(misnamed).toContain('postgresql://user:password@host/database, got "mysql://…@db/runs"')
  sentences.push(
    misnamed,
    refused({ storageUrl: 'mysql://db/runs?user=me&password=hunter2' }, {}),
    refused({}, { TWOSTEP_STORAGE_URL: `postgresql://me:${secret}@db` }),
    refused({ publicUrl: `https://me:${secret}@runs.example` }, {}),
    refused({ port: token }, {}),
  )
  for (const sentence of sentences) expect(sentence).not.toMatch(/hunter2|sss/)
})

test('a settings file that is not understood is named', () => {
  write({ prot: 3 })
  expect(() => loadConfig({}, {}, folder)).toThrow(
    /twostep\.config\.json: unknown setting "prot"; allowed are host/,
  )
  write([1])
  expect(() => loadConfig({}, {}, folder)).toThrow(/must hold an object of settings/)
  writeFileSync(join(folder, configFileName), '{')
  expect(() => loadConfig({}, {}, folder)).toThrow(/twostep\.config\.json is not JSON/)
})

test('loopback is known by its addresses', () => {
  expect(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true])
  expect(['0.0.0.0', '::', '192.168.1.2', '127.example.org'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
  ])
})
