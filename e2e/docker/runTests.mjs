// @ts-check
// The images at work: health, reach, stop, training, restart, another user, nothing written but to /data and /tmp.

import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { evaluate, healthy, newVolume, start } from './container.mjs'

/** Steps of the training run; enough for each phase of the tuner. */
const demoSteps = 600
/** Seconds that an engine gives by default before it kills; a stop must need fewer. */
const stopSeconds = 8

const api = 'http://127.0.0.1:7317'
/** @param {string} path */
const get = (path) =>
  `fetch('${api}${path}').then(async (answer) => console.log(JSON.stringify(await answer.json())))`
/** Status of a request to an address with a Host header of its own; null = nobody listens there. @param {string} address @param {string} host */
const statusAt = (address, host) =>
  `require('node:http').get({ host: '${address}', port: 7317, path: '/readyz', headers: { host: '${host}' } }, (answer) => { console.log(answer.statusCode); process.exit() }).on('error', () => { console.log('null'); process.exit() })`

/** Reports a run with a few steps. @param {string} runId */
const report = (runId) => `
  const post = (path, body) => fetch('${api}/api/v1/runs' + path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }).then((answer) => answer.status)
  const steps = { step: [0, 1, 2], loss: [2.3, 2.2, 2.1], learningRate: [0.1, 0.1, 0.1] }
  post('', { runId: '${runId}', budgetSteps: 1000, learningRate: { initial: 0.1 } })
    .then(async (created) => console.log(JSON.stringify([created, await post('/${runId}/telemetry', { clientId: 'job', sequence: 1, steps })])))`

/** Which of some places the image's user can write to. */
const writable = `console.log(JSON.stringify(['/', '/opt/twostep/', '/opt/twostep/node_modules/', '/etc/', '/usr/', '/var/', '/tmp/', '/data/', '/dev/shm/'].filter((folder) => {
  try { require('node:fs').writeFileSync(folder + 'trial', 'x'); require('node:fs').rmSync(folder + 'trial'); return true } catch { return false } })))`

/** After a stop in order the write-ahead log is folded into the one database file. @param {string} volume */
function checkWhole(volume) {
  const left = readdirSync(volume).filter((name) => /-(wal|shm|journal)$/.test(name))
  assert.deepEqual(left, [], 'no write-ahead log may be left')
  assert.ok(existsSync(join(volume, 'twostep.db')), 'the database must be there')
}

/** @param {import('./container.mjs').Container} container @param {number} status */
async function stopInOrder(container, status) {
  container.stop()
  assert.equal(await container.end(stopSeconds), status, container.said())
}

/** What stays of runs over a restart. @param {{ runs: Record<string, unknown>[] }} list */
const kept = ({ runs }) =>
  runs.map(({ id, step, decisionCount, phase }) => ({ id, step, decisionCount, phase }))

/** What the trainer's own report says of native TensorFlow inside. @param {import('./tools.mjs').Store} store @param {import('./container.mjs').Image} image */
async function tryNative(store, image) {
  const container = start(store, image, { volume: newVolume(join(store.folder, 'work')) })
  await healthy(container, image)
  const report = '/opt/twostep/dist/trainer/backends/native/report.js'
  const tried = container.exec(['node', report, '--json', '--try'])
  assert.equal(tried.status, 0, tried.err)
  await stopInOrder(container, 0)
  return JSON.parse(tried.out)
}

/** No card is handed in here: it must load, train on the processor, and say why not on a card. @param {import('./tools.mjs').Store} store @param {import('./container.mjs').Image} image @param {(name: string, body: () => void | Promise<void>) => Promise<boolean>} test */
export const gpuImageTest = (store, image, test) =>
  test('gpu: without a card it loads, trains on the processor, and says what is missing', async () => {
    const facts = await tryNative(store, image)
    assert.equal(facts.trials.gpu?.error, undefined, facts.trials.gpu?.error)
    assert.equal(facts.trials.gpu.onGpu, false)
    const skipped = facts.skipped.find((/** @type {{ name: string }} */ { name }) => name === 'gpu')
    assert.match(skipped.reason, /driver/i)
    console.log(`  ${facts.trials.gpu.sentence}\n  ${skipped.reason}`)
  })

/**
 * @param {import('./tools.mjs').Store} store folders made here go below its folder
 * @param {{ server: import('./container.mjs').Image, cpu: import('./container.mjs').Image }} images
 * @param {(name: string, body: () => void | Promise<void>) => Promise<boolean>} test
 */
export async function runTests(store, { server, cpu }, test) {
  const work = join(store.folder, 'work')
  const trained = newVolume(work)

  await test('server: becomes healthy, serves page and API, writes to /data and /tmp only, stops in order', async () => {
    const volume = newVolume(work)
    const container = start(store, server, { volume })
    await healthy(container, server)
    assert.deepEqual(evaluate(container, report('r1')), [201, 200])
    assert.match(
      container.exec([
        'node',
        '-e',
        `fetch('${api}/').then(async (answer) => console.log(await answer.text()))`,
      ]).out,
      /<script/,
    )
    assert.deepEqual(evaluate(container, writable), ['/tmp/', '/data/', '/dev/shm/'])
    assert.equal(evaluate(container, `console.log(process.getuid())`), 1000)
    await stopInOrder(container, 0)
    checkWhole(volume)
  })

  // 127.0.0.2 stands for the container's address on its network: a server on 127.0.0.1 does not answer there.
  await test('server: reached from outside its loopback only if the network is trusted by name, and by known names', async () => {
    const refused = start(store, server, { env: { TWOSTEP_HOST: '0.0.0.0' } })
    assert.equal(await refused.end(30), 2)
    assert.match(refused.output.err, /TWOSTEP_HOST must be a loopback address/)
    const closed = start(store, server, { volume: newVolume(work) })
    await healthy(closed, server)
    assert.equal(evaluate(closed, statusAt('127.0.0.2', '127.0.0.1:7317')), null)
    await stopInOrder(closed, 0)
    const env = { TWOSTEP_HOST: '0.0.0.0', TWOSTEP_TRUST_NETWORK: '1' }
    const open = start(store, server, { env, volume: newVolume(work) })
    await healthy(open, server)
    assert.equal(evaluate(open, statusAt('127.0.0.2', '127.0.0.1:7317')), 200)
    assert.equal(evaluate(open, statusAt('127.0.0.2', 'evil.example:7317')), 403)
    await stopInOrder(open, 0)
    // Read at its end: the calls above block this process, so its output may not have been taken in before.
    assert.match(open.output.err, /everyone who can reach this address may read and steer all runs/)
  })

  await test(`cpu: the demo trains ${demoSteps} steps to the end, without rights and on a read-only file system`, async () => {
    const command = ['demo', '--exit', '--json', '--steps', String(demoSteps)]
    const container = start(store, cpu, { volume: trained, command })
    assert.equal(await container.end(240), 0, container.said())
    const summary = JSON.parse(container.output.out.trim().split('\n').at(-1) ?? '')
    assert.equal(summary.budgetSteps, demoSteps)
    assert.ok(
      summary.testAccuracy > 0.8,
      `the test accuracy must be above 0.8, it is ${summary.testAccuracy}`,
    )
    checkWhole(trained)
    assert.match(container.output.out, /using the native backend/)
    console.log(`  test accuracy ${summary.testAccuracy}, ${summary.wallSeconds} s`)
  })

  await test('cpu: it trains on WebAssembly too', async () => {
    const command = ['train', '--backend', 'wasm', '--task', 'digits', '--steps', '100', '--events']
    const container = start(store, cpu, { volume: newVolume(work), command })
    assert.equal(await container.end(120), 0, container.said())
    assert.match(container.output.out, /using the wasm backend/)
    assert.match(container.output.out, /"event":"summary"/)
  })

  await test('cpu: native TensorFlow loads and trains a step there', async () => {
    const { trials } = await tryNative(store, cpu)
    assert.equal(trials.cpu?.error, undefined, trials.cpu?.error)
    console.log(`  ${trials.cpu.sentence}`)
  })

  await test('cpu: a demo that is stopped while it trains ends in order, trainer and server', async () => {
    const container = start(store, cpu, { volume: trained, command: ['demo', '--steps', '100000'] })
    await healthy(container, cpu)
    const trains = () => {
      const { runs } = evaluate(container, get('/api/v1/runs'))
      return runs.some(
        (/** @type {{ budgetSteps: number, step: number }} */ run) =>
          run.budgetSteps === 100_000 && run.step > 50,
      )
    }
    await container.until(trains, 'train', 60)
    // 1 = the run was not finished.
    await stopInOrder(container, 1)
    checkWhole(trained)
  })

  await test('a restart on the same volume, as another image, keeps every run; their decisions follow from their logs', async () => {
    const first = start(store, server, { volume: trained })
    await healthy(first, server)
    assert.deepEqual(evaluate(first, report('kept-1')), [201, 200])
    const before = kept(evaluate(first, get('/api/v1/runs')))
    assert.equal(before.length, 3)
    await stopInOrder(first, 0)
    const second = start(store, server, { volume: trained })
    await healthy(second, server)
    assert.deepEqual(kept(evaluate(second, get('/api/v1/runs'))), before)
    for (const { id } of before) {
      const replay = second.exec(['node', '/opt/twostep/dist/server/cli/twostep.js', 'replay', String(id)])
      assert.equal(replay.status, 0, replay.out + replay.err)
    }
    await stopInOrder(second, 0)
  })

  await test('a run as a user id that nobody has works: healthy, takes a run, trains, stops in order', async () => {
    const volume = newVolume(work)
    const user = '54321:54321'
    const container = start(store, server, { volume, user })
    await healthy(container, server)
    assert.equal(evaluate(container, `console.log(process.getuid())`), 54321)
    assert.deepEqual(evaluate(container, report('r1')), [201, 200])
    await stopInOrder(container, 0)
    const demo = start(store, cpu, {
      volume,
      user,
      command: ['demo', '--exit', '--task', 'digits', '--steps', '200'],
    })
    assert.equal(await demo.end(120), 0, demo.said())
    checkWhole(volume)
  })

  await test('what the image cannot do is said: a volume that is not writable', async () => {
    const container = start(store, server, {})
    assert.equal(await container.end(30), 1)
    assert.match(container.output.err, /\/data\/twostep\.db.*cannot be opened/)
  })
}
