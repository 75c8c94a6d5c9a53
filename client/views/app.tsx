// The page as a whole: which view the address asks for. Links inside the site change the address without a
// reload; everything else is left to the browser.

import { useLayoutEffect } from 'preact/hooks'
import { refusal } from '../connection/token.ts'
import { may } from '../state/access.ts'
import { address, formatAddress, goTo, parseAddress } from '../state/address.ts'
import { allRuns } from '../state/listAddress.ts'
import { ConnectJob } from './connectJob.tsx'
import { KeyList, keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { lazyView } from './lazyView.tsx'
import { BusyBar, ConnectionBar, TopBar, TroubleBar } from './topBar.tsx'

// Each page is a file of its own, so that the first one to be seen does not wait for the others.
const RunsPage = lazyView(async () => (await import('./runsPage.tsx')).RunsPage)
const RunPage = lazyView(async () => (await import('./runPage.tsx')).RunPage)
const ComparePage = lazyView(async () => (await import('./comparePage.tsx')).ComparePage)
const TokenGate = lazyView(async () => (await import('./access/tokenGate.tsx')).TokenGate)
const SettingsPage = lazyView(async () => (await import('./settingsPage.tsx')).SettingsPage)

const titles = {
  runs: 'Runs',
  compare: 'Compare',
  settings: 'Settings',
  start: 'Connect a job',
  unknown: 'Not found',
} as const

/** Takes over plain clicks on links to the site's own pages. */
function onLinkClick(event: MouseEvent): void {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return
  const link = (event.target as Element).closest('a')
  if (link === null || link.target !== '' || link.origin !== location.origin) return
  const next = parseAddress(link.pathname, link.search)
  if (next.page === 'unknown') return
  event.preventDefault()
  goTo(next)
}

export function App() {
  const now = address.value
  useLayoutEffect(() => {
    document.addEventListener('click', onLinkClick)
    return () => document.removeEventListener('click', onLinkClick)
  }, [])
  useKeys({
    'g r': () => goTo(allRuns),
    'g s': () => goTo({ page: 'settings', part: 'server' }),
  })
  useLayoutEffect(() => {
    if (now.page !== 'run') document.title = `${titles[now.page]} · Twostep`
    keyListOpen.value = false
  }, [now.page])
  return (
    <>
      {!(now.page === 'run' && now.embed) && <TopBar />}
      <ConnectionBar />
      <TroubleBar />
      <BusyBar />
      {refusal.value !== null || (now.page !== 'settings' && !may('read')) ? (
        <TokenGate />
      ) : now.page === 'runs' ? (
        <RunsPage />
      ) : now.page === 'run' ? (
        <RunPage key={now.runId} address={now} />
      ) : now.page === 'compare' ? (
        <ComparePage address={now} />
      ) : now.page === 'settings' ? (
        <SettingsPage part={now.part} />
      ) : now.page === 'start' ? (
        <ConnectJob />
      ) : (
        <main class="page">
          <h1 class="page-title">Nothing here</h1>
          <section class="card empty">
            <p>
              There is no page at {now.path}. <a href={formatAddress(allRuns)}>All runs</a>
            </p>
          </section>
        </main>
      )}
      <KeyList />
    </>
  )
}
