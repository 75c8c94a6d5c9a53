// All that a person can do to a run, by keys alone: no test here has a mouse.

import type { Page } from '@playwright/test'
import { readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { keysAlone } from '../fixtures/hands.ts'
import { expectPausedAndDeleted, menuOf } from '../fixtures/runMenu.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

/** A run of 200 steps on its page, with what a test reaches for there. */
async function steered(page: Page, url: string) {
  const job = await startJob(url, { runId: 'keyed', budgetSteps: 4_000, capabilities: ['branch'] })
  await job.report(200)
  const keys = await keysAlone(page)
  const { details, headline } = await openRun(page, url, 'keyed')
  return {
    ...{ job, keys, details, headline },
    button: (name: string) => details.getByRole('button', { name, exact: true }),
    reason: details.getByRole('textbox', { name: 'Reason' }),
    useMenu: menuOf(page, keys.use),
  }
}

test('by keys alone: mode, override, hand back, a copy', async ({ server, page }) => {
  const { url } = server
  const { keys, details, button, reason, useMenu } = await steered(page, url)

  await test.step('the mode, there and back', async () => {
    await keys.to(page.getByRole('radio', { name: 'Auto' }))
    await keys.press('ArrowLeft', 'Enter')
    await keys.write(reason, 'let me see')
    await keys.press('Enter')
    await expect(page.getByRole('radio', { name: 'Approve' })).toBeChecked()
    await keys.press('Escape')
    await keys.to(page.getByRole('radio', { name: 'Approve' }))
    await keys.press('ArrowRight', 'Enter')
    await keys.write(reason, 'seen')
    await keys.press('Enter')
    await expect(page.getByRole('radio', { name: 'Auto' })).toBeChecked()
    await keys.press('Escape')
  })

  await test.step('a rate by hand, and back', async () => {
    await keys.press('o')
    await keys.write(details.getByRole('textbox', { name: 'Learning rate' }), '0.03')
    await keys.write(details.getByRole('textbox', { name: 'Until step' }), '900')
    await keys.write(reason, 'a try')
    await keys.use(button('Set 0.03 until step 900'))
    await expect(page.getByRole('button', { name: 'Hand back…' })).toBeVisible()
    expect((await readRun(url, 'keyed')).override?.reason).toBe('a try')
    await keys.press('Escape')
    await keys.use(page.getByRole('button', { name: 'Hand back…' }))
    await keys.use(button('Hand back'))
    await expect(page.getByRole('button', { name: 'Override rate…' })).toBeVisible()
    expect((await readDecisions(url, 'keyed')).at(-1)?.kind).toBe('hand-back')
    await keys.press('Escape')
  })

  await test.step('a copy', async () => {
    await useMenu('Anneal a copy…')
    await keys.write(details.getByRole('textbox', { name: 'Steps' }), '50')
    await keys.press('Enter')
    await expect(details.getByRole('table')).toContainText('under way')
    await keys.press('Escape')
  })
  keys.expectAlone()
})

test('by keys alone: budget, switch, undo, names and tags, finish', async ({ server, page }) => {
  const { url } = server
  const { job, keys, details, headline, reason, useMenu } = await steered(page, url)

  await test.step('the budget', async () => {
    await useMenu('Change the budget…')
    await keys.write(details.getByRole('textbox', { name: 'Budget' }), '5000')
    await keys.write(reason, 'more data')
    await keys.press('Enter')
    await expect.poll(async () => (await readRun(url, 'keyed')).budgetSteps).toBe(5_000)
    await keys.press('Escape')
  })

  await test.step('the switch, and its undoing', async () => {
    await keys.use(page.getByRole('button', { name: 'Switch now…' }))
    await keys.write(reason, 'enough')
    await keys.press('Enter')
    await expect.poll(async () => (await readRun(url, 'keyed')).phase).toBe('anneal')
    await job.report(50)
    await expect(headline).toHaveText(/^Annealing/)
    await keys.press('Escape')
    await keys.use(page.getByRole('button', { name: 'Undo switch…' }))
    await keys.write(reason, 'too early')
    await keys.press('Enter')
    await expect(page.getByRole('button', { name: 'Switch now…' })).toBeVisible()
    expect((await readRun(url, 'keyed')).phase).toBe('large')
    await keys.press('Escape')
  })

  await test.step('name and tags', async () => {
    await useMenu('Name, project, tags…')
    await keys.write(details.getByRole('textbox', { name: 'Name' }), 'A better name')
    await keys.write(details.getByRole('textbox', { name: 'Tags' }), 'one, two')
    await keys.press('Enter')
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('A better name')
    expect((await readRun(url, 'keyed')).options.tags).toEqual(['one', 'two'])
    await keys.press('Escape')
  })

  await test.step('the end', async () => {
    await useMenu('Finish…')
    await keys.write(reason, 'it is over')
    await keys.press('Enter')
    await expect.poll(async () => (await readRun(url, 'keyed')).phase).toBe('done')
    expect((await readDecisions(url, 'keyed')).map(({ kind }) => kind)).toContain('finish')
  })
  keys.expectAlone()
})

test('by keys alone: pause and resume, and a run that is deleted, kept after all, and deleted', async ({
  server,
  page,
}) => {
  const keys = await keysAlone(page)
  await expectPausedAndDeleted(page, server.url, keys.use)
  keys.expectAlone()
})

test('by keys alone: a question is approved, another one is rejected with a reason', async ({
  server,
  page,
}) => {
  const keys = await keysAlone(page)
  for (const [runId, key] of [
    ['yes', 'a'],
    ['no', 'r'],
  ] as const) {
    const job = await startJob(server.url, { runId, budgetSteps: 2_000, mode: 'approve' })
    await job.report(1_520)
    const { details, chip } = await openRun(page, server.url, runId)
    await expect(chip).toHaveText('Waiting for you')
    await keys.press(key)
    await expect(details.getByRole('button', { name: key === 'a' ? 'Approve' : 'Reject' })).toBeFocused()
    // Back to the field before it.
    await keys.press(...(key === 'a' ? ['Shift+Tab'] : ['Shift+Tab', 'Shift+Tab']))
    await keys.write(details.getByRole('textbox', { name: 'Reason' }), 'because')
    await keys.use(details.getByRole('button', { name: key === 'a' ? 'Approve' : 'Reject' }))
    await expect(chip).toHaveText('Running')
    expect((await readDecisions(server.url, runId)).at(-1)?.status).toBe(
      key === 'a' ? 'approved' : 'rejected',
    )
  }
  keys.expectAlone()
})
