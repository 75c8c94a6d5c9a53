// How long a posted batch takes to be on the screen, from the call of fetch to the frame after the text has
// changed. Measured on the page's own clock and reported; not asserted, since it is a time.

import { startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

const posts = 60
/** Each post follows the frame that showed the one before, so it waits for nearly the whole pause between frames. */
const stepsPerPost = 7

declare global {
  interface Window {
    /** Resolves to the time of the frame that shows a step, in milliseconds since 1970. */
    twostepShown(step: number): Promise<number>
  }
}

/** Runs in the page: watches the text of the headline, which names the step. */
function watchHeadline(): void {
  const shown = new Map<number, number>()
  const waiting = new Map<number, (at: number) => void>()
  const look = () => {
    const step = Number(
      /step ([\d,]+)/.exec(document.querySelector('p.say')?.textContent ?? '')?.[1]?.replaceAll(',', ''),
    )
    if (Number.isNaN(step) || shown.has(step)) return
    shown.set(step, Number.NaN)
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      // A message sent in a frame arrives after that frame was painted.
      channel.port1.onmessage = () => {
        const mark = performance.mark(`step ${step} is shown`)
        shown.set(step, performance.timeOrigin + mark.startTime)
        waiting.get(step)?.(shown.get(step)!)
      }
      channel.port2.postMessage(null)
    })
  }
  window.twostepShown = (step) => {
    const at = shown.get(step)
    return at === undefined || Number.isNaN(at)
      ? new Promise((resolve) => waiting.set(step, resolve))
      : Promise.resolve(at)
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
}

test('a posted batch is on the screen soon; the times are reported', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'latency', budgetSteps: 100_000 })
  await job.report(stepsPerPost)
  const run = await openRun(page, server.url, 'latency')
  await run.reaches(stepsPerPost)
  await page.evaluate(watchHeadline)
  const milliseconds: number[] = []
  for (let post = 2; post <= posts + 1; post++) {
    const posted = performance.timeOrigin + performance.now()
    await job.report(stepsPerPost)
    const shown = await page.evaluate((step) => window.twostepShown(step), post * stepsPerPost)
    milliseconds.push(shown - posted)
  }
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(0)
  const report = `post to pixel over ${posts} posts: median ${quantile(0.5)} ms, p90 ${quantile(0.9)} ms, p99 ${quantile(0.99)} ms, worst ${quantile(1)} ms`
  test.info().annotations.push({ type: 'post to pixel', description: report })
  await test
    .info()
    .attach('post-to-pixel.json', { body: JSON.stringify(milliseconds), contentType: 'application/json' })
  console.log(report)
  expect(milliseconds).toHaveLength(posts)
  expect(sorted[0]).toBeGreaterThan(0)
})
