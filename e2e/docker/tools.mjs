// @ts-check
// The programs that the container test needs, and how it runs them. What is missing is said in sentences, all at once.

import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that must be there; Debian and Ubuntu have a package of the same name for each. */
const needed = ['buildah', 'debootstrap', 'npm', 'tar']
const ociRuntimes = ['runc', 'crun']

/** @param {string} program */
function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The program that runs containers. */
export const ociRuntime = () => ociRuntimes.find(isInstalled) ?? 'runc'

/** Why containers cannot be built and run here; empty = they can. @returns {string[]} */
export function whyNot() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return [
      `this test builds images for linux x64 and must run there, this is ${process.platform} ${process.arch}`,
    ]
  const missing = needed.filter((program) => !isInstalled(program))
  if (!ociRuntimes.some(isInstalled)) missing.push('runc')
  const reasons =
    missing.length === 0
      ? []
      : [
          `missing: ${missing.join(', ')}; on Debian and Ubuntu "apt-get install ${missing.join(' ')}" brings them`,
        ]
  if (process.getuid?.() !== 0)
    reasons.push(
      `building a base and mounting images needs root, this is user ${process.getuid?.()}: run it with sudo or in a virtual machine of its own`,
    )
  return reasons
}

/**
 * What buildah is run with. Overlay mounts spare copies of whole file systems where the kernel gives them to us.
 * @param {string} folder where images, containers and the base are kept
 */
export function storeIn(folder) {
  mkdirSync(folder, { recursive: true })
  const driver = process.env.STORAGE_DRIVER ?? (canOverlay(folder) ? 'overlay' : 'vfs')
  const options = ['--root', join(folder, `images-${driver}`), '--runroot', join(folder, 'run')]
  // No registry is asked, so nobody's registry accounts are looked at.
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, ...environment } = process.env
  // Its temporary files go with the store, also when it is killed.
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { recursive: true })
  const env = { ...environment, BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: driver, TMPDIR: temporary }
  return { folder, driver, options, env }
}
/** @typedef {ReturnType<typeof storeIn>} Store */

/** @param {string} folder */
function canOverlay(folder) {
  const at = join(folder, 'overlay-probe')
  const parts = Object.fromEntries(['lower', 'upper', 'work', 'merged'].map((name) => [name, join(at, name)]))
  for (const part of Object.values(parts)) mkdirSync(part, { recursive: true })
  const options = `lowerdir=${parts.lower},upperdir=${parts.upper},workdir=${parts.work}`
  const mounted = spawnSync('mount', ['-t', 'overlay', 'overlay', '-o', options, String(parts.merged)])
  if (mounted.status === 0) spawnSync('umount', [String(parts.merged)])
  rmSync(at, { recursive: true, force: true })
  return mounted.status === 0
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/**
 * Runs a program to its end; its output is shown only if it fails.
 * @param {string} command @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, input?: string | Buffer, show?: boolean }} [options]
 * @returns {Promise<string>} what it printed @throws Error with the end of what it said
 */
export function run(command, args, { env, cwd, input, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    running.add(child)
    let out = ''
    let all = ''
    child.stdout.on('data', (data) => {
      out += data
      all += data
      if (show) process.stdout.write(data)
    })
    child.stderr.on('data', (data) => {
      all += data
      if (show) process.stderr.write(data)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (status, signal) => {
      running.delete(child)
      if (status === 0) resolve(out)
      else
        reject(
          new Error(
            `${command} ${args.slice(0, 6).join(' ')} … ended with ${signal ?? status}:\n${tail(all)}`,
          ),
        )
    })
  })
}

/** @param {string} text */
export const tail = (text) => text.trimEnd().split('\n').slice(-25).join('\n')

/** @param {Store} store @param {readonly string[]} args @param {Parameters<typeof run>[2]} [options] */
export const buildah = (store, args, options = {}) =>
  run('nice', ['-n', '10', 'buildah', ...store.options, ...args], { ...options, env: store.env })

/**
 * Takes the whole store away, also in the midst of a build, in one go: it is the last that this process does.
 * @param {Store} store
 */
export function discard({ folder, driver }) {
  for (const child of running) child.kill('SIGKILL')
  // The folder of layers is a mount of its own, with those of the containers below it.
  if (driver === 'overlay')
    spawnSync('umount', ['--recursive', '--lazy', join(folder, `images-${driver}`, driver)])
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
