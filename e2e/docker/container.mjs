// @ts-check
// Runs an image as an engine would, by an OCI runtime: its command as process 1 with its own processes, mounts and
// network, its user without any rights, its root file system read-only, one volume and /tmp to write to. What the image
// asks for (user, command, variables, folder, stop signal, health check) is read from the image.

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildah, ociRuntime, tail } from './tools.mjs'

/**
 * What of an image's settings is used here.
 * @typedef {{ User: string, Env: string[], Entrypoint: string[], Cmd: string[], WorkingDir: string,
 *   StopSignal: string, Volumes: Record<string, object>, Labels: Record<string, string>,
 *   Healthcheck: { Test: string[] } }} ImageConfig
 * @typedef {{ config: ImageConfig, root: string }} Image
 */

/** The image's settings, and its files mounted. @param {import('./tools.mjs').Store} store @param {string} name @returns {Promise<Image>} */
export async function openImage(store, name) {
  const inspected = JSON.parse(await buildah(store, ['inspect', '--type', 'image', name]))
  const container = (await buildah(store, ['from', '--pull-never', name])).trim()
  return { config: inspected.Docker.config, root: (await buildah(store, ['mount', container])).trim() }
}

/** An empty volume, as an engine makes it from the image's folder: its mode is the folder's. @param {string} folder */
export function newVolume(folder) {
  const volume = mkdtempSync(join(folder, 'volume-'))
  chmodSync(volume, 0o1777)
  return volume
}

/** @param {Image} image @param {Options} options */
function runtimeConfig({ config, root }, { command, user = config.User, volume, env = {} }) {
  const [uid, gid] = user.split(':').map(Number)
  const variables = [...config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const tmpfs = (/** @type {string} */ destination, /** @type {string} */ mode) => {
    const options = ['nosuid', 'nodev', 'noexec', `mode=${mode}`]
    return { destination, type: 'tmpfs', source: 'tmpfs', options }
  }
  const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }
  return {
    ociVersion: '1.0.0',
    process: {
      terminal: false,
      user: { uid, gid },
      args: [...config.Entrypoint, ...(command ?? config.Cmd)],
      env: variables,
      cwd: config.WorkingDir,
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    hostname: 'twostep',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      tmpfs('/dev/shm', '1777'),
      tmpfs('/tmp', '1777'),
      ...(volume === undefined
        ? []
        : [{ destination: '/data', type: 'bind', source: volume, options: ['rbind', 'rw'] }]),
    ],
    linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  }
}

/** @type {Set<() => void>} */
const running = new Set()
/** Ends whatever still runs. */
export const killAll = () => {
  for (const kill of running) kill()
}

let serial = 0

/**
 * @typedef {{ command?: string[], user?: string, volume?: string, env?: Record<string, string> }} Options
 * command: what comes after the image's entrypoint, instead of what the image says; user: "uid:gid"
 * @param {import('./tools.mjs').Store} store @param {Image} image @param {Options} options
 */
export function start(store, image, options) {
  const id = `twostep-${process.pid}-${++serial}`
  const bundle = join(store.folder, 'bundles', id)
  mkdirSync(bundle, { recursive: true })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtimeConfig(image, options)))
  const runtime = ociRuntime()
  const base = ['--root', join(store.folder, 'containers')]
  const child = spawn(runtime, [...base, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { out: '', err: '' }
  child.stdout.on('data', (data) => {
    output.out += data
  })
  child.stderr.on('data', (data) => {
    output.err += data
  })
  const kill = () => void spawnSync(runtime, [...base, 'delete', '--force', id])
  running.add(kill)
  /** @type {number | undefined} */
  let status
  /** @type {Promise<number>} */
  const ended = new Promise((resolve) =>
    child.once('close', (code) => {
      running.delete(kill)
      status = code ?? 1
      resolve(status)
    }),
  )
  const said = () => `it said:\n${tail(output.out + output.err)}`
  return {
    output,
    said,
    /** Resolves to the exit status. @param {number} seconds @throws Error if it takes longer */
    end: async (seconds) => {
      const late = delay(seconds * 1_000, undefined, { ref: false })
      const first = await Promise.race([ended, late])
      if (first !== undefined) return first
      kill()
      throw new Error(`the container must end within ${seconds} s, it did not; ${said()}`)
    },
    /** Sends the image's stop signal to process 1. */
    stop: () => void spawnSync(runtime, [...base, 'kill', id, image.config.StopSignal]),
    /** Another command in the same container; its own exit status and output. @param {string[]} command */
    exec: (command) => {
      const done = spawnSync(runtime, [...base, 'exec', id, ...command], {
        encoding: 'utf8',
        timeout: 60_000,
      })
      return { status: done.status, out: done.stdout.trim(), err: done.stderr.trim() }
    },
    /** Waits for something to become true of it. @param {() => boolean} isSo @param {string} what @param {number} seconds */
    until: async (isSo, what, seconds) => {
      for (const endAt = Date.now() + seconds * 1_000; Date.now() < endAt; await delay(200)) {
        if (status !== undefined) throw new Error(`it must ${what}, it ended with ${status}; ${said()}`)
        if (isSo()) return
      }
      throw new Error(`it must ${what} within ${seconds} s; ${said()}`)
    },
  }
}
/** @typedef {ReturnType<typeof start>} Container */

/** Waits for the image's own health check to pass. @param {Container} container @param {Image} image */
export function healthy(container, { config }) {
  const [kind, ...command] = config.Healthcheck.Test
  if (kind !== 'CMD') throw new Error(`the health check must be of the kind CMD (no shell), it is ${kind}`)
  return container.until(() => container.exec(command).status === 0, 'become healthy', 60)
}

/**
 * Runs a piece of JavaScript inside, with the image's own Node, and gives what it prints as JSON.
 * @param {Container} container @param {string} program
 */
export function evaluate(container, program) {
  const { status, out, err } = container.exec(['node', '-e', program])
  if (status !== 0) throw new Error(`a program inside ended with ${status}: ${err}`)
  return JSON.parse(out)
}
