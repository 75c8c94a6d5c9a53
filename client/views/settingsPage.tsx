// Settings of the page, kept in this browser, and what the server says of itself.

import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren, ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Health, Version } from '../../protocol/vocabulary.ts'
import { fetchHealth, fetchReady, fetchVersion } from '../connection/api.ts'
import { basePath, serverUrl } from '../connection/base.ts'
import { connection } from '../connection/live.ts'
import type { Answer } from '../connection/read.ts'
import { formatAddress, type SettingsPart, settingsParts } from '../state/address.ts'
import { chooseSingleKeys, singleKeys } from '../state/singleKeys.ts'
import { chooseTheme, type Theme, theme, themes } from '../state/theme.ts'
import { TokensPage } from './access/tokensPage.tsx'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { lazyView } from './lazyView.tsx'
import '../style/settings.css'

const themeTitle: Readonly<Record<Theme, string>> = { system: 'As the system', light: 'Light', dark: 'Dark' }

// What an admin alone sees is a file of its own.
const WebhooksPage = lazyView(async () => (await import('./webhooks/webhooksPage.tsx')).WebhooksPage)
const AuditTable = lazyView(async () => (await import('./access/auditTable.tsx')).AuditTable)
const RemovedRunsList = lazyView(async () => (await import('./access/removedRuns.tsx')).RemovedRunsList)

const partTitle: Readonly<Record<SettingsPart, string>> = {
  server: 'Page and server',
  tokens: 'Tokens',
  webhooks: 'Webhooks',
  audit: 'Audit',
  deleted: 'Deleted runs',
}
const partView: Readonly<Record<SettingsPart, ComponentType>> = {
  server: PageAndServer,
  tokens: TokensPage,
  webhooks: WebhooksPage,
  audit: AuditTable,
  deleted: RemovedRunsList,
}

export function SettingsPage(props: { part: SettingsPart }) {
  const { part } = props
  const Part = partView[part]
  useKeys({
    '?': () => {
      keyListOpen.value = true
    },
  })
  return (
    <main class="page settings">
      <h1 class="page-title">Settings</h1>
      <nav class="settings-parts" aria-label="Settings">
        {settingsParts.map((name) => (
          <a
            key={name}
            href={formatAddress({ page: 'settings', part: name })}
            aria-current={part === name ? 'page' : undefined}
          >
            {partTitle[name]}
          </a>
        ))}
      </nav>
      <Part />
    </main>
  )
}

function PageAndServer() {
  return (
    <>
      <section class="card" aria-labelledby="settings-page">
        <h2 id="settings-page">This page</h2>
        <p class="sub">Kept in this browser.</p>
        <ThemeChoice />
        <KeysChoice />
      </section>
      <Server />
    </>
  )
}

function ThemeChoice() {
  return (
    <fieldset>
      <legend>Theme</legend>
      {themes.map((name) => (
        <label key={name}>
          <input
            type="radio"
            name="theme"
            checked={theme.value === name}
            onChange={() => chooseTheme(name)}
          />
          {themeTitle[name]}
        </label>
      ))}
    </fieldset>
  )
}

function KeysChoice() {
  return (
    <fieldset>
      <legend>Single-key shortcuts</legend>
      <label>
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => chooseSingleKeys(event.currentTarget.checked)}
        />
        On
      </label>
      <p class="sub">
        Off, a key that is pressed by accident or heard by speech input does nothing. Escape still closes, and
        the keys in a chart work while it has the focus.
      </p>
      <button type="button" class="link" onClick={() => (keyListOpen.value = true)}>
        All keys
      </button>
    </fieldset>
  )
}

/** How often the server's state is asked for while the page is seen, in milliseconds. */
const askMs = 10_000

type Asked<T> = Signal<Answer<T> | null>

function Server() {
  const health: Asked<Health> = useSignal(null)
  const ready: Asked<Health> = useSignal(null)
  const version: Asked<Version> = useSignal(null)
  useEffect(() => {
    let gone = false
    const ask = async () => {
      if (document.hidden) return
      const [isUp, isReady, about] = await Promise.all([fetchHealth(), fetchReady(), fetchVersion()])
      if (gone) return
      health.value = isUp
      ready.value = isReady
      version.value = about
    }
    void ask()
    const timer = setInterval(() => void ask(), askMs)
    return () => {
      gone = true
      clearInterval(timer)
    }
  }, [health, ready, version])
  const told = (asked: Answer<unknown> | null, words: () => string) =>
    asked === null ? 'Asking…' : asked.ok ? words() : asked.problem.detail
  const about = version.value?.ok ? version.value.value : null
  const storage = ready.value?.ok ? (ready.value.value.storage ?? 'unknown') : ''
  return (
    <section class="card" aria-labelledby="settings-server">
      <h2 id="settings-server">Server</h2>
      <dl>
        <Row title="Address">{serverUrl()}</Row>
        <Row title="Version">
          {told(version.value, () => `${about?.version}, wire ${about?.protocol}, rules ${about?.tuner}`)}
        </Row>
        <Row title="Node">{told(version.value, () => about?.node ?? 'Told to who may read all runs')}</Row>
        <Row title="Answers">{told(health.value, () => 'Yes')}</Row>
        <Row title="Storage">{told(ready.value, () => `${storage}, can be written`)}</Row>
        <Row title="Live">
          {connection.value.kind === 'live'
            ? 'Connected'
            : connection.value.kind === 'connecting'
              ? 'Connecting…'
              : 'Disconnected'}
        </Row>
      </dl>
      <p class="links">
        <a href={`${basePath}/openapi.json`}>The HTTP API as OpenAPI</a>
      </p>
    </section>
  )
}

function Row(props: { title: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.title}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}
