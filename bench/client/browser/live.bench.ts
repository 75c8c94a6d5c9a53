// A run that reports 500 steps a second over HTTP, watched by one page: frames of each second, and what the page holds after
// a collection of garbage, minute by minute.

import type { CDPSession } from '@playwright/test'
import { quantile } from 'simple-statistics'
import { openRun } from '../../../e2e/fixtures/runPage.ts'
import { HttpJob } from '../httpJob.ts'
import { countFrames } from './inPage.ts'
import { test } from './part.ts'

const stepsPerSecond = 500
const reportsPerSecond = 10
const budgetSteps = 1_000_000
const msPerMinute = 60_000

type Held = { readonly heapMb: number; readonly nodes: number; readonly listeners: number }

async function held(cdp: CDPSession): Promise<Held> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await cdp.send('Memory.getDOMCounters')
  return { heapMb: usedSize / 1_048_576, nodes, listeners: jsEventListeners }
}

test('a live run', async ({ asked, server, coldPage, keep }) => {
  const batchSteps = stepsPerSecond / reportsPerSecond
  const job = await HttpJob.start({ url: server.url, runId: 'live', budgetSteps, batchSteps })
  await job.reportUntil(stepsPerSecond)
  const { page, cdp } = await coldPage()
  await openRun(page, server.url, 'live')
  await page.evaluate(countFrames)
  const begun = performance.now()
  const firstStep = job.step
  const taken: Held[] = []
  const minutes = Math.max(1, asked.minutes)
  const msOfLook = (asked.minutes * msPerMinute) / minutes
  let lookAt = msOfLook / 2
  for (;;) {
    const ms = performance.now() - begun
    if (ms >= lookAt) {
      taken.push(await held(cdp))
      lookAt += msOfLook
    }
    if (ms >= asked.minutes * msPerMinute) break
    await job.reportUntil(firstStep + Math.ceil((ms / 1_000) * stepsPerSecond))
    await page.waitForTimeout(1_000 / reportsPerSecond / 2)
  }
  taken.push(await held(cdp))
  const seconds = (performance.now() - begun) / 1_000
  // The second that goes on is not whole, and that of a look waits for the collection.
  const frames = (await page.evaluate(() => window.benchFrames)).slice(1, -1)
  const growth = (of: (one: Held) => number) => of(taken.at(-1)!) - of(taken[0]!)
  const figures = {
    framesP50: quantile([...frames], 0.5),
    framesP5: quantile([...frames], 0.05),
    stepsPerSecond: (job.step - firstStep) / seconds,
    heapGrowthMb: growth(({ heapMb }) => heapMb),
    nodeGrowth: growth(({ nodes }) => nodes),
    listenerGrowth: growth(({ listeners }) => listeners),
  }
  keep('live', figures, { minutes: asked.minutes, taken, frames })
})
