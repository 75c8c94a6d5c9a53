// The list as a table: ordered, narrowed, grouped, long; and the comparison of what is picked in it.

import type { Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { call, startJob, threeRuns } from '../fixtures/api.ts'
import { expect, test } from '../fixtures/test.ts'

/** In both themes, wide and narrow; leaves the page wide and light. */
async function expectGood(page: Page, where: string): Promise<void> {
  for (const width of [1440, 390, 320]) {
    await page.setViewportSize({ width, height: 900 })
    if (width < 1000) await expectNoSidewaysScroll(page, `${where}, ${width} px`)
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await expectAccessible(page, `${where}, ${width} px, ${colorScheme}`)
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

test('a click on a title orders, a second one turns it round, and the address keeps it', async ({
  server,
  page,
}) => {
  await threeRuns(server.url)
  const names = page.locator('table.runs tbody a.run-name')
  await page.goto(server.url)
  await expect(names).toHaveText(['third', 'second', 'first'])
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(names).toHaveText(['first', 'second', 'third'])
  await expect(page.getByRole('columnheader', { name: 'Run', exact: true })).toHaveAttribute(
    'aria-sort',
    'ascending',
  )
  const progress = page.getByRole('button', { name: 'Progress' })
  await progress.focus()
  await page.keyboard.press('Enter')
  await expect(names).toHaveText(['first', 'second', 'third'])
  await page.keyboard.press('Enter')
  await expect(names).toHaveText(['third', 'second', 'first'])
  await expect(page).toHaveURL(`${server.url}/?sort=-step`)
  await page.reload()
  await expect(names).toHaveText(['third', 'second', 'first'])

  // In this order a new run is counted, and put in place on request. One made before the connection stands is in place.
  await expect(page.locator('.connection')).toHaveText('Live')
  await startJob(server.url, { runId: 'fourth' })
  await page.getByRole('button', { name: '1 new. Show' }).click()
  await expect(names).toHaveText(['fourth', 'third', 'second', 'first'])
  await page.goBack()
  await expect(page).toHaveURL(`${server.url}/?sort=step`)
  await expect(names).toHaveText(['first', 'second', 'third', 'fourth'])
})

test('filters narrow the list, stand in the address, and groups tell the spread', async ({
  server,
  page,
}) => {
  await threeRuns(server.url)
  const names = page.locator('table.runs tbody a.run-name')
  await page.goto(server.url)
  await page.getByRole('combobox', { name: 'Project' }).selectOption({ label: 'vision (2)' })
  await expect(names).toHaveText(['second', 'first'])
  await page.getByRole('combobox', { name: 'Tag' }).selectOption('s1')
  await expect(names).toHaveText(['first'])
  await expect(page).toHaveURL(`${server.url}/?project=vision&tag=s1`)
  await expect(page.locator('.list-head .count')).toHaveText('1 of 3 runs, 3 running')
  await page.getByRole('combobox', { name: 'State' }).selectOption('running')
  await call(server.url, 'POST', '/runs/first/commands', { kind: 'pause' })
  await expect(page.getByRole('button', { name: '1 no longer matches. Show' })).toBeVisible()
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(names).toHaveCount(3)
  await page.getByRole('combobox', { name: 'Group' }).selectOption('project')
  const vision = page.getByRole('row', { name: /vision/ })
  await expect(vision.getByRole('cell').nth(1)).toHaveText('2')
  await expect(vision.getByRole('cell').nth(2)).toHaveText(/^\d[\d.]* *\d[\d.]* to \d[\d.]*$/)
  await page.getByRole('link', { name: 'language' }).click()
  await expect(names).toHaveText(['third'])
})

test('of a long list only the rows in view are in the document, and keys reach all of them', async ({
  server,
  page,
}) => {
  const runs = Array.from({ length: 250 }, (_, i) => `run-${String(i).padStart(3, '0')}`)
  for (const runId of runs) await startJob(server.url, { runId })
  await page.goto(`${server.url}/?sort=name`)
  const names = page.locator('table.runs tbody a.run-name')
  await expect(names.first()).toHaveText('run-000')
  const nodes = () => page.evaluate(() => document.querySelectorAll('*').length)
  await expect(async () => {
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await expect(page.getByRole('link', { name: 'run-249' })).toBeVisible({ timeout: 500 })
  }).toPass()
  expect(await nodes()).toBeLessThan(1_500)
  await page.keyboard.press('k')
  await expect(page.getByRole('link', { name: 'run-249' })).toBeFocused()
  await page.evaluate(() => scrollTo(0, 0))
  await expect(names.first()).toHaveText('run-000')
  await page.keyboard.press('k')
  await expect(page.getByRole('link', { name: 'run-248' })).toBeFocused()
})

test('a row that waits has its own way to the question, and a link opens in another tab', async ({
  server,
  page,
  context,
}) => {
  await threeRuns(server.url)
  const job = await startJob(server.url, { runId: 'asking', budgetSteps: 2_000, mode: 'approve' })
  await page.goto(`${server.url}/?sort=name`)
  const names = page.locator('table.runs tbody a.run-name')
  await expect(names).toHaveText(['asking', 'first', 'second', 'third'])
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(names).toHaveText(['third', 'second', 'first', 'asking'])
  // It goes to the top by itself, whatever the order.
  await job.report(1_520)
  await expect(names).toHaveText(['asking', 'third', 'second', 'first'])
  await page.getByRole('link', { name: 'Review asking' }).click()
  await expect(page.getByRole('heading', { name: /^Asked to anneal at step/ })).toBeVisible()
  await page.goto(server.url)
  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: 'second' }).click({ modifiers: ['ControlOrMeta'] }),
  ])
  // Asked of the tab itself: of one that opens in the background the driver misses the address at times.
  const address = `${server.url}/runs/second`
  await expect(async () => expect(await tab.evaluate(() => location.href)).toBe(address)).toPass()
  await tab.close()
  await expect(page).toHaveURL(`${server.url}/`)
})

test('what is picked with keys is compared: lines, what differs, the better value', async ({
  server,
  page,
}) => {
  await threeRuns(server.url)
  await page.goto(server.url)
  await expect(page.getByRole('link', { name: 'third' })).toBeVisible()
  for (const key of ['j', 'x', 'b', 'j', 'x']) await page.keyboard.press(key)
  await expect(page).toHaveURL(`${server.url}/?pick=third,second&base=third`)
  await expect(page.getByRole('row', { name: /Pick second/ }).locator('.delta-better')).not.toHaveCount(0)
  await expect(page.getByRole('link', { name: 'Compare 2 runs' })).toBeVisible()
  await expectGood(page, 'list with picks and a base')
  await page.keyboard.press('c')
  await expect(page).toHaveURL(`${server.url}/compare?runs=third,second`)
  await expect(page).toHaveTitle('Compare · Twostep')
  await expect(page.locator('.compare-chart path.line')).toHaveCount(4)
  const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name}`) })
  await expect(row('Steps taken').getByRole('cell')).toHaveText(['30', '60'])
  await expect(row('Project').getByRole('cell')).toHaveText(['language', 'vision'])
  await expect(row('Training loss').locator('.best')).toHaveCount(1)
  await expect(row('Mode')).toHaveCount(0)
  await page.getByLabel('Only what differs').uncheck()
  await expect(row('Mode').getByRole('cell')).toHaveText(['auto', 'auto'])
  await page.getByRole('radio', { name: 'Share' }).check({ force: true })
  await page.getByRole('button', { name: 'Use as base: second' }).click()
  await expect(page).toHaveURL(`${server.url}/compare?runs=third,second&x=share&base=second&rows=all`)
  await expect(row('Steps taken').getByRole('cell')).toHaveText(['60', '30'])
  await page.getByRole('slider', { name: 'Cursor' }).press('Home')
  await expect(page.locator('.legend')).toContainText('Values at 0 %')
  await expectGood(page, 'comparison')
  await page.getByRole('button', { name: 'Leave out third' }).click()
  await expect(page.locator('.compare-chart path.line')).toHaveCount(2)
})

test('a comparison with a run that is not there says so, and shows the others', async ({
  server,
  page,
  complaints,
}) => {
  complaints.allow(/status of 404/)
  await threeRuns(server.url)
  await page.goto(`${server.url}/compare?runs=first,nobody`)
  await expect(page.getByRole('alert')).toContainText('No run called nobody here.')
  await expect(page.locator('.compare-chart path.line')).toHaveCount(2)
})
