// From the call that posts a batch to the frame that shows its last step.

import { startJob } from '../../../e2e/fixtures/api.ts'
import { openRun } from '../../../e2e/fixtures/runPage.ts'
import { shownAfterPosts } from '../../../e2e/fixtures/shownSteps.ts'
import { quantilesOf } from '../thresholds.ts'
import { test } from './part.ts'

const budgetSteps = 100_000
const stepsPerPost = 7

test('from post to pixel', async ({ asked, server, coldPage, keep }) => {
  const job = await startJob(server.url, { runId: 'pixel', budgetSteps })
  await job.report(stepsPerPost)
  const { page } = await coldPage()
  const run = await openRun(page, server.url, 'pixel')
  await run.reaches(stepsPerPost)
  const milliseconds = await shownAfterPosts(page, job, { posts: asked.posts, stepsPerPost })
  keep('pixel', quantilesOf('pixel', milliseconds), { milliseconds })
})
