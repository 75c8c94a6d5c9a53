// @ts-check
// Which npm packages a folder's programs need, against which are there: nothing that an image carries may be missing
// or idle. Needed = what the JavaScript imports by name, and what those packages' manifests ask for in turn.
// The SQLite driver of older Nodes is loaded in another way than by an import, so it does not count as needed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const imports =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["']((?:@[\w.-]+\/)?[\w.-]+)(?:\/[^"']*)?["']/g

/** @param {string} folder @returns {string[]} */
function scripts(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Names of packages that the scripts below some folders import. @param {readonly string[]} folders */
function imported(folders) {
  const names = folders
    .flatMap(scripts)
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(imports)].map((match) => String(match[1])))
  return new Set(names)
}

/** As Node looks for it: in node_modules here, then upward to `root`. @param {string} name @param {string} from @param {string} root @returns {string | undefined} */
function find(name, from, root) {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  return from === root ? undefined : find(name, dirname(from), root)
}

/** @param {string} modules a node_modules folder @returns {string[]} folders of the packages in it */
function installed(modules) {
  if (!existsSync(modules)) return []
  const packages = readdirSync(modules).flatMap((name) => {
    if (name.startsWith('.')) return []
    if (name.startsWith('@')) return readdirSync(join(modules, name)).map((part) => join(modules, name, part))
    return [join(modules, name)]
  })
  return packages.flatMap((folder) => [folder, ...installed(join(folder, 'node_modules'))])
}

/**
 * @param {string} root folder with node_modules @param {readonly string[]} folders below it, with built programs
 * @returns {{ missing: string[], idle: string[] }} names; idle = installed though nothing needs it
 */
export function comparePackages(root, folders) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // An import that the manifest does not name is one of Node's own, or text that only looks like an import.
  const direct = [...imported(folders.map((folder) => join(root, folder)))].filter(
    (name) => name in dependencies,
  )
  const missing = []
  const reached = new Set()
  const waiting = direct.map((name) => ({ name, from: root, isOptional: false }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const folder = find(next.name, next.from, root)
    if (folder === undefined && !next.isOptional) missing.push(next.name)
    if (folder === undefined || reached.has(folder)) continue
    reached.add(folder)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const add = (/** @type {object | undefined} */ names, /** @type {boolean} */ isOptional) =>
      waiting.push(...Object.keys(names ?? {}).map((name) => ({ name, from: folder, isOptional })))
    add(manifest.optionalDependencies, true)
    add(manifest.dependencies, false)
  }
  const modules = join(root, 'node_modules')
  const idle = installed(modules)
    .filter((folder) => !reached.has(folder))
    .map((folder) => folder.slice(modules.length + 1))
  return { missing, idle }
}
