// The gallery: the page's own views on sample values, for looking at them and for the screenshot tests. Development only (open
// /gallery/ under the dev server: it lists the scenes); nothing of it is in the bundle. `show` picks the scene, the rest of the
// query is that of the page.

import { render } from 'preact'
import { connection } from '../connection/live.ts'
import { trouble } from '../connection/read.ts'
import { access } from '../state/access.ts'
import { address, parseAddress } from '../state/address.ts'
import { startClock } from '../state/clock.ts'
import { calibration } from '../state/forecasts.ts'
import { emptyRunList, namedRuns, runCounts, runGroups, runList } from '../state/runList.ts'
import { caughtUp, runState } from '../state/runPage.ts'
import { emptyRunState } from '../state/runState.ts'
import { startTheme } from '../state/theme.ts'
import { App } from '../views/app.tsx'
import {
  type PageScene,
  pageScenes,
  sampleCalibration,
  sampleCounts,
  sampleGroups,
  sampleRuns,
  secondsAgo,
} from './listScenes.ts'
import { type Bar, type RunScene, runOf, runScenes } from './runScenes.ts'
import { sampleAccess } from './sampleAccess.ts'
import { startSampleServer } from './sampleServer.ts'
import '../style/charts.css'
import '../style/list.css'
import '../style/page.css'
import '../style/panel.css'
import '../style/run.css'
import '../style/runs.css'
import '../style/doing.css'
import '../style/tokens.css'
import '../style/touch.css'

const query = new URLSearchParams(location.search)
const root = document.getElementById('app') as HTMLElement

/** What the page would know of the scene's run, had it been told by a server. */
function setRun(scene: RunScene): void {
  const sample = runOf(scene)
  const { run, decisions, series } = sample
  const silentSeconds = scene.options.state === 'stale' ? 245 : 1
  startSampleServer(sample)
  const known = { ...run, lastSeenAt: secondsAgo(silentSeconds) }
  const problem = { type: 'about:blank', title: 'Not found', status: 404, detail: '', code: 'run-not-found' }
  const isKnown = scene.known === undefined
  runState.value = {
    ...emptyRunState(run.id),
    ...(isKnown || scene.known === 'removed' ? { run: known } : {}),
    ...(isKnown ? { series, signalNames: Object.keys(series.signals), loaded: true } : {}),
    decisions: isKnown
      ? decisions.map((decision, i) => ({
          ...decision,
          madeAt: secondsAgo(4 + 12 * (decisions.length - 1 - i)),
        }))
      : [],
    removed: scene.known === 'removed',
    problem: scene.known === 'absent' ? problem : null,
  }
  address.value = parseAddress(`/runs/${run.id}`, `${scene.query ?? ''}&${query}`)
}

function setPage({ path, list }: PageScene): void {
  startSampleServer(null)
  access.value = sampleAccess
  const [name = '/', parameters = ''] = path.split('?')
  const runs = list === undefined ? sampleRuns() : []
  calibration.value = sampleCalibration
  runCounts.value = sampleCounts
  runGroups.value = sampleGroups
  namedRuns.value = new Map(runs.map((run) => [run.id, run]))
  const failure = list === 'failed' ? 'The server cannot be reached.' : null
  const loaded = list === undefined || list === 'empty'
  runList.value = { ...emptyRunList, runs, loaded, failure, total: runs.length, all: 12 }
  address.value = parseAddress(name, parameters)
}

function setBar(bar: Bar | undefined): void {
  connection.value =
    bar === 'lost'
      ? { kind: 'lost', sinceMs: Date.now() - 9000, retryAtMs: Date.now() + 60_000 }
      : { kind: 'live' }
  if (bar === 'back') caughtUp.value = { count: 3, atMs: Date.now() }
  if (bar === 'trouble') trouble.value = 'The server says something that this page does not understand.'
}

/** Presses one thing after the other, each as soon as it is there. */
function pressInTurn(selectors: readonly string[]): void {
  const [selector, ...others] = selectors
  if (selector === undefined) return
  const found = document.querySelector<HTMLElement>(selector)
  if (found === null) setTimeout(pressInTurn, 20, selectors)
  else {
    found.click()
    pressInTurn(others)
  }
}

function SceneList() {
  const names = [...Object.keys(runScenes), ...Object.keys(pageScenes)]
  return (
    <main class="page">
      <h1 class="page-title">Gallery</h1>
      <section class="card empty">
        <ul>
          {names.map((name) => (
            <li key={name}>
              <a href={`?show=${name}`} target="_self">
                {name}
              </a>
            </li>
          ))}
        </ul>
      </section>
    </main>
  )
}

const show = query.get('show') ?? ''
const scene: RunScene | PageScene | undefined = runScenes[show] ?? pageScenes[show]
startTheme()
startClock()
if (scene === undefined) render(<SceneList />, root)
else {
  if ('options' in scene) setRun(scene)
  else setPage(scene)
  setBar(scene.bar)
  render(<App />, root)
  pressInTurn(scene.press ?? [])
}
