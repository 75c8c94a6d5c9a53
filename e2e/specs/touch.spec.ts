// All that a person can do, by one finger on a phone: taps alone, no mouse and no shortcut. Dragging and stretching charts has a
// test of its own in chartsZoom.spec.ts. What opens a list of the phone's own (a select) is chosen by value, as that list is
// no part of the page.

import type { Page } from '@playwright/test'
import { expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { readDecisions, readRun, startJob, threeRuns } from '../fixtures/api.ts'
import { fingerAlone } from '../fixtures/hands.ts'
import { expectPausedAndDeleted, menuOf } from '../fixtures/runMenu.ts'
import { openRun, runPage } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

test.use({ hasTouch: true, viewport: { width: 390, height: 844 } })

/** A run of 200 steps on its page, with what a test reaches for there. */
async function steered(page: Page, url: string) {
  const job = await startJob(url, { runId: 'tapped', budgetSteps: 4_000, capabilities: ['branch'] })
  await job.report(200)
  const finger = await fingerAlone(page)
  const { details, headline } = await openRun(page, url, 'tapped')
  const button = (name: string) => details.getByRole('button', { name, exact: true })
  return {
    ...{ job, finger, details, headline, button },
    reason: details.getByRole('textbox', { name: 'Reason' }),
    close: () => finger.tap(button('Close').first()),
    useMenu: menuOf(page, finger.tap),
  }
}

test('by finger alone: mode, override, hand back, a copy', async ({ server, page }) => {
  const { url } = server
  const { finger, details, button, reason, close, useMenu } = await steered(page, url)

  await test.step('the mode, there and back', async () => {
    for (const mode of ['Approve', 'Auto']) {
      await finger.tap(page.getByRole('radio', { name: mode }))
      await finger.write(reason, 'let me see')
      await finger.tap(button(`Change to ${mode}`))
      await expect(page.getByRole('radio', { name: mode })).toBeChecked()
      await close()
    }
  })

  await test.step('a rate by hand, and back', async () => {
    await finger.tap(page.getByRole('button', { name: 'Override rate…' }))
    await finger.tapAt(details.getByRole('slider', { name: 'Learning rate, by powers of ten' }), 0.3)
    const rate = await details.getByRole('textbox', { name: 'Learning rate' }).inputValue()
    await finger.write(details.getByRole('textbox', { name: 'Until step' }), '900')
    await finger.write(reason, 'a try')
    await finger.tap(button(`Set ${rate} until step 900`))
    await expect(page.getByRole('button', { name: 'Hand back…' })).toBeVisible()
    expect((await readRun(url, 'tapped')).override?.reason).toBe('a try')
    await close()
    await finger.tap(page.getByRole('button', { name: 'Hand back…' }))
    await finger.tap(button('Hand back'))
    await expect(page.getByRole('button', { name: 'Override rate…' })).toBeVisible()
    await close()
  })

  await test.step('a copy', async () => {
    await useMenu('Anneal a copy…')
    await finger.tap(button('Anneal a copy'))
    await expect(details.getByRole('table')).toContainText('under way')
    await close()
  })
  finger.expectAlone()
})

test('by finger alone: budget, switch, undo, names and tags, finish', async ({ server, page }) => {
  const { url } = server
  const { job, finger, details, headline, button, reason, close, useMenu } = await steered(page, url)

  await test.step('the budget', async () => {
    await useMenu('Change the budget…')
    await finger.write(details.getByRole('textbox', { name: 'Budget' }), '5000')
    await finger.write(reason, 'more data')
    await finger.tap(button('Set the budget to 5,000'))
    await expect.poll(async () => (await readRun(url, 'tapped')).budgetSteps).toBe(5_000)
    await close()
  })

  await test.step('the switch, and its undoing', async () => {
    await finger.tap(page.getByRole('button', { name: 'Switch now…' }))
    await finger.write(reason, 'enough')
    await finger.tap(button('Switch now'))
    await expect.poll(async () => (await readRun(url, 'tapped')).phase).toBe('anneal')
    await job.report(50)
    await expect(headline).toHaveText(/^Annealing/)
    await close()
    await finger.tap(page.getByRole('button', { name: 'Undo switch…' }))
    await finger.write(reason, 'too early')
    await finger.tap(button('Undo the switch'))
    await expect(page.getByRole('button', { name: 'Switch now…' })).toBeVisible()
    await close()
  })

  await test.step('name and tags', async () => {
    await useMenu('Name, project, tags…')
    await finger.write(details.getByRole('textbox', { name: 'Name' }), 'A better name')
    await finger.write(details.getByRole('textbox', { name: 'Tags' }), 'one, two')
    await finger.tap(button('Keep these'))
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('A better name')
    await close()
  })

  await test.step('the end', async () => {
    await useMenu('Finish…')
    await finger.write(reason, 'it is over')
    await finger.tap(button('Finish the run'))
    await expect.poll(async () => (await readRun(url, 'tapped')).phase).toBe('done')
  })
  finger.expectAlone()
})

test('by finger alone: a run that is paused, resumed, deleted, kept after all, and deleted', async ({
  server,
  page,
}) => {
  const finger = await fingerAlone(page)
  await expectPausedAndDeleted(page, server.url, finger.tap)
  finger.expectAlone()
})

test('by finger alone: a question is approved, another one is rejected with a reason', async ({
  server,
  page,
}) => {
  const finger = await fingerAlone(page)
  for (const [runId, answer] of [
    ['yes', 'Approve'],
    ['no', 'Reject'],
  ] as const) {
    const job = await startJob(server.url, { runId, budgetSteps: 2_000, mode: 'approve' })
    await job.report(1_520)
    const { details, chip } = await openRun(page, server.url, runId)
    await finger.tap(page.getByRole('button', { name: 'Answer…' }))
    await finger.write(details.getByRole('textbox', { name: 'Reason' }), 'because')
    await finger.tap(details.getByRole('button', { name: answer }))
    await expect(chip).toHaveText('Running')
    const status = answer === 'Approve' ? 'approved' : 'rejected'
    expect((await readDecisions(server.url, runId)).at(-1)?.status).toBe(status)
  }
  finger.expectAlone()
})

test('by finger alone: cursor, all again, table, files, signals, what if, schedule, log, looking back', async ({
  server,
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const job = await startJob(server.url, { runId: 'read', budgetSteps: 2_000 })
  await job.report(1_000)
  const finger = await fingerAlone(page)
  await page.goto(`${server.url}/runs/read?from=200&to=400`)
  const run = runPage(page)
  const { details, cursor } = run

  await test.step('charts', async () => {
    await finger.tap(page.getByRole('button', { name: 'Whole run' }))
    await expect(page).not.toHaveURL(/from=/)
    await finger.tapAt(cursor.locator('.plot-surface'), 0.25)
    expect(Math.abs((await run.step()) - 500)).toBeLessThan(12)
    await finger.tap(page.getByRole('button', { name: 'Loss as a table' }))
    await expect(page.getByRole('region', { name: 'Loss, table' })).toBeVisible()
    await finger.tap(page.getByRole('button', { name: 'Loss as a table' }))
    const file = page.waitForEvent('download')
    await finger.tap(page.getByRole('button', { name: 'Save Loss' }))
    await finger.tap(page.getByRole('button', { name: 'Picture (PNG)' }))
    expect((await file).suggestedFilename()).toBe('read.loss.png')
    await page.getByLabel('Steps').selectOption('500')
    await expect(page).toHaveURL(/last=500/)
    await page.getByLabel('Steps').selectOption('all')
    await finger.tap(page.getByRole('button', { name: 'More signals' }))
    await finger.tap(page.getByRole('checkbox', { name: /smoothed/i }).first())
    await expect(page).toHaveURL(/panels=/)
    await finger.tap(page.getByRole('button', { name: 'More signals' }))
  })

  await test.step('panels', async () => {
    const tab = (name: string) => finger.tap(details.getByRole('tab', { name }))
    await tab('What if')
    await finger.tapAt(details.getByRole('slider', { name: 'Budget, steps, by powers of ten' }), 0.25)
    await expect(details).toContainText('Differs at: switch planned at step 1,500 →')
    await tab('Schedule')
    await details.getByRole('combobox').selectOption('csv')
    await expect(details.locator('pre')).toContainText('step,learningRate')
    await finger.tap(details.getByRole('button', { name: 'Copy' }))
    await expect(details.getByRole('status')).toHaveText('Copied.')
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('step,learningRate')
    await tab('Log')
    await details.getByRole('combobox', { name: 'Kind of decision' }).selectOption('start')
    await finger.tap(details.locator('.log-entry').first())
    await expect(page).toHaveURL(/decision=1\b/)
    // Closing what came up goes back to live.
    await finger.tap(details.getByRole('button', { name: 'Close', exact: true }))
    await expect(page).not.toHaveURL(/decision=/)
    await finger.tapAt(details.getByRole('slider', { name: /^Known/ }), 0.5)
    await expect(page).toHaveURL(/step=\d+/)
    await expect(details).toContainText('Folded up to step')
    await finger.tap(details.getByRole('button', { name: 'Close', exact: true }))
    await expect(page).not.toHaveURL(/step=/)
  })
  finger.expectAlone()
})

test('by finger alone: search, filters, order, pins, a comparison, theme, and single keys off', async ({
  server,
  page,
}) => {
  await threeRuns(server.url)
  const finger = await fingerAlone(page)
  await page.goto(server.url)
  const names = page.locator('table.runs tbody a.run-name')
  await expect(names).toHaveText(['third', 'second', 'first'])

  await test.step('the list', async () => {
    await finger.write(page.getByRole('searchbox'), 'vision')
    await expect(names).toHaveText(['second', 'first'])
    await finger.tap(page.getByRole('button', { name: 'Clear filters' }))
    await page.getByRole('combobox', { name: 'Project' }).selectOption('language')
    await expect(names).toHaveText(['third'])
    await finger.tap(page.getByRole('button', { name: 'Clear filters' }))
    await finger.tap(page.getByRole('checkbox', { name: 'Pick first' }))
    await finger.tap(page.getByRole('button', { name: 'Pin to the top' }))
    await expect(names).toHaveText(['first', 'third', 'second'])
    await finger.tap(page.getByRole('checkbox', { name: 'Pick third' }))
    await finger.tap(page.getByRole('link', { name: 'Compare 2 runs' }))
    await expect(page).toHaveURL(/\/compare\?runs=first,third/)
  })

  await test.step('the comparison', async () => {
    await expect(page.locator('.compare-chart path.line')).toHaveCount(4)
    await finger.tapAt(page.getByRole('slider', { name: 'Cursor' }), 0.02)
    await expect(page.locator('.legend')).toContainText(/Values at \d/)
    await finger.tap(page.locator('label', { has: page.getByRole('radio', { name: 'Share' }) }))
    await expect(page).toHaveURL(/x=share/)
    await finger.tap(page.getByRole('button', { name: 'Leave out third' }))
    await expect(page.locator('.compare-chart path.line')).toHaveCount(2)
  })

  await test.step('settings', async () => {
    await finger.tap(page.getByRole('link', { name: 'Settings' }))
    await finger.tap(page.getByRole('radio', { name: 'Dark' }))
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await finger.tap(page.getByRole('button', { name: /^Theme: dark/ }))
    await expect(page.locator('html')).not.toHaveAttribute('data-theme')
    await finger.tap(page.getByRole('checkbox', { name: 'On' }))
    await expect(page.getByRole('checkbox', { name: 'On' })).not.toBeChecked()
    await expectNoSidewaysScroll(page, 'settings, 390 px')
    await finger.tap(page.getByRole('link', { name: 'Twostep, all runs' }))
    await expect(names).toHaveText(['third', 'second', 'first'])
    // The whole card opens the run.
    await finger.tap(page.getByRole('row', { name: /Pick third/ }))
    await expect(page).toHaveURL(/\/runs\/third$/)
  })
  finger.expectAlone()
})
