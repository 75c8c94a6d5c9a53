// How long a posted batch takes to be on the screen. Measured on the page's own clock and reported; not asserted, since it
// is a time.

import { startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { shownAfterPosts } from '../fixtures/shownSteps.ts'
import { expect, test } from '../fixtures/test.ts'

const posts = 60
const stepsPerPost = 7

test('a posted batch is on the screen soon; the times are reported', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'latency', budgetSteps: 100_000 })
  await job.report(stepsPerPost)
  const run = await openRun(page, server.url, 'latency')
  await run.reaches(stepsPerPost)
  const milliseconds = await shownAfterPosts(page, job, { posts, stepsPerPost })
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
