// The list of runs: empty, filling by itself, searched, and moved through without a mouse.

import { startJob } from '../fixtures/api.ts'
import { expect, test } from '../fixtures/test.ts'

test('without runs the page says how to connect one, with calls that work as they stand', async ({
  server,
  page,
}) => {
  await page.goto(server.url)
  await expect(page).toHaveTitle('Runs · Twostep')
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible()
  await expect(page.getByText(`Waiting for the first telemetry at 127.0.0.1:${server.port}`)).toBeVisible()
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
  // A row that comes anew just then, as the list goes live, loses the focus: so from the start again.
  await expect(async () => {
    await page.goto(server.url)
    await expect(page.locator('table.runs tbody a.run-name')).toHaveText(['third', 'second', 'first'])
    await page.keyboard.press('j')
    await expect(link('third')).toBeFocused({ timeout: 1_000 })
  }).toPass()
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
  await page.keyboard.press('Escape')
  await expect(async () => {
    await page.keyboard.press('j')
    await expect(page.locator('table.runs tbody a.run-name:focus')).toBeVisible({ timeout: 200 })
  }).toPass()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/runs\/(first|second|third)$/)
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await expect(page).toHaveURL(`${server.url}/`)
  await page.goBack()
  await expect(page).toHaveURL(/\/runs\/(first|second|third)$/)
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
  await page.goto(`${server.url}/compare`)
  await expect(page.getByRole('main')).toContainText('There is no page at /compare.')
})
