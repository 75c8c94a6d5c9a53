// The server's settings: flag, then environment, then twostep.config.json, then the default. A setting that is
// not understood is an error naming it, its value and what is allowed: a misspelt one would else be ignored.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { CommandError } from './errors.ts'
import { isBasePath } from './http/basePath.ts'
import { whyNoProxy } from './http/place.ts'
import { type LogLevel, logLevels } from './log.ts'
import { whyNotAllowable } from './webhooks/addresses.ts'

export type Config = {
  readonly host: string
  /** Whether callers without a token are refused. */
  readonly requireTokens: boolean
  /** 0 = any free port. */
  readonly port: number
  /** The path of its host under which it is asked, such as `/twostep`; empty = it has the host for itself. */
  readonly basePath: string
  readonly dataDir: string
  /** Absolute path of the SQLite file. */
  readonly databaseFile: string
  /** A PostgreSQL in place of that file; null = the file. It may hold a password: never to be shown. */
  readonly databaseUrl: string | null
  /** Host names (with or without port) besides the loopback ones. */
  readonly allowedHosts: readonly string[]
  /** Addresses and networks of proxies that are believed what they forward. */
  readonly trustProxy: readonly string[]
  /** Origins such as https://example.org besides the server's own. */
  readonly allowedOrigins: readonly string[]
  /** Origins whose pages may show a run in a frame. */
  readonly embedOrigins: readonly string[]
  readonly logLevel: LogLevel
  /** Hosts, addresses and networks within, to which webhooks may lead. */
  readonly webhookAllow: readonly string[]
  /** Where people reach the page, without a slash at its end; null = not told. */
  readonly publicUrl: string | null
  /** Where other servers on the same database reach this one, as http://host or http://host:port; null = it is alone. */
  readonly replicaAddress: string | null
  /** How long it goes on answering after it was told to stop, so that who sends requests may learn of it. */
  readonly drainSeconds: number
  /** Ended runs older than this are deleted; null = none are. */
  readonly retentionDays: number | null
  /** Beyond this the oldest ended runs are deleted; null = no bound. */
  readonly storageMaxBytes: number | null
}

export const settingNames = [
  'host',
  'trustNetwork',
  'requireTokens',
  'port',
  'basePath',
  'dataDir',
  'storageUrl',
  'trustProxy',
  'allowedHosts',
  'allowedOrigins',
  'embedOrigins',
  'logLevel',
  'replicaAddress',
  'drainSeconds',
  'retentionDays',
  'storageMaxBytes',
  'webhookAllow',
  'publicUrl',
] as const
type SettingName = (typeof settingNames)[number]
export type Settings = Partial<Record<SettingName, string>>

const environmentNames: Record<SettingName, string> = {
  host: 'TWOSTEP_HOST',
  trustNetwork: 'TWOSTEP_TRUST_NETWORK',
  requireTokens: 'TWOSTEP_REQUIRE_TOKENS',
  port: 'TWOSTEP_PORT',
  basePath: 'TWOSTEP_BASE_PATH',
  dataDir: 'TWOSTEP_DATA_DIR',
  storageUrl: 'TWOSTEP_STORAGE_URL',
  trustProxy: 'TWOSTEP_TRUST_PROXY',
  allowedHosts: 'TWOSTEP_ALLOWED_HOSTS',
  allowedOrigins: 'TWOSTEP_ALLOWED_ORIGINS',
  embedOrigins: 'TWOSTEP_EMBED_ORIGINS',
  logLevel: 'TWOSTEP_LOG_LEVEL',
  replicaAddress: 'TWOSTEP_REPLICA_ADDRESS',
  drainSeconds: 'TWOSTEP_DRAIN_SECONDS',
  retentionDays: 'TWOSTEP_RETENTION_DAYS',
  storageMaxBytes: 'TWOSTEP_STORAGE_MAX_BYTES',
  webhookAllow: 'TWOSTEP_WEBHOOK_ALLOW',
  publicUrl: 'TWOSTEP_PUBLIC_URL',
}
/** Settings of training jobs: they may stand in the same environment, and are not ours to judge. */
const jobEnvironmentNames = ['SERVER_URL', 'TOKEN', 'MODE', 'PROJECT', 'RUN_ID', 'SPOOL_DIR'].map(
  (name) => `TWOSTEP_${name}`,
)
export const configFileName = 'twostep.config.json'

type Source = { readonly value: string; readonly from: string }

function settingsFromFile(folder: string): Partial<Record<SettingName, Source>> {
  const file = join(folder, configFileName)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, 2)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    // Without the piece of the file that it quotes.
    const why = (error as Error).message.replace(/,? (?:\.\.\.)?".*is not valid JSON$/s, '')
    throw new CommandError(`${file} is not JSON: ${why}`, 2)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new CommandError(
      `${file} must hold an object of settings, got ${Array.isArray(parsed) ? 'a list' : parsed === null ? 'null' : `a ${typeof parsed}`}`,
      2,
    )
  const settings: Partial<Record<SettingName, Source>> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (!(settingNames as readonly string[]).includes(key))
      throw new CommandError(`${file}: unknown setting "${key}"; allowed are ${settingNames.join(', ')}`, 2)
    if (typeof value !== 'string' && typeof value !== 'number' && !isStringList(value))
      throw new CommandError(
        `${file}: "${key}" must be text, a number or a list of texts, got ${JSON.stringify(value)}`,
        2,
      )
    settings[key as SettingName] = { value: String(value), from: `"${key}" in ${file}` }
  }
  return settings
}

const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string')

function settingsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Partial<Record<SettingName, Source>> {
  const known = Object.values(environmentNames)
  for (const name of Object.keys(environment)) {
    if (name.startsWith('TWOSTEP_') && !known.includes(name) && !jobEnvironmentNames.includes(name))
      throw new CommandError(
        // Without its value: of a name that is misspelt it may be a secret.
        `unknown setting ${name} in the environment; allowed are ${known.join(', ')}`,
        2,
      )
  }
  const settings: Partial<Record<SettingName, Source>> = {}
  for (const key of settingNames) {
    const value = environment[environmentNames[key]]
    if (value !== undefined && value !== '') settings[key] = { value, from: environmentNames[key] }
  }
  return settings
}

/** Whether an address can only be reached from this computer. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** What a server listens on to be reached at each address that its computer has. */
export const everyAddress: readonly string[] = ['0.0.0.0', '::']

const list = (value: string): string[] =>
  value
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')

/** A setting that is on or off. */
function switchFrom(source: Source | undefined, on: string): boolean {
  if (source === undefined || source.value === '0') return false
  if (source.value === '1') return true
  throw new CommandError(`${source.from} must be 1 (${on}) or 0, got "${source.value}"`, 2)
}

const trusted = 'everyone who reaches the port may read and steer all runs'
const required = 'callers without a token are refused'

function hostFrom({ value, from }: Source): string {
  if (isLoopback(value) || isIP(value) !== 0) return value
  throw new CommandError(
    `${from} must be an address of this computer (127.0.0.1, 10.0.0.2, ::1; ${everyAddress.join(' or ')} = every one) or localhost, got "${value}"`,
    2,
  )
}

/** Beyond this computer tokens are demanded, unless the person has said that the network keeps others out (docs/decisions/0036). */
function tokensRequired(host: string, given: Partial<Record<SettingName, Source>>): boolean {
  const isAsked = switchFrom(given.requireTokens, required)
  const isTrusted = switchFrom(given.trustNetwork, trusted)
  // A proxy on this computer brings others here, however it is reached.
  return isAsked || !((isLoopback(host) && given.trustProxy === undefined) || isTrusted)
}

function portFrom({ value, from }: Source): number {
  const port = Number(value)
  if (/^\d+$/.test(value) && port <= 65_535) return port
  throw new CommandError(`${from} must be a whole number from 0 (any free port) to 65535, got "${value}"`, 2)
}

function basePathFrom({ value, from }: Source): string {
  if (isBasePath(value)) return value
  throw new CommandError(
    `${from} must be a path such as /twostep, which begins with a slash, ends with none, and has letters, digits, -, ., _ and ~ between them, at most 200 characters, got "${value}"`,
    2,
  )
}

function drainFrom({ value, from }: Source): number {
  if (/^\d{1,3}$/.test(value) && Number(value) <= 300) return Number(value)
  throw new CommandError(`${from} must be whole seconds from 0 to 300, got "${value}"`, 2)
}

/** A bound of what is kept; absent = none. */
function boundFrom(source: Source | undefined, unit: string, least: number): number | null {
  if (source === undefined) return null
  const { value, from } = source
  if (/^\d{1,15}$/.test(value) && Number(value) >= least) return Number(value)
  throw new CommandError(`${from} must be a whole number of ${unit}, ${least} or more, got "${value}"`, 2)
}

function logLevelFrom({ value, from }: Source): LogLevel {
  if ((logLevels as readonly string[]).includes(value)) return value as LogLevel
  throw new CommandError(`${from} must be one of ${logLevels.join(', ')}, got "${value}"`, 2)
}

const isPostgres = ({ value }: Source): boolean => /^postgres(ql)?:/.test(value)

/** What is wrong with it is said without it: it may hold a password. */
function databaseUrlFrom(source: Source | undefined): string | null {
  if (source === undefined || !isPostgres(source)) return null
  const isWhole = URL.canParse(source.value) && /^\/[^/]+$/.test(new URL(source.value).pathname)
  if (isWhole) return source.value
  throw new CommandError(`${source.from} must look like postgresql://user:password@host:5432/database`, 2)
}

function databaseFrom(source: Source | undefined, dataDir: string, folder: string): string {
  if (source === undefined || isPostgres(source)) return join(dataDir, 'twostep.db')
  const { value, from } = source
  const path = /^sqlite:\/\/(\/.+)$/.exec(value)?.[1]
  if (path === undefined)
    throw new CommandError(
      `${from} must look like sqlite:///file or postgresql://user:password@host/database, got "${value}"`,
      2,
    )
  // sqlite:///name is relative to the folder, sqlite:////name is absolute, as SQLAlchemy writes it.
  const file = path.slice(1)
  return isAbsolute(file) ? file : resolve(folder, file)
}

function originsFrom({ value, from }: Source): string[] {
  const origins = list(value)
  for (const origin of origins) {
    // Nothing that would end the entry of a policy.
    if (!/^https?:\/\/[^/\s;,'"]+$/.test(origin))
      throw new CommandError(`${from} must list origins such as https://example.org, got "${origin}"`, 2)
  }
  return origins
}

function proxiesFrom({ value, from }: Source): string[] {
  const proxies = list(value)
  const wrong = proxies.map(whyNoProxy).find((reason) => reason !== undefined)
  if (wrong === undefined) return proxies
  throw new CommandError(`${from} must list proxies such as 127.0.0.1 or 10.0.0.0/8: ${wrong}`, 2)
}

function receiversFrom({ value, from }: Source): string[] {
  const receivers = list(value)
  const wrong = receivers.map(whyNotAllowable).find((reason) => reason !== undefined)
  if (wrong === undefined) return receivers
  throw new CommandError(`${from} must list receivers such as hooks.internal or 10.0.0.0/8: ${wrong}`, 2)
}

/** People come by the same path as the proxy passes on: it need not be written twice. */
function publicUrlFrom({ value, from }: Source, basePath: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isPlain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (isPlain && (url.protocol === 'https:' || url.protocol === 'http:')) {
    const path = url.pathname.replace(/\/+$/, '')
    if (basePath === '' || path === basePath) return url.origin + path
    if (path === '') return url.origin + basePath
    throw new CommandError(
      `${from} must have the path ${basePath} of ${environmentNames.basePath}, or none, got "${value}"`,
      2,
    )
  }
  throw new CommandError(`${from} must be an address such as https://runs.example.org, got "${value}"`, 2)
}

function replicaFrom(source: Source | undefined, storage: Source | undefined): string | null {
  if (source === undefined) return null
  const { value, from } = source
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' || url.href !== `http://${url.host}/`)
    throw new CommandError(
      `${from} must be an address such as http://10.0.0.7:7317 (the port may be left out where it is this server's own), got "${value}"`,
      2,
    )
  if (storage === undefined || !isPostgres(storage))
    throw new CommandError(
      `${from} is for servers that share a PostgreSQL: TWOSTEP_STORAGE_URL must be postgresql://user:password@host/database`,
      2,
    )
  return url.origin
}

function hostsFrom({ value, from }: Source): string[] {
  const hosts = list(value)
  for (const host of hosts) {
    if (!/^[a-z0-9._:[\]-]+$/.test(host))
      throw new CommandError(
        `${from} must list host names such as box.example.org or box:7317, got "${host}"`,
        2,
      )
  }
  return hosts
}

/**
 * The settings in force. `flags` holds what the command line gave, as text.
 * @throws CommandError (exit status 2) naming the setting, its value and what is allowed.
 */
export function loadConfig(
  flags: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Config {
  const given: Partial<Record<SettingName, Source>> = {
    ...settingsFromFile(folder),
    ...settingsFromEnvironment(environment),
  }
  for (const key of settingNames) {
    const value = flags[key]
    const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    if (value !== undefined) given[key] = { value, from: `--${flag}` }
  }
  const dataDir = resolve(folder, given.dataDir?.value ?? '.twostep')
  const host = given.host ? hostFrom(given.host) : '127.0.0.1'
  const basePath = given.basePath ? basePathFrom(given.basePath) : ''
  return {
    host,
    requireTokens: tokensRequired(host, given),
    port: given.port ? portFrom(given.port) : 7317,
    basePath,
    dataDir,
    databaseFile: databaseFrom(given.storageUrl, dataDir, folder),
    databaseUrl: databaseUrlFrom(given.storageUrl),
    trustProxy: given.trustProxy ? proxiesFrom(given.trustProxy) : [],
    allowedHosts: given.allowedHosts ? hostsFrom(given.allowedHosts) : [],
    allowedOrigins: given.allowedOrigins ? originsFrom(given.allowedOrigins) : [],
    embedOrigins: given.embedOrigins ? originsFrom(given.embedOrigins) : [],
    logLevel: given.logLevel ? logLevelFrom(given.logLevel) : 'warn',
    replicaAddress: replicaFrom(given.replicaAddress, given.storageUrl),
    drainSeconds: given.drainSeconds ? drainFrom(given.drainSeconds) : 0,
    retentionDays: boundFrom(given.retentionDays, 'days', 1),
    storageMaxBytes: boundFrom(given.storageMaxBytes, 'bytes', 1_000_000),
    webhookAllow: given.webhookAllow ? receiversFrom(given.webhookAllow) : [],
    publicUrl: given.publicUrl ? publicUrlFrom(given.publicUrl, basePath) : null,
  }
}
