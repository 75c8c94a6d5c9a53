// @ts-check
// `npm run test:docker [-- --gpu]`: builds the images of the Dockerfile with buildah and runs them with an OCI runtime,
// so no engine is needed. Without --gpu the image for cards is built up to its download of gigabytes. What is built goes
// with the run; a folder named by DOCKER_TEST_FOLDER keeps it, so that the next time is short, for one run at a time.
// Ends with the plain line "N passed, N failed", or says loudly why it was skipped.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { baseOf, ensureBase } from './baseImage.mjs'
import { killAll, openImage } from './container.mjs'
import { imageTests } from './imageTests.mjs'
import { gpuImageTest, runTests } from './runTests.mjs'
import { buildah, discard, storeIn, whyNot } from './tools.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { values } = parseArgs({ options: { gpu: { type: 'boolean', default: false } } })
/** Of the builder's cache; more are thrown away, which makes one build slow. */
const layersMax = 200
const counts = { passed: 0, failed: 0, skipped: 0 }

/** @param {string} name @param {() => void | Promise<void>} body @returns {Promise<boolean>} whether it passed */
async function test(name, body) {
  const startedAt = Date.now()
  try {
    await body()
    counts.passed++
    console.log(`✓ ${name} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`)
    return true
  } catch (cause) {
    counts.failed++
    console.log(`✗ ${name}\n  ${/** @type {Error} */ (cause).message.replaceAll('\n', '\n  ')}`)
    return false
  }
}

/** @param {string} name @param {string} reason */
function skip(name, reason) {
  counts.skipped++
  console.log(`\n!!! SKIPPED: ${name}\n!!! ${reason.replaceAll('\n', '\n!!! ')}\n`)
}

/** @param {string} target of the Dockerfile @param {import('./tools.mjs').Store} store @returns {Promise<string>} */
async function build(target, store) {
  const name = `twostep-test:${target}`
  const options = ['--layers', '--format', 'docker', '--pull-never', '--target', target, '--tag', name]
  await buildah(store, ['bud', ...options, '--file', join(root, 'Dockerfile'), root])
  return name
}

/** @param {import('./tools.mjs').Store} store @param {string} name */
async function printSize(store, name) {
  const size = await buildah(store, ['images', '--format', '{{.Size}}', name])
  console.log(`  ${name.replace('twostep-test:', 'image ')}: ${size.trim()}`)
}

/** Takes away what an earlier run left behind, and its layers once there are too many. @param {import('./tools.mjs').Store} store */
async function tidy(store) {
  killAll()
  await buildah(store, ['rm', '--all'])
  for (const folder of ['work', 'bundles'])
    rmSync(join(store.folder, folder), { recursive: true, force: true })
  mkdirSync(join(store.folder, 'work'), { recursive: true })
  const layers = (await buildah(store, ['images', '--all', '--quiet'])).trim().split('\n').length
  if (layers > layersMax) await buildah(store, ['rmi', '--prune'])
}

/** What compose.yaml says can be checked by Docker's own reader, which needs no engine. */
async function composeTests() {
  const file = join(root, 'compose.yaml')
  await test('compose.yaml publishes to this computer only', () => {
    const text = readFileSync(file, 'utf8')
    const ports = [...text.matchAll(/^\s*- ['"]?(\S*\d+:\d+)['"]?$/gm)].map((match) => match[1])
    if (ports.length === 0) throw new Error('no published port was found')
    const open = ports.filter((port) => !port?.startsWith('127.0.0.1:'))
    if (open.length > 0) throw new Error(`published to every address: ${open.join(', ')}`)
  })
  const version = spawnSync('docker', ['compose', 'version'])
  if (version.status !== 0)
    return skip('docker compose reads compose.yaml', 'docker with its compose plugin is not installed here')
  await test('docker compose reads compose.yaml', () => {
    const { status, stderr } = spawnSync('docker', [
      'compose',
      '--file',
      file,
      '--profile',
      '*',
      'config',
      '--quiet',
    ])
    if (status !== 0) throw new Error(String(stderr))
  })
}

/** @param {import('./tools.mjs').Store} store */
async function gpuTests(store) {
  const full = 'the image gpu builds, with its download of 3.4 GB'
  if (!values.gpu) {
    await test('the image gpu builds up to its download', async () =>
      void (await build('native-tools', store)))
    return skip(full, 'give --gpu to do it: npm run test:docker -- --gpu')
  }
  if (!(await test(full, async () => printSize(store, await build('gpu', store))))) return
  await gpuImageTest(store, await openImage(store, 'twostep-test:gpu'), test)
}

async function main() {
  const reasons = whyNot()
  if (reasons.length > 0) return skip('all of it: images cannot be built and run here', reasons.join('\n'))
  const kept = process.env.DOCKER_TEST_FOLDER
  const store = storeIn(kept ?? mkdtempSync(join(tmpdir(), 'twostep-docker-test-')))
  process.once('exit', () => {
    killAll()
    if (kept === undefined) discard(store)
  })
  const base = baseOf(readFileSync(join(root, 'Dockerfile'), 'utf8'))
  console.log(`Images are in ${store.folder} (${store.driver}); ${base.name} is a stand-in made here`)
  await composeTests()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  await tidy(store)
  const isReady =
    (await test('the base is there', async () => void (await ensureBase(store, base)))) &&
    (await test('the image server builds', async () => printSize(store, await build('server', store)))) &&
    (await test('the image cpu builds', async () => printSize(store, await build('cpu', store))))
  if (!isReady) return
  const images = {
    server: await openImage(store, 'twostep-test:server'),
    cpu: await openImage(store, 'twostep-test:cpu'),
  }
  await imageTests(images, test)
  await runTests(store, images, test)
  await gpuTests(store)
  await tidy(store)
}

// What is no test's own failure, as a store that cannot be used, is one all the same.
await main().catch((cause) => test('the test itself', () => Promise.reject(cause)))
const { passed, failed, skipped } = counts
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
