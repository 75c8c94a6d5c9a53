// The bar on every page: home, whether the page is live, theme, key list; under it the bar that says that the
// connection is lost (after 3 s, since most losses are shorter) and that it is back (for 2 s).

import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import { busyReads } from '../connection/busy.ts'
import { connection, retryNow } from '../connection/live.ts'
import { trouble } from '../connection/read.ts'
import { address, formatAddress } from '../state/address.ts'
import { nowMs } from '../state/clock.ts'
import { allRuns } from '../state/listAddress.ts'
import { caughtUp, runState } from '../state/runPage.ts'
import { chooseTheme, theme, themeAfter } from '../state/theme.ts'
import { Icon, Logo } from './icons.tsx'
import { keyListOpen } from './keyList.tsx'

/** A loss shorter than this is not worth a bar, in milliseconds. */
const lostShownAfterMs = 3_000
const backShownMs = 2_000

const themeWords = { system: 'as the system', light: 'light', dark: 'dark' } as const

function ConnectionSign() {
  const { kind } = connection.value
  const words = kind === 'live' ? 'Live' : kind === 'connecting' ? 'Connecting' : 'Disconnected'
  return (
    <span class={`connection connection-${kind}`} title={words}>
      <i aria-hidden="true" />
      <span>{words}</span>
    </span>
  )
}

export function TopBar() {
  const { page } = address.value
  const inRuns = page === 'runs' || page === 'run'
  return (
    <header class="top">
      <a class="brand" href={formatAddress(allRuns)} aria-label="Twostep, all runs">
        <Logo />
        Twostep
      </a>
      <nav aria-label="Main">
        <a
          href={formatAddress(allRuns)}
          aria-current={page === 'runs' ? 'page' : inRuns ? 'true' : undefined}
        >
          Runs
        </a>
        <a
          href={formatAddress({ page: 'start', framework: 'pytorch' })}
          aria-current={page === 'start' ? 'page' : undefined}
        >
          Connect
        </a>
        <a
          class="settings-link"
          href={formatAddress({ page: 'settings', part: 'server' })}
          aria-current={page === 'settings' ? 'page' : undefined}
        >
          Settings
        </a>
      </nav>
      <span class="space" />
      <ConnectionSign />
      <button
        type="button"
        class="icon-button"
        aria-label={`Theme: ${themeWords[theme.value]}. Change`}
        title={`Theme: ${themeWords[theme.value]}`}
        onClick={() => chooseTheme(themeAfter(theme.value))}
      >
        <Icon name={theme.value} size={16} />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts"
        onClick={() => {
          keyListOpen.value = true
        }}
      >
        <Icon name="question" size={16} />
      </button>
    </header>
  )
}

/** What is wrong between this page and the server: loading the page anew is the way out. */
export function TroubleBar() {
  const words = trouble.value
  if (words === null) return null
  return (
    <section class="bar bar-lost" role="alert" aria-label="Trouble">
      <Icon name="alert" size={16} />
      <p>{words}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        Reload
      </button>
    </section>
  )
}

/** The server has refused reads for a while: what is missing is asked for again, and nothing has to be pressed. */
export function BusyBar() {
  if (busyReads.value === 0) return null
  return (
    <section class="bar bar-lost" role="status" aria-label="Busy">
      <Icon name="stale" size={16} />
      <p>
        <b>The server is busy.</b> What is missing here is asked for again, and comes by itself.
      </p>
    </section>
  )
}

export function ConnectionBar() {
  const state = connection.value
  const now = nowMs.value
  if (state.kind === 'lost') {
    if (now - state.sinceMs < lostShownAfterMs) return null
    const seconds = Math.max(0, Math.ceil((state.retryAtMs - now) / 1000))
    const onRun = address.value.page === 'run' && runState.value.run !== null
    return (
      <section class="bar bar-lost" aria-label="Connection">
        <Icon name="offline" size={16} />
        <p>
          <b>Disconnected.</b>{' '}
          {onRun
            ? `Showing data up to step ${formatStep(runState.value.run?.step ?? 0)}. Training goes on.`
            : ''}{' '}
          {seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again now.'}
        </p>
        <button type="button" class="button" onClick={retryNow}>
          Now
        </button>
      </section>
    )
  }
  const back = caughtUp.value
  if (state.kind !== 'live' || back === null || now - back.atMs > backShownMs) return null
  return (
    <section class="bar bar-back" aria-label="Connection">
      <Icon name="finished" size={14} />
      <p>{backWords(back.count)}</p>
    </section>
  )
}

export function backWords(count: number): string {
  return count === 0 ? 'Connected.' : `Connected. ${formatPlural(count, 'decision')} arrived meanwhile.`
}
