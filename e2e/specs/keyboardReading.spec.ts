// All that a person can look at and choose, by keys alone: no test here has a mouse. Single keys of charts and lists have tests of
// their own in charts.spec.ts, chartsZoom.spec.ts and runList.spec.ts.

import { readFileSync } from 'node:fs'
import { startJob, threeRuns } from '../fixtures/api.ts'
import { keysAlone } from '../fixtures/hands.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

test('by keys alone: zoom, move, all again, cursor, table, files, what if, schedule, log, looking back', async ({
  server,
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const job = await startJob(server.url, { runId: 'read', budgetSteps: 2_000 })
  await job.report(1_000)
  const keys = await keysAlone(page)
  const run = await openRun(page, server.url, 'read')
  const { details, cursor } = run
  await run.reaches(1_000)

  await test.step('charts', async () => {
    await keys.to(cursor)
    await keys.press('+')
    await expect(page).toHaveURL(/from=375&to=1625/)
    await keys.press('Alt+ArrowLeft')
    await expect(page).toHaveURL(/from=125&to=1375/)
    await keys.press('0')
    await expect(page).not.toHaveURL(/from=/)
    await keys.press('Home')
    expect(await run.step()).toBe(0)
    await keys.press('Shift+ArrowRight', 'Shift+ArrowRight')
    expect(await run.step()).toBeGreaterThan(0)
    await keys.press('v')
    await expect(page.getByRole('region', { name: 'Loss, table' })).toBeVisible()
    await keys.press('v')
    const file = page.waitForEvent('download')
    await keys.use(page.getByRole('button', { name: 'Save Loss' }))
    await keys.use(page.getByRole('button', { name: 'Table (CSV)' }))
    expect((await file).suggestedFilename()).toBe('read.loss.csv')
    expect(readFileSync(await (await file).path(), 'utf8').split('\r\n').length).toBeGreaterThan(500)
    await keys.use(page.getByRole('button', { name: /^Loss axis/ }))
    await expect(page).toHaveURL(/y\.loss=all/)
    await keys.choose(page.getByLabel('Steps'), '500')
    await expect(page).toHaveURL(/last=500/)
    await keys.use(page.getByRole('button', { name: 'More signals' }))
    await keys.to(page.getByRole('checkbox', { name: /^Loss, smoothed|smoothed/i }).first())
    await keys.press('Space')
    await expect(page).toHaveURL(/panels=/)
  })

  await test.step('panels', async () => {
    await keys.press('w')
    await keys.write(details.getByRole('textbox', { name: 'Budget, steps' }), '1500')
    await keys.press('Enter')
    await expect(details).toContainText('Differs at: switch planned at step 1,500 → planned at step 1,125')
    await keys.to(details.getByRole('tab', { name: 'What if' }))
    await keys.press('ArrowRight')
    await expect(details.locator('pre')).toContainText('def lr_scheduler')
    await keys.choose(details.getByRole('combobox'), 'csv')
    await expect(details.locator('pre')).toContainText('step,learningRate')
    await keys.use(details.getByRole('button', { name: 'Copy' }))
    await expect(details.getByRole('status')).toHaveText('Copied.')
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('step,learningRate')
    await keys.to(details.getByRole('tab', { name: 'Schedule' }))
    await keys.press('ArrowRight')
    await keys.choose(details.getByRole('combobox', { name: 'Kind of decision' }), 'start')
    await expect(details.locator('.log-entry')).toHaveCount(1)
    await keys.use(details.locator('.log-entry').first())
    await expect(page).toHaveURL(/decision=1\b/)
    await keys.press('l')
    await keys.to(details.getByRole('slider', { name: /^Known/ }))
    await keys.press('PageDown')
    await expect(page).toHaveURL(/step=\d+/)
    await expect(details).toContainText('Folded up to step')
    await keys.press('Escape')
    await expect(page).not.toHaveURL(/step=/)
  })
  keys.expectAlone()
})

test('by keys alone: search, filters, order, columns, pins, a comparison, theme, and single keys off', async ({
  server,
  page,
}) => {
  await threeRuns(server.url)
  const keys = await keysAlone(page)
  await page.goto(server.url)
  const names = page.locator('table.runs tbody a.run-name')
  await expect(names).toHaveCount(3)

  await test.step('the list', async () => {
    await keys.press('/')
    await page.keyboard.type('vision')
    await expect(names).toHaveText(['second', 'first'])
    await keys.press('ControlOrMeta+a', 'Delete', 'Escape')
    await keys.choose(page.getByRole('combobox', { name: 'Project' }), 'language')
    await expect(names).toHaveText(['third'])
    await keys.use(page.getByRole('button', { name: 'Clear filters' }))
    await keys.use(page.getByRole('button', { name: 'Run', exact: true }))
    await expect(names).toHaveText(['first', 'second', 'third'])
    await keys.use(page.locator('summary', { hasText: 'Columns' }))
    await keys.to(page.getByRole('checkbox', { name: 'Progress' }))
    await keys.press('Space')
    await expect(page.getByRole('button', { name: 'Progress' })).toBeHidden()
    await keys.press('Escape')
    await expect(page.locator('summary', { hasText: 'Columns' })).toBeFocused()
    await keys.press('j', 'j', 'j', 'p')
    await expect(names).toHaveText(['third', 'first', 'second'])
    await keys.press('x', 'j', 'x')
    await expect(page).toHaveURL(/pick=third,first&pin=third/)
  })

  await test.step('the comparison', async () => {
    await keys.press('c')
    await expect(page).toHaveURL(/\/compare\?runs=third,first/)
    await expect(page.locator('.compare-chart path.line')).toHaveCount(4)
    await keys.to(page.getByRole('slider', { name: 'Cursor' }))
    await keys.press('Home')
    await expect(page.locator('.legend')).toContainText('Values at 0')
    await keys.to(page.getByRole('radio', { name: 'Step', exact: true }))
    await keys.press('ArrowRight')
    await expect(page).toHaveURL(/x=share/)
    await keys.use(page.getByRole('button', { name: 'Leave out third' }))
    await expect(page.locator('.compare-chart path.line')).toHaveCount(2)
  })

  await test.step('settings', async () => {
    await keys.press('g', 's')
    await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
    await keys.to(page.getByRole('radio', { name: 'As the system' }))
    await keys.press('ArrowDown', 'ArrowDown')
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
    await keys.to(page.getByRole('checkbox', { name: 'On' }))
    // On a box a letter is no text: it is a key of the page, until those are off.
    await keys.press('Space', '?')
    await expect(page.getByRole('dialog')).toBeHidden()
    await keys.press('Space', '?')
    await expect(page.getByRole('dialog')).toBeVisible()
    await keys.press('Escape')
    await expect(page.getByRole('dialog')).toBeHidden()
  })
  keys.expectAlone()
})
