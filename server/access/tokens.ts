// The tokens of a server: made, found, rotated, revoked. A secret is 32 random bytes; what is stored is its SHA-256. A slow
// hash would add nothing: there is no guessing 256 random bits, and each telemetry batch would pay for it. All of them are
// held in memory; where several servers use a database, they are read again when another one has changed them, and before a
// token is refused that another one may have made just now.

import { createHash, timingSafeEqual } from 'node:crypto'
import { limits } from '../../protocol/limits.ts'
import type { CreateToken, NewToken, Token } from '../../protocol/vocabulary.ts'
import { type Clock, isoTime } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { AccessStore, StoredToken } from '../storage/access.ts'
import { Attempts } from './attempts.ts'
import { type Caller, localCaller } from './caller.ts'

/** What a secret looks like: by this, scanners of published code find one. */
const secretPattern = /^tw_[A-Za-z0-9_-]{43}$/
/** The use of a token is noted this often. */
const useMilliseconds = 60_000

/** Of unknown tokens there is a read no oftener: who guesses costs the database nothing. */
export const learnMilliseconds = 100

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export type TokensOptions = {
  readonly store: AccessStore
  readonly clock: Clock
  readonly log: Log
  /** Whether a caller without a token is refused. */
  readonly isRequired: boolean
  /** Whether other servers make tokens in the same database. */
  readonly isShared?: boolean
  readonly newId: () => string
  /** 32 random bytes, as text of 43 characters. */
  readonly newSecret: () => string
  readonly inHand?: InHand
}

const isActive = ({ revokedAt, expiresAt }: StoredToken, now: number) =>
  revokedAt === null && (expiresAt === null || expiresAt > now)

const refused = (
  code: 'token-missing' | 'token-invalid' | 'token-expired' | 'token-revoked',
  detail: string,
) =>
  new ServerError(code, detail, {
    challenge: code === 'token-missing' ? '' : `error="invalid_token", error_description="${code}"`,
  })

type Wish = Pick<StoredToken, 'name' | 'scopes' | 'project' | 'expiresAt'>

export class Tokens {
  private readonly options: TokensOptions
  private readonly attempts: Attempts
  private readonly byId = new Map<string, StoredToken>()
  /** By the first half of the digest; the whole of it is compared in constant time. */
  private readonly byDigest = new Map<string, StoredToken>()
  private readonly noted = new Map<string, number>()
  private readonly listeners = new Set<(id: string) => void>()
  /** The read that begins next, for all who wait for one. */
  private learning: Promise<void> | undefined
  private learntAt = Number.NEGATIVE_INFINITY

  constructor(options: TokensOptions) {
    this.options = options
    this.attempts = new Attempts(options.clock)
  }

  get isRequired(): boolean {
    return this.options.isRequired
  }

  /** As they are stored; another server may have changed them. */
  async load(): Promise<void> {
    const stored = await this.options.store.tokens()
    const now = this.options.clock.now()
    const ids = new Set(stored.map(({ id }) => id))
    const before = [...this.byId.values()].filter((token) => isActive(token, now))
    for (const { id, digest } of [...this.byId.values()].filter((token) => !ids.has(token.id)))
      this.forget(id, digest)
    for (const token of stored) this.remember(token)
    for (const { id } of before) {
      const token = this.byId.get(id)
      if (token === undefined || !isActive(token, now)) for (const listener of this.listeners) listener(id)
    }
  }

  /** A token of an admin, where tokens are demanded and nobody has one; undefined = somebody has. */
  async first(): Promise<NewToken | undefined> {
    const now = this.options.clock.now()
    const active = [...this.byId.values()].filter((token) => isActive(token, now))
    if (!this.isRequired || active.some(({ scopes }) => scopes.includes('admin'))) return undefined
    const name = active.some((token) => token.name === 'first') ? `admin ${isoTime(now)}` : 'first'
    const { token, secret } = this.drawn({ name, scopes: ['admin'], project: null, expiresAt: null })
    // Another server that begins beside this one may have been faster; its log has the secret.
    if (!(await this.options.store.addFirstAdmin(token))) return undefined
    this.remember(token)
    return { token: shown(token, now), secret }
  }

  /**
   * Where another server may have made this token just now: to be waited for before `admit`. Undefined = there is nothing to wait for.
   * Who has guessed too often waits for nothing, and is refused.
   * @throws ServerError where the database does not answer: that is no wrong token.
   */
  learn(secret: string | undefined, from: string): Promise<void> | undefined {
    const { isShared, isRequired, inHand } = this.options
    if (isShared !== true || !isRequired || secret === undefined || !secretPattern.test(secret))
      return undefined
    if (this.found(secret) !== undefined || this.attempts.isOver(from)) return undefined
    this.learning ??= this.readNew()
    inHand?.hold(this.learning)
    return this.learning
  }

  /** Adds what is new and changes nothing else: what is changed here meanwhile is newer than what was read. */
  private async readNew(): Promise<void> {
    const { clock, store } = this.options
    const wait = this.learntAt + learnMilliseconds - clock.monotonic()
    await new Promise<void>((resolve) => (wait > 0 ? clock.after(wait, resolve) : resolve()))
    // Whoever comes from now on needs a read that begins later.
    this.learning = undefined
    this.learntAt = clock.monotonic()
    for (const token of await store.tokens()) if (!this.byId.has(token.id)) this.remember(token)
  }

  /**
   * Who comes with this secret, or without one.
   * @param from address of the caller, to bound how often a wrong one may come
   * @throws ServerError `token-missing`, `token-invalid`, `token-expired`, `token-revoked`, `too-many-attempts`.
   */
  admit(secret: string | undefined, from: string): Caller {
    const { clock, isRequired, log } = this.options
    const token = secret === undefined ? undefined : this.found(secret)
    if (token !== undefined && isActive(token, clock.now())) return this.used(token)
    if (!isRequired) return localCaller
    if (secret === undefined)
      throw refused('token-missing', 'this server demands a token: send it as "Authorization: Bearer tw_…"')
    if (token !== undefined && token.revokedAt === null)
      throw refused('token-expired', `the token "${token.name}" has expired, at ${isoTime(token.expiresAt!)}`)
    if (token !== undefined) throw refused('token-revoked', `the token "${token.name}" was revoked`)
    const { waitSeconds, isFirst } = this.attempts.failed(from)
    if (waitSeconds === 0) throw refused('token-invalid', 'this server knows no such token')
    // Once for each address and time: whoever tries fills no log.
    if (isFirst) log('warn', 'many wrong tokens come from one address', { from })
    throw new ServerError('too-many-attempts', 'too many wrong tokens came from this address', {
      retryAfterSeconds: waitSeconds,
    })
  }

  /** Whether a caller that was admitted earlier would be now. */
  isAdmitted({ tokenId }: Caller): boolean {
    const token = tokenId === null ? undefined : this.byId.get(tokenId)
    return tokenId === null
      ? !this.isRequired
      : token !== undefined && isActive(token, this.options.clock.now())
  }

  /** Newest first. */
  list(): Token[] {
    const now = this.options.clock.now()
    return [...this.byId.values()].sort((a, b) => b.createdAt - a.createdAt).map((token) => shown(token, now))
  }

  /** @throws ServerError `invalid-request`, `token-exists`, `too-many-tokens`. */
  async create(request: CreateToken): Promise<NewToken> {
    const { clock } = this.options
    const now = clock.now()
    const active = [...this.byId.values()].filter((token) => isActive(token, now))
    if (active.some(({ name }) => name === request.name))
      throw new ServerError(
        'token-exists',
        `there is a token "${request.name}" already: rotate it, or give another name`,
      )
    if (active.length >= limits.tokensMax)
      throw new ServerError(
        'too-many-tokens',
        `there are ${limits.tokensMax} tokens in force, which is the most allowed: revoke one first`,
      )
    const expiresAt = request.expiresAt === null ? null : Date.parse(request.expiresAt)
    if (expiresAt !== null && expiresAt <= now)
      throw invalid('/expiresAt', `must be later than now, got ${request.expiresAt}`)
    if (request.project !== null && request.scopes.includes('admin'))
      throw invalid('/project', 'must be null for the scope "admin", which makes tokens of any project')
    return this.made({ ...request, scopes: [...new Set(request.scopes)], expiresAt })
  }

  /**
   * A new secret for the same rights, over the same time; the old one holds for the grace that is given.
   * @throws ServerError `token-not-found`.
   */
  async rotate(id: string, graceSeconds: number): Promise<NewToken> {
    const old = this.active(id)
    const now = this.options.clock.now()
    const { name, scopes, project, expiresAt, createdAt } = old
    const next = expiresAt === null ? null : now + (expiresAt - createdAt)
    const made = await this.made({ name, scopes, project, expiresAt: next })
    if (graceSeconds === 0) await this.end(old)
    else {
      const until = now + 1_000 * graceSeconds
      await this.save({ ...old, expiresAt: expiresAt === null ? until : Math.min(expiresAt, until) })
    }
    return made
  }

  /** @throws ServerError `token-not-found`, `token-needed`. */
  async revoke(id: string): Promise<void> {
    const token = this.active(id)
    const now = this.options.clock.now()
    const isAdmin = (one: StoredToken) => one.scopes.includes('admin') && isActive(one, now)
    const others = [...this.byId.values()].filter((one) => one.id !== id && isAdmin(one))
    if (this.isRequired && token.scopes.includes('admin') && others.length === 0)
      throw new ServerError(
        'token-needed',
        `"${token.name}" is the last token that may make others: make another one first, or rotate it`,
      )
    await this.end(token)
  }

  /** A token as the audit names it. */
  named(id: string): string {
    const token = this.byId.get(id)
    return token === undefined ? 'no token' : `token "${token.name}" (${id})`
  }

  /** Listens to tokens that are revoked. */
  onRevoked(listener: (id: string) => void): void {
    this.listeners.add(listener)
  }

  private active(id: string): StoredToken {
    const token = this.byId.get(id)
    if (token !== undefined && token.revokedAt === null) return token
    throw new ServerError('token-not-found', `there is no token "${id}" in force`)
  }

  private found(secret: string): StoredToken | undefined {
    if (!secretPattern.test(secret)) return undefined
    const digest = digestOf(secret)
    const token = this.byDigest.get(digest.slice(0, 32))
    if (token === undefined) return undefined
    return timingSafeEqual(Buffer.from(token.digest), Buffer.from(digest)) ? token : undefined
  }

  private used(token: StoredToken): Caller {
    const { clock, store, log, inHand } = this.options
    const now = clock.now()
    if (Math.abs(now - (this.noted.get(token.id) ?? Number.NEGATIVE_INFINITY)) >= useMilliseconds) {
      this.noted.set(token.id, now)
      this.remember({ ...token, lastUsedAt: now })
      // Whoever comes is not kept waiting for it, nor refused because of it.
      const noted = store
        .noteTokenUse(token.id, now)
        .catch((error) => log('warn', 'the use of a token was not noted', { error }))
      inHand?.hold(noted)
    }
    const { name, id: tokenId, scopes, project, expiresAt } = token
    return { name, tokenId, scopes, project, expiresAt }
  }

  private async made(wish: Wish): Promise<NewToken> {
    const { token, secret } = this.drawn(wish)
    await this.save(token)
    await this.tidy()
    return { token: shown(token, token.createdAt), secret }
  }

  /** With a secret of its own, and not stored. */
  private drawn(wish: Wish): { readonly token: StoredToken; readonly secret: string } {
    const { clock, newId, newSecret } = this.options
    const secret = `tw_${newSecret()}`
    const now = clock.now()
    const token = {
      id: newId(),
      ...wish,
      digest: digestOf(secret),
      createdAt: now,
      lastUsedAt: null,
      revokedAt: null,
    }
    return { token, secret }
  }

  private async end(token: StoredToken): Promise<void> {
    await this.save({ ...token, revokedAt: this.options.clock.now() })
    await this.tidy()
    for (const listener of this.listeners) listener(token.id)
  }

  /** Forgets those that were over first, where there are too many. */
  private async tidy(): Promise<void> {
    const now = this.options.clock.now()
    const over = [...this.byId.values()].filter((token) => !isActive(token, now))
    const endOf = ({ revokedAt, expiresAt }: StoredToken) => revokedAt ?? expiresAt!
    const gone = over.sort((a, b) => endOf(b) - endOf(a)).slice(limits.endedTokensMax)
    for (const { id, digest } of gone) {
      await this.options.store.deleteToken(id)
      this.forget(id, digest)
    }
  }

  private forget(id: string, digest: string): void {
    this.byId.delete(id)
    this.byDigest.delete(digest.slice(0, 32))
  }

  private async save(token: StoredToken): Promise<void> {
    await this.options.store.putToken(token)
    this.remember(token)
  }

  private remember(token: StoredToken): void {
    this.byId.set(token.id, token)
    this.byDigest.set(token.digest.slice(0, 32), token)
  }
}

const invalid = (pointer: string, detail: string) =>
  new ServerError('invalid-request', `${pointer} ${detail}`, { errors: [{ pointer, detail }] })

function shown({ digest: _digest, ...token }: StoredToken, now: number): Token {
  const { revokedAt, expiresAt, createdAt, lastUsedAt } = token
  const timeOf = (at: number | null) => (at === null ? null : isoTime(at))
  return {
    ...token,
    state: revokedAt !== null ? 'revoked' : isActive({ ...token, digest: '' }, now) ? 'active' : 'expired',
    createdAt: isoTime(createdAt),
    expiresAt: timeOf(expiresAt),
    lastUsedAt: timeOf(lastUsedAt),
    revokedAt: timeOf(revokedAt),
  }
}
