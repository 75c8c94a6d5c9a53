// Two servers on one PostgreSQL behind the shipped balancer, as the guide tells to try them: a job is steered through it, one
// server is killed, and then the other one, and the page goes on.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Haproxy, hasHaproxy, settingsBehind, startHaproxy } from '../../deploy/testing/haproxy.ts'
import { startPostgres } from '../../server/testing/postgresServer.ts'
import { expectNothingLostOrDoubled } from '../fixtures/laws.ts'
import { openRun } from '../fixtures/runPage.ts'
import { type Server, startServer } from '../fixtures/service.ts'
import { test as base, expect, lostConnection } from '../fixtures/test.ts'

type Pair = {
  readonly url: string
  kill(name: 'a' | 'b'): Promise<void>
  start(name: 'a' | 'b'): Promise<void>
}

const test = base.extend<{ pair: Pair }>({
  pair: async ({ home, programs }, use) => {
    const postgres = await startPostgres()
    test.skip(postgres === undefined, 'PostgreSQL is not installed (`apt-get install postgresql`)')
    const storageUrl = `${postgres!.url}/postgres`
    const servers: Partial<Record<'a' | 'b', Server>> = {}
    const start = async (name: 'a' | 'b') => {
      const folder = join(home, name)
      mkdirSync(folder, { recursive: true })
      const settings = { ...settingsBehind, storageUrl, replicaAddress: 'http://127.0.0.1' }
      writeFileSync(join(folder, 'twostep.config.json'), JSON.stringify(settings))
      servers[name] = programs.add(await startServer(folder, servers[name]?.port))
      return servers[name].port
    }
    let haproxy: Haproxy | undefined
    try {
      const ports = { a: await start('a'), b: await start('b') }
      haproxy = await startHaproxy(home, ports)
      const { url } = haproxy
      const status = () =>
        fetch(`${url}/readyz`).then(
          (answer) => answer.status,
          () => 0,
        )
      await expect.poll(status).toBe(200)
      await use({
        url,
        kill: async (name) => void (await servers[name]!.kill('SIGKILL')),
        start: async (name) => void (await start(name)),
      })
    } finally {
      await haproxy?.stop()
      await Promise.all(Object.values(servers).map((server) => server.kill('SIGKILL')))
      await postgres!.stop()
    }
  },
})

test.skip(!hasHaproxy, 'HAProxy is not installed (`apt-get install haproxy`)')

test('a job and a page go on while either server is killed, and a person steers through the one that is left', async ({
  pair,
  page,
  train,
  complaints,
}) => {
  complaints.allow(lostConnection)
  // What a balancer answers for a server that has just died.
  complaints.allow(/status of 50[23]/)
  const trainer = train(pair.url, { runId: 'steered', steps: 3_000 })
  await trainer.line(/"event":"decision"/)
  const run = await openRun(page, pair.url, 'steered')
  await run.reaches(100)
  await page.evaluate(() => document.body.setAttribute('data-loaded-once', ''))
  await pair.kill('a')
  await run.reaches((await run.step()) + 100)
  await pair.start('a')
  await pair.kill('b')
  await run.reaches((await run.step()) + 100)
  await page.getByRole('button', { name: 'Override rate…' }).click()
  await run.details.getByRole('textbox', { name: 'Learning rate' }).fill('0.03')
  await run.details.getByRole('textbox', { name: 'Until step' }).fill('2900')
  await run.details.getByRole('textbox', { name: 'Reason' }).fill('with one server left')
  await run.details.getByRole('button', { name: 'Set 0.03 until step 2,900' }).click()
  await expect(page.locator('.say')).toContainText('(with one server left)')
  const { steps: trained } = await trainer.summary()
  await run.reaches(trained - 1)
  await expect(page.locator('body')).toHaveAttribute('data-loaded-once', '')
  await expectNothingLostOrDoubled(pair.url, 'steered', trained)
})
