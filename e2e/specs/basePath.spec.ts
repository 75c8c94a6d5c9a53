// A server under a path of a host, behind a proxy that passes the path on: the page, its live connection and the programs
// that report to it find everything there, and ask for nothing beside it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startJob } from '../fixtures/api.ts'
import { type FrontProxy, startProxy } from '../fixtures/proxy.ts'
import { openRun } from '../fixtures/runPage.ts'
import { runCommand, type Server } from '../fixtures/service.ts'
import { test as base, expect } from '../fixtures/test.ts'

const basePath = '/twostep'
const test = base.extend<{ front: FrontProxy; behind: Server }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are used from this pattern.
  front: async ({}, use) => {
    const front = await startProxy(basePath)
    await use(front)
    await front.close()
  },
  behind: async ({ home, serve, front }, use) => {
    const settings = { basePath, trustProxy: '127.0.0.1', trustNetwork: '1', allowedHosts: front.host }
    writeFileSync(join(home, 'twostep.config.json'), JSON.stringify(settings))
    const server = await serve()
    expect(server.url).toMatch(/:\d+\/twostep$/)
    front.leadTo(server.url)
    await use(server)
  },
})

test('behind a proxy under a path: the list, a run as it goes on, settings and links', async ({
  behind,
  front,
  page,
}) => {
  const url = front.url + basePath
  const job = await startJob(url, { runId: 'proxied' })
  await job.report(50)
  const socket = page.waitForEvent('websocket')
  await page.goto(`${url}/`)
  expect((await socket).url()).toContain(`${front.host}${basePath}/socket.io/`)
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  await page.getByRole('link', { name: 'proxied' }).first().click()
  await expect(page).toHaveURL(`${url}/runs/proxied`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('proxied')
  const cursor = page.getByRole('slider', { name: 'Loss: cursor' })
  await expect(cursor).toHaveAttribute('aria-valuenow', '50')
  await job.report(50)
  await expect(cursor).toHaveAttribute('aria-valuenow', '100')
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await expect(page).toHaveURL(`${url}/settings`)
  await expect(page.getByRole('main')).toContainText(url)
  await expect(page.getByRole('main')).toContainText(', can be written')
  const contract = page.getByRole('link', { name: 'The HTTP API as OpenAPI' })
  await expect(contract).toHaveAttribute('href', `${basePath}/openapi.json`)
  const { servers } = await (await fetch(`${url}/openapi.json`)).json()
  expect(servers).toEqual([{ url: basePath }])
  await page.getByRole('link', { name: 'Connect', exact: true }).click()
  await expect(page).toHaveURL(`${url}/start`)
  await expect(page.getByRole('main')).toContainText(`TWOSTEP_SERVER_URL=${url} python`)
  // The example lies beside the page's code.
  await expect(page.getByRole('main')).toContainText('import twostep')
  await page.getByRole('tab', { name: 'curl' }).click()
  await expect(page.getByRole('main')).toContainText(`curl ${url}/api/v1/runs `)
  await page.getByRole('link', { name: 'Twostep, all runs' }).click()
  await expect(page).toHaveURL(`${url}/`)
  await page.goBack()
  await expect(page).toHaveURL(`${url}/start?framework=curl`)
  expect(front.strays).toEqual([])
  // Past the proxy the server's probes answer whoever asks.
  const past = new URL(behind.url).origin
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect([path, (await fetch(past + path)).status]).toEqual([path, 200])
  expect((await fetch(`${past}/api/v1/runs`)).status).toBe(404)
})

test('a deep link is opened under the path, loads what else it needs there, and its files come from there', async ({
  behind,
  front,
  page,
}) => {
  expect(behind.port).toBeGreaterThan(0)
  const url = front.url + basePath
  const job = await startJob(url, { runId: 'proxied', budgetSteps: 200 })
  await job.report(200)
  await page.goto(`${url}/runs/proxied?panel=schedule&format=csv`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('proxied')
  await openRun(page, url, 'proxied', '?panel=schedule&format=csv')
  const file = page.getByRole('link', { name: /download/i }).first()
  await expect(file).toHaveAttribute('href', `${basePath}/api/v1/runs/proxied/schedule?format=csv`)
  // A report is made by code that is loaded when it is asked for, and names the run's address.
  const [report] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Report', exact: true }).first().click(),
  ])
  expect(readFileSync(await report.path(), 'utf8')).toContain(`href="${url}/runs/proxied`)
  await page.goto(`${url}/settings/webhooks`)
  await expect(page.getByRole('heading', { name: 'Webhooks', exact: true })).toBeVisible()
  await page.goto(`${url}/compare?runs=proxied`)
  await expect(page.getByRole('link', { name: 'proxied' }).first()).toHaveAttribute(
    'href',
    `${basePath}/runs/proxied`,
  )
  await page.goto(url)
  await expect(page.getByRole('link', { name: 'proxied' }).first()).toBeVisible()
  expect(front.strays).toEqual([])
})

test('a token that the page keeps is of the server under this path', async ({
  home,
  serve,
  front,
  page,
  complaints,
}) => {
  complaints.allow(/status of 401/)
  const settings = { basePath, trustProxy: '127.0.0.1', allowedHosts: front.host }
  writeFileSync(join(home, 'twostep.config.json'), JSON.stringify(settings))
  const server = await serve()
  front.leadTo(server.url)
  await page.goto(`${front.url}${basePath}/settings/tokens`)
  await page.getByLabel('Token', { exact: true }).fill(server.token!)
  await page.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Enter' }).click()
  await expect(page.getByRole('heading', { name: 'Tokens' })).toBeVisible()
  const kept = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('token')))
  expect(kept).toEqual([`twostep.token${basePath}`])
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Tokens' })).toBeVisible()
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
})

test('the trainer and the command line take an address with a path', async ({
  behind,
  home,
  front,
  page,
  train,
}) => {
  expect(behind.port).toBeGreaterThan(0)
  const url = `${front.url}${basePath}/`
  const trainer = train(url, { runId: 'trained', steps: 60 })
  expect(await trainer.summary()).toMatchObject({ runId: 'trained', steps: 60 })
  const listed = await runCommand(home, ['list', 'runs', '--server', url])
  expect(listed).toMatchObject({ code: 0, err: '' })
  expect(listed.out).toContain('trained')
  expect((await runCommand(home, ['export', 'trained', 'log.ndjson', '--server', url])).code).toBe(0)
  const imported = ['import', 'log.ndjson', '--run-id', 'again', '--server', url]
  expect(await runCommand(home, imported)).toMatchObject({ code: 0 })
  await openRun(page, `${front.url}${basePath}`, 'again')
  expect(front.strays).toEqual([])
})
