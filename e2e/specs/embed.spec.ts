// A run in a frame of another page: only where the owner allows it, and without anything that acts.

import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expectAccessible } from '../fixtures/accessibility.ts'
import { startJob } from '../fixtures/api.ts'
import { expect, test } from '../fixtures/test.ts'

/** A page of another origin that holds a frame of each address. */
async function startHostPage(frames: readonly string[]) {
  const server = createServer((_request, response) => {
    const inside = frames.map(
      (url, i) => `<iframe title="f${i}" width="900" height="700" src="${url}"></iframe>`,
    )
    response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><title>Notebook</title>${inside.join('')}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('a run is shown in a frame of an origin that the owner allows: live, and nothing in it acts', async ({
  home,
  serve,
  page,
}) => {
  const frames: string[] = []
  const host = await startHostPage(frames)
  try {
    writeFileSync(join(home, 'twostep.config.json'), JSON.stringify({ embedOrigins: [host.url] }))
    const server = await serve()
    const job = await startJob(server.url, { runId: 'framed' })
    await job.report(50)
    frames.push(`${server.url}/runs/framed?embed=1`)
    // No policy of the page's own keeps it from its live socket.
    const live = page.waitForEvent('websocket', (socket) => socket.url().includes('/socket.io/'))
    await page.goto(host.url)
    await (await live).waitForEvent('framereceived')
    const frame = page.frameLocator('iframe')
    await expect(frame.getByRole('heading', { level: 1 })).toHaveText('framed')
    const cursor = frame.getByRole('slider', { name: 'Loss: cursor' })
    await expect(cursor).toHaveAttribute('aria-valuenow', '50')
    await job.report(50)
    await expect(cursor).toHaveAttribute('aria-valuenow', '100')
    await expect(frame.getByRole('banner')).toHaveCount(0)
    await expect(frame.getByRole('complementary')).toHaveCount(0)
    await expect(frame.getByRole('button', { name: /Override|Switch now|Finish|Delete/ })).toHaveCount(0)
    const out = frame.getByRole('link', { name: 'Open in Twostep' })
    await expect(out).toHaveAttribute('href', '/runs/framed')
    await expect(out).toHaveAttribute('target', '_blank')
    await page.goto(frames[0]!)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('framed')
    await expectAccessible(page, 'a run in a frame')
  } finally {
    host.server.close()
  }
})

test('no other origin, no other page and no run without the word is shown in a frame', async ({
  home,
  serve,
  page,
  complaints,
}) => {
  complaints.allow(/frame-ancestors|ERR_BLOCKED_BY_RESPONSE/)
  writeFileSync(
    join(home, 'twostep.config.json'),
    JSON.stringify({ embedOrigins: ['https://notes.example'] }),
  )
  const server = await serve()
  const job = await startJob(server.url, { runId: 'framed' })
  await job.report(50)
  const policyOf = async (path: string) => {
    const { headers } = await fetch(server.url + path)
    return { policy: headers.get('content-security-policy'), options: headers.get('x-frame-options') }
  }
  const allowed = await policyOf('/runs/framed?embed=1')
  expect(allowed.policy).toMatch(/frame-ancestors https:\/\/notes\.example$/)
  expect(allowed.options).toBeNull()
  for (const path of [
    '/runs/framed',
    '/runs/framed?embed=0',
    '/?embed=1',
    '/settings?embed=1',
    '/api/v1/runs?limit=1',
  ]) {
    const refused = await policyOf(path)
    expect(refused.policy, path).toMatch(/frame-ancestors 'none'$/)
    expect(refused.options, path).toBe('DENY')
  }
  const host = await startHostPage([`${server.url}/runs/framed?embed=1`])
  try {
    await page.goto(host.url)
    await expect.poll(() => page.frames()[1]?.url()).toContain('chrome-error')
  } finally {
    host.server.close()
  }
})
