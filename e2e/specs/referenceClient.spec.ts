// protocol/examples/referenceClient.py, written from PROTOCOL.md alone, against the built server: the page is enough.

import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from '../fixtures/test.ts'

const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0

test('a client written from the protocol alone trains, dies, goes on, and bears a bad network', async ({
  server,
}) => {
  test.skip(!hasPython, 'python3 (3.9 or newer) is missing: on Debian and Ubuntu apt-get install python3')
  test.setTimeout(240_000)
  const names = ['only_the_loss', 'no_budget', 'a_crash_and_a_new_process', 'an_unkind_network']
  const tests = ['Golden', ...names.map((name) => `WholeRuns.test_${name}`)]
  const { stderr } = await promisify(execFile)(
    'python3',
    ['-m', 'unittest', ...tests.map((name) => `referenceClientTest.${name}`)],
    {
      cwd: 'protocol/examples',
      env: { ...process.env, TWOSTEP_SERVER_URL: server.url, PYTHONDONTWRITEBYTECODE: '1' },
    },
  )
  expect(stderr).toMatch(/Ran 8 tests[\s\S]*OK/)
})
