// Doing things with a run from its page: what becomes of a command, what if, the schedule as code, looking back, naming,
// deleting, the report, the settings, and a page that was opened before its run.

import { readFileSync } from 'node:fs'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { call, readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { openRun, runPage } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

test('an override is drawn before it is sent, clamped in words, and told as applied once the job reports it', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'set', budgetSteps: 4_000 })
  await job.report(200)
  const run = await openRun(page, server.url, 'set', '?panel=control&form=override')
  await run.details.getByRole('slider', { name: 'Learning rate, by powers of ten' }).fill('-1.5')
  await expect(run.details.getByRole('textbox', { name: 'Learning rate' })).toHaveValue('0.032')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('a try')
  await run.details.getByRole('button', { name: 'Set 0.032 until step 400' }).click()
  const outcome = run.details.locator('.outcome')
  await expect(outcome).toHaveText('Sent. The job applies it at its next report.')
  await job.report(50)
  await job.report(50)
  await expect(outcome).toHaveText('Applied at step 250.')
})

test('the mode is changed by a form with a reason, and the switch is undone while it can be', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'modes', budgetSteps: 4_000 })
  await job.report(100)
  const run = await openRun(page, server.url, 'modes')
  await page.getByRole('radio', { name: 'Approve' }).click()
  await expect(page.getByRole('radio', { name: 'Auto' })).toBeChecked()
  await run.details.getByRole('button', { name: 'Change to Approve' }).click()
  await expect(run.details).toContainText('Reason must not be empty')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('let me see')
  await run.details.getByRole('button', { name: 'Change to Approve' }).click()
  await expect(page.getByRole('radio', { name: 'Approve' })).toBeChecked()
  expect((await readRun(server.url, 'modes')).mode).toBe('approve')
  expect((await readDecisions(server.url, 'modes')).at(-1)?.person?.reason).toBe('let me see')

  await call(server.url, 'POST', '/runs/modes/commands', { kind: 'switch-now', reason: '' })
  await job.report(50)
  await page.getByRole('button', { name: 'Undo switch…' }).click()
  await expect(run.details).toContainText('Possible until step 3,200.')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('too early')
  await run.details.getByRole('button', { name: 'Undo the switch' }).click()
  await expect(page.getByRole('button', { name: 'Switch now…' })).toBeVisible()
  expect((await readRun(server.url, 'modes')).phase).toBe('large')
})

test('a copy is asked of the job, one at a time, and the list says what became of it', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'copied', budgetSteps: 4_000, capabilities: ['branch'] })
  await job.report(400)
  const run = await openRun(page, server.url, 'copied', '?panel=control&form=branch')
  const steps = run.details.getByRole('textbox', { name: 'Steps' })
  await steps.fill('900')
  await run.details.getByRole('button', { name: 'Anneal a copy' }).click()
  await expect(run.details).toContainText('Steps must be a whole number from 2 to 400')
  await steps.fill('50')
  await run.details.getByRole('button', { name: 'Anneal a copy' }).click()
  await expect(run.details.getByRole('table')).toContainText('step 40050under way')
  const { actions } = await job.report(20)
  const branch = actions.find(({ kind }) => kind === 'branch')!
  expect(branch).toMatchObject({ steps: 50 })
  await page.getByLabel('More actions').click()
  await expect(page.getByRole('button', { name: 'Anneal a copy…' })).toBeDisabled()
  await call(server.url, 'POST', '/runs/copied/telemetry', {
    clientId: 'job',
    sequence: 3,
    acknowledgements: [
      { actionId: branch.id, status: 'done', step: 420, branch: { fromStep: 400, steps: 50, loss: 0.31 } },
    ],
  })
  await expect(run.details.getByRole('table')).toContainText('0.31')
})

test('what if: a setting is asked after a rest, told where the courses part, and kept in the address', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'wished', budgetSteps: 4_000 })
  await job.report(800)
  const run = await openRun(page, server.url, 'wished')
  await page.keyboard.press('w')
  const budget = run.details.getByRole('textbox', { name: 'Budget, steps' })
  await expect(budget).toHaveValue('4000')
  // What is being written stays while the run goes on.
  await budget.fill('2000')
  await job.report(10)
  await run.reaches(810)
  await expect(budget).toHaveValue('2000')
  await budget.press('Enter')
  await expect(run.details).toContainText('Differs at: switch planned at step 3,000 → planned at step 1,500')
  await expect(page).toHaveURL(/panel=what-if&set\.budget=2000/)
  await expectAccessible(page, 'what if')
  await page.reload()
  await expect(run.details).toContainText('planned at step 1,500')
  await run.details.getByRole('button', { name: 'All as in force' }).click()
  await expect(page).not.toHaveURL(/set\./)
  expect((await readRun(server.url, 'wished')).budgetSteps).toBe(4_000)
})

test('the schedule is code that the server makes, to copy and to download', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'coded', budgetSteps: 1_000 })
  await job.report(100)
  const run = await openRun(page, server.url, 'coded')
  await page.keyboard.press('e')
  await expect(run.details.locator('pre')).toContainText('def lr_scheduler')
  await run.details.getByRole('combobox').selectOption('csv')
  await expect(page).toHaveURL(/format=csv/)
  await expect(run.details.locator('pre')).toContainText('step,learningRate')
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    run.details.getByRole('link', { name: 'Download' }).click(),
  ])
  expect(file.suggestedFilename()).toBe('coded-schedule.csv')
  await run.details.getByRole('tab', { name: 'Log' }).click()
  await run.details.getByRole('combobox', { name: 'Kind of decision' }).selectOption('start')
  await expect(page).toHaveURL(/kind=start/)
  await expect(run.details.locator('.log-entry')).toHaveCount(1)
})

test('looking back shows the decision that was in force at a step, and what the run said then', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'past', budgetSteps: 1_000 })
  await job.report(900)
  const run = await openRun(page, server.url, 'past', '?step=300')
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText('Started at step 0')
  await expect(run.details).toContainText('Large step at 0.1, step 300 of 1,000')
  await expect(run.details).toContainText('Folded up to step 300')
  await page.keyboard.press('l')
  await expect(page).not.toHaveURL(/step=/)
  await expect(run.details.getByRole('heading', { level: 2 })).toHaveText(/^Switched to annealing/)
})

test('a run is named, tagged, and deleted after a grace in which it can be kept', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'named' })
  await job.report(50)
  const run = await openRun(page, server.url, 'named')
  await page.getByLabel('More actions').click()
  await page.getByRole('button', { name: 'Name, project, tags…' }).click()
  await run.details.getByRole('textbox', { name: 'Name' }).fill('A better name')
  await run.details.getByRole('textbox', { name: 'Tags' }).fill('one, two')
  await run.details.getByRole('button', { name: 'Keep these' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A better name')
  expect((await readRun(server.url, 'named')).options.tags).toEqual(['one', 'two'])

  await page.clock.install()
  await page.getByLabel('More actions').click()
  await page.getByRole('button', { name: 'Delete…' }).click()
  await run.details.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.clock.runFor(8_000)
  await run.details.getByRole('button', { name: 'Keep it after all' }).click()
  await page.clock.runFor(8_000)
  expect((await readRun(server.url, 'named')).id).toBe('named')
  await run.details.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.clock.runFor(11_000)
  await expect(page.locator('main')).toContainText('This run was deleted.')
  expect((await call(server.url, 'GET', '/runs/named')).status).toBe(404)
})

test('a report is one file without script, in which a hostile name is text', async ({ server, page }) => {
  const name = '<img src=x onerror=alert(1)> & "co"'
  const job = await startJob(server.url, { runId: 'told', name, budgetSteps: 200 })
  await job.report(200)
  await openRun(page, server.url, 'told')
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Report', exact: true }).first().click(),
  ])
  expect(file.suggestedFilename()).toBe('told-report.html')
  const text = readFileSync(await file.path(), 'utf8')
  expect(text).not.toMatch(/<script|<img|<link/)
  // The name of SVG is no address that anything is loaded from.
  expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/(?!127\.0\.0\.1)/)
  expect(text).toMatch(/<svg[^>]*>.*Learning rate/s)
  expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
  expect(text).toContain('def lr_scheduler')
})

test('a page that was opened before its run shows it as soon as there is one', async ({
  server,
  page,
  complaints,
}) => {
  complaints.allow(/status of 404/)
  await page.goto(`${server.url}/runs/later`)
  await expect(page.locator('main')).toContainText(
    'No run called later here. This page opens it as soon as there is one.',
  )
  const job = await startJob(server.url, { runId: 'later' })
  await job.report(60)
  const run = runPage(page)
  await expect(run.headline).toContainText('Large step')
  await run.reaches(60)
  await job.report(60)
  await run.reaches(120)
})

test('settings: theme, single keys off, and what the server says of itself', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'keys' })
  await job.report(50)
  await page.goto(`${server.url}/settings`)
  await expect(page.locator('main')).toContainText(/can be written/)
  await expectAccessible(page, 'settings')
  await page.getByRole('radio', { name: 'Dark' }).check()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.getByRole('checkbox', { name: 'On' }).uncheck()
  await openRun(page, server.url, 'keys')
  await page.keyboard.press('w')
  await page.keyboard.press('?')
  await expect(page).not.toHaveURL(/what-if/)
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('the connect page has examples by framework, and says when something is heard', async ({
  server,
  page,
}) => {
  await page.goto(`${server.url}/start`)
  await expect(page.locator('pre').last()).toContainText('import twostep')
  await page.getByRole('tab', { name: 'curl' }).click()
  await expect(page).toHaveURL(/framework=curl/)
  await expect(page.locator('pre').last()).toContainText(`curl ${server.url}/api/v1/runs`)
  await expectAccessible(page, 'connect')
  await expect(page.locator('main')).toContainText('Waiting for the first telemetry')
  const job = await startJob(server.url, { runId: 'first', name: 'first-run' })
  await job.report(20)
  await expect(page.getByRole('status').first()).toContainText('First telemetry from first-run.')
  await page.getByRole('link', { name: 'Open' }).click()
  await expect(page).toHaveURL(/\/runs\/first$/)
})

test('forms and panels fit a phone', async ({ server, page }) => {
  await page.setViewportSize({ width: 320, height: 700 })
  const job = await startJob(server.url, { runId: 'small', budgetSteps: 2_000 })
  await job.report(300)
  for (const query of [
    '?panel=what-if&set.budget=900',
    '?panel=schedule',
    '?panel=control&form=override',
    '?step=100',
  ]) {
    await openRun(page, server.url, 'small', query)
    await expect(page.getByRole('complementary', { name: 'Details' }).locator('h2').first()).toBeVisible()
    await expectNoSidewaysScroll(page, `${query} at 320 px`)
  }
  for (const path of ['/settings', '/start']) {
    await page.goto(server.url + path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await expectNoSidewaysScroll(page, `${path} at 320 px`)
  }
})
