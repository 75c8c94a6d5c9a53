// The page as a whole: which view the address asks for. Links inside the site change the address without a
// reload; everything else is left to the browser.

import { useLayoutEffect } from 'preact/hooks'
import { address, goTo, parseAddress } from '../state/address.ts'
import { allRuns } from '../state/listAddress.ts'
import { KeyList, keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import { lazyView } from './lazyView.tsx'
import { RunPage } from './runPage.tsx'
import { RunsPage } from './runsPage.tsx'
import { ConnectionBar, TopBar, TroubleBar } from './topBar.tsx'

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

const titles = { runs: 'Runs', compare: 'Compare', unknown: 'Not found' } as const

const ComparePage = lazyView(async () => (await import('./comparePage.tsx')).ComparePage)

export function App() {
  const now = address.value
  useLayoutEffect(() => {
    document.addEventListener('click', onLinkClick)
    return () => document.removeEventListener('click', onLinkClick)
  }, [])
  useKeys({ 'g r': () => goTo(allRuns) })
  useLayoutEffect(() => {
    if (now.page !== 'run') document.title = `${titles[now.page]} · Twostep`
    keyListOpen.value = false
  }, [now.page])
  return (
    <>
      <TopBar />
      <ConnectionBar />
      <TroubleBar />
      {now.page === 'runs' ? (
        <RunsPage />
      ) : now.page === 'run' ? (
        <RunPage key={now.runId} address={now} />
      ) : now.page === 'compare' ? (
        <ComparePage address={now} />
      ) : (
        <main class="page">
          <h1 class="page-title">Nothing here</h1>
          <section class="card empty">
            <p>
              There is no page at {now.path}. <a href="/">All runs</a>
            </p>
          </section>
        </main>
      )}
      <KeyList />
    </>
  )
}
