// Starts the page: theme, clock, address, live socket, then the views. What is followed changes with the
// address alone.

import { effect, untracked } from '@preact/signals'
import { render } from 'preact'
import { startLive } from './connection/live.ts'
import { loadAccess } from './state/access.ts'
import { address, startAddress } from './state/address.ts'
import { startClock } from './state/clock.ts'
import { followCalibration } from './state/forecasts.ts'
import { followRuns } from './state/runList.ts'
import { followRun } from './state/runPage.ts'
import { startSingleKeys } from './state/singleKeys.ts'
import { startTheme } from './state/theme.ts'
import { App } from './views/app.tsx'
import './style/charts.css'
import './style/list.css'
import './style/page.css'
import './style/panel.css'
import './style/run.css'
import './style/runs.css'
import './style/doing.css'
import './style/tokens.css'
import './style/touch.css'

startTheme()
startSingleKeys()
startClock()
startAddress()
void startLive()
void loadAccess()

/** The list of runs, and how true their promises were. */
function followList(): () => void {
  const stops = [followRuns(), followCalibration()]
  return () => {
    for (const stopOne of stops) stopOne()
  }
}

let followed = ''
let stop = () => {}
effect(() => {
  const now = address.value
  const key = now.page === 'run' ? `run ${now.runId}` : now.page
  if (key === followed) return
  followed = key
  untracked(() => {
    stop()
    stop = now.page === 'run' ? followRun(now.runId) : now.page === 'runs' ? followList() : () => {}
  })
})

render(<App />, document.getElementById('app') as HTMLElement)
