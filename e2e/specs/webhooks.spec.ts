// What only an admin sees of a server without tokens, too: webhooks with a real receiver, the audit, runs that were deleted.

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { startJob } from '../fixtures/api.ts'
import { expectLargeTargets } from '../fixtures/targets.ts'
import { expect, test } from '../fixtures/test.ts'

/** A receiver on this computer, and the status that it answers. */
async function startReceiver() {
  const received: string[] = []
  const receiver = { status: 200, received, url: '', close: () => {} }
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      received.push(JSON.parse(text).type)
      response.writeHead(receiver.status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  receiver.close = () => void server.close()
  return receiver
}

test('an admin makes a webhook, tries it, sees what failed and why, sends it again and deletes it', async ({
  home,
  serve,
  page,
  complaints,
}) => {
  complaints.allow(/status of 422/)
  writeFileSync(join(home, 'twostep.config.json'), JSON.stringify({ webhookAllow: '127.0.0.1' }))
  const server = await serve()
  const receiver = await startReceiver()
  await page.goto(`${server.url}/settings`)
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await expect(page).toHaveURL(/\/settings\/webhooks$/)
  await page.getByRole('textbox', { name: 'Address' }).fill('http://169.254.169.254/latest')
  await page.getByRole('button', { name: 'Make the webhook' }).click()
  await expect(page.getByRole('alert')).toContainText('TWOSTEP_WEBHOOK_ALLOW can allow it')
  await page.getByRole('textbox', { name: 'Address' }).fill(receiver.url)
  await page.getByRole('checkbox', { name: /^decision/ }).check()
  await page.getByRole('button', { name: 'Make the webhook' }).click()
  const told = page.getByRole('status').filter({ hasText: 'Copy it now.' })
  await expect(told.locator('code')).toHaveText(/^whsec_/)
  const card = page.getByRole('article', { name: receiver.url })
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(card.getByText('The test was taken (200).')).toBeVisible()

  receiver.status = 410
  await startJob(server.url, { runId: 'told' })
  await expect.poll(() => receiver.received.length).toBe(2)
  receiver.status = 422
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(card.getByText('the receiver answered 422')).toBeVisible()
  await expect(card.getByText(/^Switched off now/)).toBeVisible()
  await card.getByRole('button', { name: 'Deliveries' }).click()
  const row = card.getByRole('row', { name: /told/ })
  await expect(row).toContainText('waits: the receiver answered 410; next ')
  await expectAccessible(page, 'webhooks')
  receiver.status = 200
  await card.getByRole('button', { name: 'Send a test' }).click()
  await expect(card.getByText('The test was taken (200).')).toBeVisible()
  await expect(card.getByText(/^Switched off/)).toHaveCount(0)
  server.setAhead(60_000)
  await expect.poll(() => receiver.received.at(-1)).toBe('decision')
  await card.getByRole('button', { name: 'Look again' }).click()
  await expect(row).toContainText('delivered, try 2 (200)')
  const before = receiver.received.length
  await row.getByRole('button', { name: 'Send again' }).click()
  await expect.poll(() => receiver.received.length).toBe(before + 1)
  await page.reload()
  await expect(page.locator('main')).not.toContainText('whsec_')
  await card.getByRole('button', { name: 'Delete…' }).click()
  await card.getByRole('button', { name: 'Delete it' }).click()
  await expect(page.getByText('There are none.')).toBeVisible()
  receiver.close()
})

test('a deleted run is brought back from the settings, and the audit tells of both', async ({
  server,
  page,
}) => {
  await (await startJob(server.url, { runId: 'gone' })).report(300)
  const deleted = await fetch(`${server.url}/api/v1/runs/gone`, { method: 'DELETE' })
  expect(deleted.status).toBe(204)
  await page.goto(`${server.url}/settings/deleted`)
  await expect(page.getByRole('row', { name: /gone/ })).toBeVisible()
  await expectAccessible(page, 'deleted runs')
  await page.getByRole('button', { name: 'Restore gone' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'gone is back.' })).toBeVisible()
  await expect(page.getByText('There are none.')).toBeVisible()
  await page.getByRole('link', { name: 'gone' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('gone')

  await page.goto(`${server.url}/settings/audit`)
  const rows = page.getByRole('row')
  await expect(rows.nth(1)).toContainText('restoreRun')
  await expect(rows.nth(2)).toContainText('deleteRun')
  await expect(rows.nth(2)).toContainText('local')
  await expect(rows.nth(2)).toContainText('204')
  await expectAccessible(page, 'audit')
})

test('the audit comes in pages', async ({ server, page }) => {
  await startJob(server.url, { runId: 'named' })
  for (let i = 0; i < 55; i++)
    await fetch(`${server.url}/api/v1/runs/named`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: `name ${i}` }),
    })
  await page.goto(`${server.url}/settings/audit`)
  await expect(page.getByRole('row')).toHaveCount(51)
  await page.getByRole('button', { name: 'Earlier ones' }).click()
  await expect(page.getByRole('row')).toHaveCount(56)
  await expect(page.getByRole('button', { name: 'Earlier ones' })).toHaveCount(0)
  await expect(page.getByRole('row').last()).toContainText('name "name 0"')
})

test.describe('on a phone', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } })

  test('every target of webhooks, audit and deleted runs is large', async ({ server, page }) => {
    await (await startJob(server.url, { runId: 'gone' })).report(300)
    await fetch(`${server.url}/api/v1/runs/gone`, { method: 'DELETE' })
    await fetch(`${server.url}/api/v1/webhooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: 'https://example.invalid/hook', events: ['stale'] }),
    })
    for (const [part, name] of [
      ['webhooks', 'Send a test'],
      ['deleted', 'Restore gone'],
      ['audit', null],
    ] as const) {
      await page.goto(`${server.url}/settings/${part}`)
      if (name !== null) await expect(page.getByRole('button', { name })).toBeVisible()
      else await expect(page.getByRole('row').nth(1)).toBeVisible()
      if (part === 'webhooks') {
        await page.getByRole('button', { name: 'Deliveries' }).click()
        await expect(page.getByRole('button', { name: 'Look again' })).toBeVisible()
        await page.getByRole('button', { name: 'Delete…' }).click()
      }
      // A tablet on its side is touched, too.
      for (const width of [390, 1_024]) {
        await page.setViewportSize({ width, height: 844 })
        await expectNoSidewaysScroll(page, `${part}, ${width} px`)
        await expectLargeTargets(page, `${part}, ${width} px`)
      }
    }
  })
})
