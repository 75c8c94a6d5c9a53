// The walls that the compiler does not see: the sources of tuner/ and protocol/ know no
// time, chance, waiting or console, and import only what the table of rooms allows them.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const refusedWords =
  /\b(Date|async|await|Promise|console|setTimeout|setInterval|setImmediate|queueMicrotask|process|performance|crypto|globalThis|require|fetch)\b|\bMath\.random\b|\bimport\s*\(/g

/** Paths from the root, or package names, that a file of a room may import; folders end in a slash. */
const allowed = {
  tuner: [
    'tuner/',
    ...['vocabulary', 'plan', 'numbers', 'optimizers'].map((name) => `protocol/${name}.ts`),
    ...['ml-matrix', 'simple-statistics'],
  ],
  protocol: ['protocol/'],
}
/** The only place that knows the schema library. */
const schemas = { folder: 'protocol/schemas/', allowed: ['protocol/', 'zod'] }

function sourcesOf(room: 'tuner' | 'protocol'): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .map((path) => `${room}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !/\.(test|bench|conformance)\.ts$/.test(path))
}

/** The code without comments and the text of strings; what a template computes stays. */
function codeOnly(source: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return source.replace(token, (part) =>
    part.startsWith('`')
      ? ` ${[...part.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1]).join(' ')} `
      : ' ',
  )
}

function importsOf(path: string, source: string): string[] {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const found = withoutComments.matchAll(/^\s*(?:import|export|\})(?:[^'"\n]*\sfrom)?\s*['"]([^'"]+)['"]/gm)
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, join(root, dirname(path), name)).replaceAll('\\', '/') : name,
  )
}

function problemsOf(path: string, source: string): string[] {
  const words = [...codeOnly(source).matchAll(refusedWords)].map(([word]) => `${path} uses ${word}`)
  const names = path.startsWith(schemas.folder)
    ? schemas.allowed
    : allowed[path.startsWith('tuner/') ? 'tuner' : 'protocol']
  const imports = importsOf(path, source)
    .filter((name) => !names.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry)))
    .map((name) => `${path} imports ${name}`)
  return [...words, ...imports]
}

describe('purity', () => {
  it.each(['tuner', 'protocol'] as const)(
    '%s knows no time, chance or console, and its own imports only',
    (room) => {
      const sources = sourcesOf(room)
      expect(sources.length).toBeGreaterThan(3)
      const problems = sources.flatMap((path) => problemsOf(path, readFileSync(join(root, path), 'utf8')))
      expect(problems).toEqual([])
    },
  )

  it('sees what it is there to see', () => {
    const seen = (source: string) => problemsOf('tuner/example.ts', source)
    expect(seen('const now = Date.now()')).toEqual(['tuner/example.ts uses Date'])
    expect(seen('const x = Math.random()')).toEqual(['tuner/example.ts uses Math.random'])
    expect(seen('export async function f() {}')).toEqual(['tuner/example.ts uses async'])
    expect(seen(['const x = `$', '{performance.now()}`'].join(''))).toEqual([
      'tuner/example.ts uses performance',
    ])
    expect(seen("import { readFileSync } from 'node:fs'")).toEqual(['tuner/example.ts imports node:fs'])
    expect(seen("import '../trainer/main.ts'")).toEqual(['tuner/example.ts imports trainer/main.ts'])
    expect(seen("import { z } from '../protocol/schemas.ts'")).toEqual([
      'tuner/example.ts imports protocol/schemas.ts',
    ])
    expect(seen("// the Date of await\nconst s = 'a Promise'\nimport { Matrix } from 'ml-matrix'")).toEqual(
      [],
    )
  })
})
