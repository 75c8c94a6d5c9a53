// Five things that people come for, tried as somebody who sees the page for the first time: from the list of runs on, by what is
// visible alone, with a mouse on a wide screen and with a finger on a phone. Each ends with a text that answers the question, after
// at most so many presses; what was typed and what is chosen in a list of the system's own counts as one.

import type { Locator, Page } from '@playwright/test'
import { readDecisions, readRun, startJob } from '../fixtures/api.ts'
import { expect, test } from '../fixtures/test.ts'

type Steps = {
  press(target: Locator): Promise<void>
  write(field: Locator, text: string): Promise<void>
  choose(list: Locator, label: string): Promise<void>
  /** Ends the task: how many presses it took, and how long the page took for them. */
  end(task: string, most: number): Promise<void>
}

/** A person with a mouse or a finger, counting. */
function stepsOf(page: Page, hasTouch: boolean): Steps {
  let count = 0
  const began = performance.now()
  const press = async (target: Locator) => {
    count++
    await expect(target).toBeVisible()
    await (hasTouch ? target.tap() : target.click())
  }
  return {
    press,
    write: async (field, text) => {
      await press(field)
      await page.keyboard.insertText(text)
    },
    choose: async (list, label) => {
      count++
      await list.selectOption({ label })
    },
    end: async (task, most) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      test.info().annotations.push({ type: task, description: `${count} presses, ${seconds} s of the page` })
      const name = `${task.replaceAll(' ', '-')}-${hasTouch ? 'finger' : 'mouse'}`
      await test.info().attach(name, { body: await page.screenshot(), contentType: 'image/png' })
      expect(count, task).toBeLessThanOrEqual(most)
    },
  }
}

/** What stands on the page where somebody looks who has not scrolled. */
const expectInSight = async (found: Locator) => {
  await expect(found).toBeVisible()
  await expect(found).toBeInViewport()
}

const names = (page: Page) => page.locator('table.runs tbody a.run-name')
const panel = (page: Page) => page.getByRole('complementary', { name: 'Details' })

/** Ten runs of one sweep: the rate is what differs, and one of them ends lowest. */
async function tenRuns(url: string): Promise<void> {
  for (let i = 0; i < 10; i++) {
    const learningRate = Number((0.01 * 2 ** i).toPrecision(2))
    const floor = 0.2 + 0.02 * Math.abs(i - 6)
    const job = await startJob(url, {
      runId: `sweep-${i}`,
      name: `sweep lr=${learningRate}`,
      project: 'sweep',
      budgetSteps: 200,
      learningRate,
      settings: { batchSize: 64 * (1 + (i % 2)), seed: 1 },
      loss: (step) => floor + 2 * Math.exp(-step / 40) + 0.01 * Math.sin(7 * step + i),
    })
    await job.report(200)
  }
}

for (const hasTouch of [false, true]) {
  const who = hasTouch ? 'with a finger on a phone' : 'with a mouse'
  const open = async (page: Page, url: string): Promise<Steps> => {
    await page.goto(url)
    await expect(names(page).first()).toBeVisible()
    return stepsOf(page, hasTouch)
  }
  test.describe(who, () => {
    test.use({ hasTouch, viewport: hasTouch ? { width: 390, height: 844 } : { width: 1440, height: 900 } })

    test(`why did it switch? (${who})`, async ({ server, page, train }) => {
      const trainer = train(server.url, { runId: 'digits', steps: 1_200 })
      await trainer.summary()
      await trainer.ended
      const all = await readDecisions(server.url, 'digits')
      const decision = all.findLast(({ kind, status }) => kind === 'switch' && status === 'applied')!
      expect(decision).toBeDefined()
      const steps = await open(page, server.url)
      await steps.press(names(page).first())
      await steps.press(page.getByRole('button', { name: 'Why did it switch?' }))
      await expectInSight(panel(page).getByRole('heading', { name: /^Switched to annealing at step/ }))
      await expectInSight(panel(page).locator('p.why').first())
      await expect(panel(page)).toContainText(decision.summary)
      await steps.end('why did it switch', 2)
    })

    test(`is this run healthy? (${who})`, async ({ server, page }) => {
      await (await startJob(server.url, { runId: 'well' })).report(400)
      await (await startJob(server.url, { runId: 'sick', loss: (step) => (step < 300 ? 2 : 'NaN') })).report(
        400,
      )
      await (await startJob(server.url, { runId: 'own-way', applies: 0.02 })).report(400)
      for (const [runId, words] of [
        ['sick', /^The loss is NaN or infinite since step 300\./],
        ['own-way', /^The job applies 0\.02, the plan says 0\.1/],
      ] as const) {
        const steps = await open(page, server.url)
        await steps.press(page.getByRole('link', { name: runId, exact: true }))
        await expectInSight(page.locator('main .note').filter({ hasText: words }))
        await steps.end(`what is wrong with ${runId}`, 1)
      }
      const steps = await open(page, server.url)
      await steps.press(page.getByRole('link', { name: 'well', exact: true }))
      await expectInSight(page.locator('main .run-head .chip').filter({ hasText: 'Running' }))
      await expectInSight(page.locator('.facts').getByText('as recommended'))
      await expect(page.locator('main .note')).toHaveCount(0)
      await steps.end('is this run healthy', 1)
    })

    test(`which of my ten runs is best, and how do they differ? (${who})`, async ({ server, page }) => {
      await tenRuns(server.url)
      const steps = await open(page, server.url)
      await expect(names(page)).toHaveCount(10)
      if (hasTouch) await steps.choose(page.getByRole('combobox', { name: 'Order' }), 'By train loss')
      else await steps.press(page.getByRole('button', { name: 'Train loss' }))
      await expect(names(page).first()).toHaveText('sweep lr=0.64')
      await expectInSight(page.locator('td.c-loss').first())
      const boxes = page.getByRole('checkbox', { name: /^Pick/ })
      for (let i = 0; i < 2; i++) await steps.press(boxes.nth(i))
      await steps.press(page.getByRole('link', { name: 'Compare 2 runs' }))
      const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name}`) })
      await expect(row('Training loss').locator('.best')).toHaveCount(1)
      await expect(row('batchSize|Batch').getByRole('cell')).toHaveCount(2)
      await expect(row('Project')).toHaveCount(0)
      await steps.end('which is best and how do they differ', 4)
    })

    test(`stop that one (${who})`, async ({ server, page }) => {
      const job = await startJob(server.url, { runId: 'that-one' })
      await job.report(100)
      const steps = await open(page, server.url)
      await steps.press(page.getByRole('link', { name: 'that-one' }))
      await steps.press(page.getByLabel('More actions'))
      await steps.press(page.getByRole('button', { name: 'Finish…' }))
      await expect(panel(page)).toContainText('The job stops at its next report')
      await steps.write(panel(page).getByRole('textbox', { name: 'Reason' }), 'no use')
      await steps.press(panel(page).getByRole('button', { name: 'Finish the run' }))
      await expect.poll(async () => (await readRun(server.url, 'that-one')).phase).toBe('done')
      expect((await job.report(10)).actions.map(({ kind }) => kind)).toContain('finish')
      await steps.end('stop that one', 5)
    })

    test(`take the schedule home as code (${who})`, async ({ server, page, context }) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write'])
      await (await startJob(server.url, { runId: 'mine', budgetSteps: 1_000 })).report(100)
      const steps = await open(page, server.url)
      await steps.press(page.getByRole('link', { name: 'mine' }))
      if (hasTouch) {
        // The tabs lie below all charts, the menu in reach of the thumb.
        await steps.press(page.getByLabel('More actions'))
        await steps.press(page.getByRole('button', { name: 'Schedule as code' }))
      } else await steps.press(panel(page).getByRole('tab', { name: 'Schedule' }))
      await expectInSight(panel(page).getByRole('heading', { name: 'Schedule' }))
      await steps.press(panel(page).getByRole('button', { name: 'Copy' }))
      await expect(panel(page).getByText('Copied.')).toBeVisible()
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('def lr_scheduler')
      await steps.end('take the schedule home', hasTouch ? 4 : 3)
    })
  })
}
