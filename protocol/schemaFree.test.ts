import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = dirname(fileURLToPath(import.meta.url))

/** What a file imports when it runs; types are gone by then. */
function runtimeImports(path: string): string[] {
  const source = readFileSync(join(root, path), 'utf8')
  const found = source.matchAll(/^(?:import|export)\s(?!type\s)(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? normalize(join(dirname(path), name)).replaceAll('\\', '/') : name,
  )
}

function reached(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  if (path.endsWith('.ts')) for (const next of runtimeImports(path)) reached(next, seen)
  return seen
}

it.each([
  'vocabulary.ts',
  'plan.ts',
  'numbers.ts',
  'optimizers.ts',
  'nonFinite.ts',
  'limits.ts',
  'answers.ts',
])('%s loads no schema, so that the tuner and the page may import it', (path) => {
  const files = [...reached(path)]
  expect(files.filter((file) => file === 'zod' || file.startsWith('schemas'))).toEqual([])
})

it('sees what it is there to see', () => {
  expect(reached('schemas.ts')).toContain('zod')
})
