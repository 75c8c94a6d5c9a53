// Zoom, pan and follow, by wheel, keys, ribbon and finger; panels of one's own; nonsense in the address; files.

import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { call, startJob } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import { expect, test } from '../fixtures/test.ts'

const surfaceOf = (page: Page, chart: string) =>
  page.getByRole('slider', { name: `${chart}: cursor` }).locator('.plot-surface')

/** The steps that the charts show. */
async function shownOf(page: Page): Promise<[number, number]> {
  const cursor = page.getByRole('slider', { name: 'Loss: cursor' })
  const read = async (name: string) => Number(await cursor.getAttribute(name))
  return [await read('aria-valuemin'), await read('aria-valuemax')]
}
const lengthOf = async (page: Page) => {
  const [from, to] = await shownOf(page)
  return to - from
}

test('keys, the wheel with Ctrl and the ribbon zoom; the wheel alone scrolls the page', async ({
  server,
  page,
}) => {
  // Low enough for the page to have something to scroll.
  await page.setViewportSize({ width: 1440, height: 520 })
  const job = await startJob(server.url, { runId: 'zoomed', budgetSteps: 2_000 })
  await job.report(1_000)
  const run = await openRun(page, server.url, 'zoomed')
  await run.reaches(1_000)
  await page.keyboard.press('+')
  await expect(page).toHaveURL(/from=375&to=1625/)
  await run.cursor.focus()
  await page.keyboard.press('Alt+ArrowRight')
  await expect(page).toHaveURL(/from=625&to=1875/)
  await page.keyboard.press('0')
  await expect(page).not.toHaveURL(/from=/)

  const { x, y, width, height } = (await surfaceOf(page, 'Loss').boundingBox())!
  await page.mouse.move(x + width / 4, y + height / 2)
  await page.mouse.wheel(0, 60)
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(0)
  expect(await lengthOf(page)).toBe(2_000)
  await page.evaluate(() => scrollTo(0, 0))
  await page.mouse.move(x + width / 4, y + height / 2)
  await page.keyboard.down('Control')
  await page.mouse.wheel(0, -100)
  await page.keyboard.up('Control')
  await expect.poll(() => lengthOf(page)).toBeLessThan(1_500)
  const [from, to] = await shownOf(page)
  // The step under the pointer has stayed there.
  expect(Math.abs((500 - from) / (to - from) - 0.25)).toBeLessThan(0.01)
  await expect(page).toHaveURL(/from=\d+&to=\d+/)
  await page.keyboard.down('Shift')
  await page.mouse.down()
  await page.mouse.move(x + width / 4 - 100, y + height / 2, { steps: 4 })
  await page.mouse.up()
  await page.keyboard.up('Shift')
  await expect.poll(async () => (await shownOf(page))[0]).toBeGreaterThan(from + 50)
  expect(await lengthOf(page)).toBe(to - from)

  await page.getByRole('button', { name: 'Whole run' }).click()
  const ribbon = (await page.locator('.ribbon-surface').boundingBox())!
  await page.mouse.move(ribbon.x + ribbon.width * 0.25, ribbon.y + 10)
  await page.mouse.down()
  await page.mouse.move(ribbon.x + ribbon.width * 0.5, ribbon.y + 10, { steps: 4 })
  await page.mouse.up()
  await expect(page).toHaveURL(/from=(49\d|50\d)&to=(99\d|100\d)/)
  await page.mouse.dblclick(ribbon.x + ribbon.width * 0.5, ribbon.y + 10)
  await expect(page).not.toHaveURL(/from=/)
})

test('the last steps go on with the run, and the smoothed line with its window is kept in the address', async ({
  server,
  page,
}) => {
  const job = await startJob(server.url, { runId: 'followed', budgetSteps: 2_000 })
  await job.report(900)
  const run = await openRun(page, server.url, 'followed')
  await run.reaches(900)
  await page.getByLabel('Steps').selectOption('500')
  await expect(page).toHaveURL(/last=500/)
  await expect.poll(() => shownOf(page)).toEqual([400, 900])
  await job.report(100)
  await expect.poll(() => shownOf(page)).toEqual([500, 1_000])
  const smoothing = page.getByRole('slider', { name: 'Smoothing of the loss, to both sides' })
  await smoothing.focus()
  await page.keyboard.press('ArrowRight')
  await expect(page).toHaveURL(/smooth=10$/)
  await expect(smoothing).toHaveAttribute('aria-valuetext', '± 10 steps')
  await expect(run.cursor).toHaveAttribute('aria-valuetext', /smoothed ± 10 steps 0\.\d+/)
  await page.goto(`${server.url}/runs/followed?from=700&to=720`)
  await expect(run.cursor).toHaveAttribute('aria-valuetext', /^step 720, smoothed ± 3 steps 0\.\d+/)
})

test('nonsense in the address is mended with a word', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'mended', budgetSteps: 1_000 })
  await job.report(400)
  const open = async (query: string) => {
    await page.goto(`${server.url}/runs/mended${query}`)
    await expect(page.getByRole('slider', { name: 'Loss: cursor' })).toHaveAttribute(
      'aria-valuetext',
      /smoothed/,
    )
  }
  await open('?from=300&to=100')
  await expect(page.getByText('The address has its range the wrong way round')).toBeVisible()
  expect(await shownOf(page)).toEqual([100, 300])
  for (const query of ['?from=abc&to=9', '?from=5000000&to=9000000', '?from=-7&to=1e40&panels=nothing'])
    await test.step(query, async () => {
      await open(query)
      expect(await shownOf(page)).toEqual([0, 1_000])
    })
})

/** A run of 800 steps with as many own metrics as given. */
async function reportMetrics(url: string, runId: string, count: number): Promise<void> {
  await call(url, 'POST', '/runs', { runId, budgetSteps: 1_000, learningRate: { initial: 0.1 } })
  const step = Array.from({ length: 800 }, (_, i) => i)
  const metrics = Object.fromEntries(
    Array.from({ length: count }, (_, k) => [`metric_${k}`, step.map((i) => k + Math.sin(i * (k + 1)))]),
  )
  const steps = {
    step,
    loss: step.map((i) => 2 / (1 + i / 50) + 0.01 * Math.sin(i)),
    learningRate: step.map(() => 0.1),
    metrics,
  }
  const sent = await call(url, 'POST', `/runs/${runId}/telemetry`, { clientId: 'job', sequence: 1, steps })
  expect(sent.status).toBe(200)
}

test('fifty own metrics are named and not shipped, until a panel of one is opened', async ({
  server,
  page,
}) => {
  const received = { bytes: 0 }
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      received.bytes += payload.length
    }),
  )
  page.on('response', async (response) => {
    if (response.url().includes('/series')) received.bytes += (await response.body()).length
  })
  const costOf = async (runId: string, count: number) => {
    await reportMetrics(server.url, runId, count)
    received.bytes = 0
    const run = await openRun(page, server.url, runId)
    await run.reaches(799)
    return received.bytes
  }
  const plain = await costOf('plain', 0)
  const fifty = await costOf('fifty', 50)
  test.info().annotations.push({ type: 'bytes', description: `${plain} without, ${fifty} with 50 metrics` })
  expect(fifty).toBeLessThan(plain * 1.2 + 5_000)

  await page.getByRole('button', { name: 'More signals' }).click()
  await page.getByRole('searchbox', { name: 'Search signals' }).fill('metric_17')
  await page.getByRole('checkbox', { name: 'metric_17' }).check()
  await expect(page).toHaveURL(/panels=metrics\.metric_17$/)
  const panel = page.getByRole('slider', { name: 'metric_17: cursor' })
  await expect(panel).toHaveAttribute('aria-valuetext', /^step 800, 1[678]/)
  // What comes from now on arrives as well.
  const more = {
    step: [800, 801],
    loss: [0.1, 0.1],
    learningRate: [0.1, 0.1],
    metrics: { metric_17: [99, 99] },
  }
  await call(server.url, 'POST', '/runs/fifty/telemetry', { clientId: 'job', sequence: 2, steps: more })
  await expect(panel).toHaveAttribute('aria-valuetext', /^step 802, 99$/)
  await page.reload()
  await expect(panel).toHaveAttribute('aria-valuetext', /^step 802, 99$/)
  await page.getByRole('button', { name: 'Close metric_17' }).click()
  await expect(page).not.toHaveURL(/panels=/)
  await page.getByRole('button', { name: 'Close Learning rate' }).click()
  await expect(page).toHaveURL(/closed=rate/)
  await page.getByRole('button', { name: 'Show Learning rate' }).click()
  await expect(page.getByRole('slider', { name: 'Learning rate: cursor' })).toBeVisible()
  await page.getByText('How', { exact: true }).click()
  await expect(page.getByText(/evaluate=…/).first()).toBeVisible()
  await page.getByRole('button', { name: 'More signals' }).click()
  await expect(page.getByRole('region', { name: 'More signals' })).toBeVisible()
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 })
    await expectAccessible(page, `list of signals and folded panels, ${width} px`)
    await expectNoSidewaysScroll(page, `list of signals and folded panels, ${width} px`)
  }
})

test('a chart leaves as picture, drawing and table', async ({ server, page }) => {
  const job = await startJob(server.url, { runId: 'saved', budgetSteps: 600 })
  await job.report(300)
  const run = await openRun(page, server.url, 'saved')
  await run.reaches(300)
  const save = async (choice: string) => {
    await page.getByRole('button', { name: 'Save Loss' }).click()
    const file = page.waitForEvent('download')
    await page.getByRole('button', { name: choice }).click()
    const download = await file
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) }
  }
  const table = await save('Table (CSV)')
  expect(table.name).toBe('saved.loss.csv')
  const rows = table.bytes.toString().trim().split('\r\n')
  expect(rows[0]).toMatch(/^step,"?raw, last"?,smoothed,/)
  expect(rows).toHaveLength(301)
  expect(rows[1]).toMatch(/^0,2\.3/)
  const drawing = await save('Drawing (SVG)')
  expect(drawing.name).toBe('saved.loss.svg')
  const svg = drawing.bytes.toString()
  const faults = await page.evaluate(
    (text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelectorAll('parsererror').length,
    svg,
  )
  expect(faults).toBe(0)
  expect(svg).toContain('Loss · saved')
  expect(svg.match(/<path/g)!.length).toBeGreaterThan(5)
  const picture = await save('Picture (PNG)')
  expect(picture.name).toBe('saved.loss.png')
  expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG')
  expect(picture.bytes.length).toBeGreaterThan(5_000)
})

test.describe('under a finger', () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 800 } })
  test('a tap sets the cursor, a drag to the side zooms and then moves, two fingers stretch', async ({
    server,
    page,
  }) => {
    const job = await startJob(server.url, { runId: 'touched', budgetSteps: 2_000 })
    await job.report(1_000)
    const run = await openRun(page, server.url, 'touched')
    await run.reaches(1_000)
    const surface = surfaceOf(page, 'Loss')
    await surface.scrollIntoViewIfNeeded()
    const { x, y, width } = (await surface.boundingBox())!
    const at = (share: number) => ({ x: x + share * width, y: y + 60 })
    await page.touchscreen.tap(at(0.25).x, at(0.25).y)
    expect(Math.abs((await run.step()) - 500)).toBeLessThan(12)

    const session = await page.context().newCDPSession(page)
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', ...shares: number[]) => {
      const touchPoints = shares.map((share, id) => ({ ...at(share), id }))
      await session.send('Input.dispatchTouchEvent', { type, touchPoints })
    }
    const drag = async (from: number[], to: number[]) => {
      await touch('touchStart', ...from)
      for (const part of [0.25, 0.5, 0.75, 1])
        await touch('touchMove', ...from.map((start, i) => start + part * (to[i]! - start)))
      await touch('touchEnd')
    }
    await drag([0.25], [0.75])
    await expect(page).toHaveURL(/from=(49\d|50\d)&to=(149\d|150\d)/)
    await drag([0.75], [0.5])
    await expect.poll(async () => Math.abs((await shownOf(page))[0] - 750)).toBeLessThan(25)
    await drag([0.4, 0.6], [0.2, 0.8])
    await expect.poll(() => lengthOf(page)).toBeLessThan(500)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  })
})
