// A server that demands tokens, as a person meets it: the page asks for one, keeps it as chosen, offers what it allows, and
// says so when it is no more.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectAccessible, expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { lossAt } from '../fixtures/api.ts'
import { openRun } from '../fixtures/runPage.ts'
import type { Server } from '../fixtures/service.ts'
import { expectLargeTargets } from '../fixtures/targets.ts'
import { expect, test } from '../fixtures/test.ts'

/** What a browser logs of each answer 401 and 403, and of the socket that is refused. */
const refusedCalls = /status of 40[13]/

async function callWith(server: Server, token: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect([path, response.ok]).toEqual([path, true])
  return response.status === 204 ? null : await response.json()
}

/** A server that demands tokens, with a run. */
async function serveClosed(home: string, serve: () => Promise<Server>) {
  writeFileSync(join(home, 'twostep.config.json'), JSON.stringify({ requireTokens: '1' }))
  const server = await serve()
  const admin = server.token!
  const make = async (name: string, scopes: readonly string[]): Promise<{ id: string; secret: string }> => {
    const { token, secret } = await callWith(server, admin, 'POST', '/tokens', { name, scopes })
    return { id: token.id, secret }
  }
  await callWith(server, admin, 'POST', '/runs', { runId: 'closed', budgetSteps: 4_000 })
  const step = Array.from({ length: 200 }, (_, i) => i)
  const steps = { step, loss: step.map(lossAt), learningRate: step.map(() => 0.1) }
  await callWith(server, admin, 'POST', '/runs/closed/telemetry', { clientId: 'c', sequence: 1, steps })
  return { server, admin, make }
}

test('the page asks for a token, and with one that reads nothing can be pressed that acts', async ({
  home,
  serve,
  page,
  complaints,
}) => {
  complaints.allow(refusedCalls)
  const { server, admin, make } = await serveClosed(home, serve)
  const reader = await make('wall-screen', ['read'])
  await page.goto(`${server.url}/runs/closed`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This server demands a token')
  await expectAccessible(page, 'the question for a token')
  await page.getByLabel('Token', { exact: true }).fill(`tw_${'x'.repeat(43)}`)
  await page.getByRole('button', { name: 'Enter' }).click()
  await expect(page.getByRole('alert')).toHaveText('this server knows no such token')
  await page.getByLabel('Token', { exact: true }).fill(reader.secret)
  await page.getByRole('button', { name: 'Enter' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('closed')
  expect(page.url()).not.toContain('tw_')
  const run = await openRun(page, server.url, 'closed')
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  const override = page.getByRole('button', { name: 'Override rate…' })
  await expect(override).toHaveAttribute('aria-disabled', 'true')
  await expect(override).toHaveAttribute('title', 'Your token can read only.')
  // It stays in reach of the keyboard, so that its reason can be read.
  await override.focus()
  await page.keyboard.press('Enter')
  await expect(run.details).toContainText('Your token can read only.')
  await expect(run.details.getByRole('textbox')).toHaveCount(0)
  await page.getByLabel('More actions').click()
  await expect(page.getByRole('button', { name: /^Delete/ })).toBeDisabled()
  await callWith(server, admin, 'DELETE', `/tokens/${reader.id}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your token was revoked')
})

test('an admin makes a token that is shown once, rotates and revokes it; a tab forgets, a browser keeps', async ({
  home,
  serve,
  page,
  context,
  complaints,
}) => {
  complaints.allow(refusedCalls)
  const { server, admin } = await serveClosed(home, serve)
  const enter = async (on: typeof page, keeps: boolean) => {
    await on.goto(`${server.url}/settings/tokens`)
    await on.getByLabel('Token', { exact: true }).fill(admin)
    if (keeps) await on.getByRole('checkbox').check()
    await on.getByRole('button', { name: 'Enter' }).click()
    await expect(on.getByRole('heading', { name: 'Tokens' })).toBeVisible()
  }
  await enter(page, false)
  const second = await context.newPage()
  await second.goto(server.url)
  await expect(second.getByRole('heading', { level: 1 })).toHaveText('This server demands a token')
  await enter(second, true)
  const third = await context.newPage()
  await third.goto(`${server.url}/settings/tokens`)
  await expect(third.getByRole('heading', { name: 'Your token' })).toBeVisible()
  await expect(third.locator('main')).toContainText('first allows admin.')

  await page.getByRole('textbox', { name: 'Name' }).fill('gpu-node-3')
  await page.getByRole('checkbox', { name: /^read/ }).uncheck()
  await page.getByRole('checkbox', { name: /^write/ }).check()
  await page.getByRole('button', { name: 'Make the token' }).click()
  const told = page.getByRole('status').filter({ hasText: 'Copy it now.' })
  const secret = (await told.locator('code').textContent())!
  expect(secret).toMatch(/^tw_[\w-]{43}$/)
  const row = page.getByRole('row', { name: /gpu-node-3/ })
  await expect(row).toContainText('write')
  await expect(row).toContainText('never')
  await expectAccessible(page, 'the list of tokens')
  // The second click of a double one is no answer, nor is Enter.
  await row.getByRole('button', { name: 'Rotate…' }).dblclick()
  await expect(row.getByRole('button', { name: 'Replace it' })).toBeVisible()
  await expect(row.getByRole('button', { name: 'Keep it' })).toBeFocused()
  await told.getByRole('button', { name: 'Copy' }).click()
  await expect(told).toContainText(/Copied\.|Copying is not allowed/)
  await row.getByRole('button', { name: 'Replace it' }).click()
  await expect(told.locator('code')).not.toHaveText(secret)
  // What was said of the old secret is not said of the new one.
  await expect(told).not.toContainText(/Copied\.|Copying is not allowed/)
  await row.getByRole('button', { name: 'Revoke…' }).dblclick()
  await row.getByRole('button', { name: 'Revoke it' }).click()
  await expect(row).toHaveCount(0)
  await page.reload()
  await expect(page.locator('main')).not.toContainText('tw_')
})

test.describe('on a phone', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } })

  test('every target of the tokens is large, with a name as long as there can be and a secret that is shown', async ({
    server,
    page,
  }) => {
    const name = 'w'.repeat(128)
    await page.goto(`${server.url}/settings/tokens`)
    await page.getByRole('textbox', { name: 'Name' }).fill(name)
    await page.getByRole('button', { name: 'Make the token' }).click()
    await expect(page.getByText('Copy it now.')).toBeVisible()
    const row = page.getByRole('row', { name })
    await row.getByRole('button', { name: 'Revoke…' }).click()
    await expect(row.getByRole('button', { name: 'Revoke it' })).toBeVisible()
    // A tablet on its side is touched, too.
    for (const width of [390, 1_024]) {
      await page.setViewportSize({ width, height: 844 })
      await expectNoSidewaysScroll(page, `tokens, ${width} px`)
      await expectLargeTargets(page, `tokens, ${width} px`)
    }
    await expectAccessible(page, 'tokens on a phone')
  })
})
