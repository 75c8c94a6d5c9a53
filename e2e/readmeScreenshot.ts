// The README's pictures: MNIST, really trained and really steered, caught in the anneal so that there is a past
// and a future, with the decision that switched beside the charts. Nothing in them is made up, so they differ
// a little each time they are taken.

import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readDecisions } from './fixtures/api.ts'
import { builtPath } from './fixtures/program.ts'
import { openRun } from './fixtures/runPage.ts'
import { expect, test } from './fixtures/test.ts'

const steps = 4_500
/** Share of the anneal that is past when the picture is taken. */
const annealedShare = 0.35
const pictureBytesMax = 300_000

test('pictures of a real run for the README', async ({ server, page, train }) => {
  const folder = builtPath('docs/images')
  mkdirSync(folder, { recursive: true })
  const trainer = train(server.url, { runId: 'mnist-mlp', task: 'mnist', steps })
  await trainer.line(/"event":"decision".*"kind":"switch"/)
  const switched = (await readDecisions(server.url, 'mnist-mlp')).findLast(({ kind }) => kind === 'switch')!
  const run = await openRun(page, server.url, 'mnist-mlp', `?decision=${switched.number}`)
  await run.reaches(switched.step + annealedShare * (steps - switched.step))
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await expect(run.chip).toHaveText('Running')
    const path = join(folder, `run-${colorScheme}.png`)
    await page.screenshot({ path, animations: 'disabled', caret: 'hide' })
    expect(statSync(path).size, path).toBeLessThan(pictureBytesMax)
  }
})
