// The list of runs: empty, filling by itself, searched, and moved through without a mouse.

import { type Job, startJob } from '../fixtures/api.ts'
import { expect, test } from '../fixtures/test.ts'

test('without runs the page says how to connect one, with calls that work as they stand', async ({
  server,
  page,
}) => {
  await page.goto(server.url)
  await expect(page).toHaveTitle('Runs · Twostep')
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  await expect(page.getByText(`Waiting for the first telemetry at 127.0.0.1:${server.port}`)).toBeVisible()
  await page.getByRole('tab', { name: 'curl' }).click()
  const example = (await page.locator('pre code').textContent()) ?? ''
  const calls = [...example.matchAll(/curl (\S+) -H '[^']*' \\\s+-d '([^']*)'/g)]
  expect(calls).toHaveLength(2)
  for (const [, url = '', body = ''] of calls) {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect([200, 201], `${url} answered ${response.status}`).toContain(response.status)
  }
  await expect(page.getByRole('link', { name: 'my-run' })).toBeVisible()
  await expect(page.getByRole('row', { name: /my-run/ })).toContainText('Step 2 of 6,000')
})

test('a search goes over name, project and tag, stands in the address, and can be cleared', async ({
  server,
  page,
}) => {
  await startJob(server.url, { runId: 'a', name: 'fashion-cnn', project: 'vision' })
  await startJob(server.url, { runId: 'b', name: 'fashion-mlp', project: 'vision', tags: ['night'] })
  await startJob(server.url, { runId: 'c', name: 'reviews', project: 'language', tags: ['night'] })
  await page.goto(server.url)
  const names = page.locator('table.runs tbody a.run-name')
  await expect(names).toHaveCount(3)
  await expect(page.locator('.list-head .count')).toHaveText('3 runs, 3 running')
  const search = page.getByRole('searchbox')
  await search.fill('night')
  await expect(names).toHaveText(['reviews', 'fashion-mlp'])
  await search.fill('vision NIGHT')
  await expect(names).toHaveText(['fashion-mlp'])
  await expect(page).toHaveURL(`${server.url}/?q=vision+NIGHT`)
  await page.reload()
  await expect(search).toHaveValue('vision NIGHT')
  await expect(names).toHaveText(['fashion-mlp'])
  await search.fill('nothing like it')
  await expect(page.getByText('No run matches “nothing like it”.')).toBeVisible()
  await page.getByRole('button', { name: 'Clear search' }).click()
  await expect(names).toHaveCount(3)
  await expect(page).toHaveURL(`${server.url}/`)
})

test('the keys j, k, Enter, /, ? and g r work, and are letters inside a field', async ({ server, page }) => {
  for (const runId of ['first', 'second', 'third']) await (await startJob(server.url, { runId })).report(10)
  const link = (name: string) => page.getByRole('link', { name, exact: true })
  await page.goto(server.url)
  await expect(page.locator('table.runs tbody a.run-name')).toHaveText(['third', 'second', 'first'])
  await page.keyboard.press('j')
  await expect(link('third')).toBeFocused()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await expect(link('first')).toBeFocused()
  await page.keyboard.press('k')
  await expect(link('second')).toBeFocused()

  await page.keyboard.press('?')
  const keys = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await expect(keys).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(keys).toBeHidden()

  await page.keyboard.press('/')
  const search = page.getByRole('searchbox')
  await expect(search).toBeFocused()
  await page.keyboard.type('jk?')
  await expect(search).toHaveValue('jk?')
  await expect(keys).toBeHidden()
  await search.fill('')
  await expect(page.locator('table.runs tbody a.run-name')).toHaveText(['third', 'second', 'first'])
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await expect(link('first')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\/first$/)
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await expect(page).toHaveURL(`${server.url}/`)
  await page.goBack()
  await expect(page).toHaveURL(/\/runs\/first$/)
})

test('a key pressed in the very moment in which the rows appear is heard', async ({ server, page }) => {
  for (const runId of ['first', 'second']) await (await startJob(server.url, { runId })).report(10)
  await page.addInitScript(() => {
    const look = new MutationObserver(() => {
      if (document.querySelector('table.runs a.run-name') === null) return
      look.disconnect()
      dispatchEvent(new KeyboardEvent('keydown', { key: 'j' }))
    })
    look.observe(document, { subtree: true, childList: true })
  })
  await page.goto(server.url)
  await expect(page.getByRole('link', { name: 'second', exact: true })).toBeFocused()
})

test('the focus stays on its run as the list goes live and is sorted anew, and through a lost connection', async ({
  server,
  page,
}) => {
  // As in browsers in which a row can only be taken out and put in again, which takes its focus.
  await page.addInitScript(() => {
    for (const { prototype } of [Element, DocumentFragment]) Reflect.deleteProperty(prototype, 'moveBefore')
  })
  const jobs = new Map<string, Job>()
  const report = async (...runIds: readonly string[]) => {
    for (const runId of runIds) {
      const job = jobs.get(runId) ?? (await startJob(server.url, { runId }))
      jobs.set(runId, job)
      await job.report(10)
    }
  }
  const names = page.locator('table.runs tbody a.run-name')
  const link = (name: string) => page.getByRole('link', { name, exact: true })
  await report('a', 'b', 'c', 'd')
  // Each connection waits to be let through, and can be cut.
  const waiting: (() => void)[] = []
  let cut = async () => {}
  await page.routeWebSocket(/\/socket\.io\//, async (socket) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    socket.connectToServer()
    cut = () => socket.close()
  })
  const letThrough = async () => {
    await expect.poll(() => waiting.length).toBe(1)
    waiting.pop()?.()
  }
  await page.goto(server.url)
  await expect(names).toHaveText(['d', 'c', 'b', 'a'])
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await expect(link('c')).toBeFocused()

  await report('b', 'd', 'c', 'a')
  await report('e')
  await letThrough()
  await expect(names).toHaveText(['e', 'a', 'c', 'd', 'b'])
  await expect(link('c')).toBeFocused()
  await page.keyboard.press('j')
  await expect(link('d')).toBeFocused()

  await cut()
  await expect(page.locator('header .connection')).toHaveText('Disconnected')
  await report('d', 'c', 'b')
  await letThrough()
  await expect(names).toHaveText(['b', 'c', 'd', 'e', 'a'])
  await expect(link('d')).toBeFocused()
})

test('a run that does not exist, and a page that does not, say so and lead back', async ({
  server,
  page,
  complaints,
}) => {
  complaints.allow(/status of 404/)
  await page.goto(`${server.url}/runs/nobody`)
  await expect(page.locator('main')).toContainText('No run called nobody here.')
  await page.getByRole('main').getByRole('link', { name: 'All runs' }).click()
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  await page.goto(`${server.url}/runs/no/where`)
  await expect(page.getByRole('main')).toContainText('There is no page at /runs/no/where.')
})
