// The walls that the compiler does not see: the sources of tuner/ and protocol/ know no time, chance, waiting or console,
// and import only what the table of rooms allows them; and inside tuner/ files build on each other in one order.

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

/** The order of tuner/, from the ground up: a file imports from its own floor and from those below, types included. */
const floors: readonly (readonly [string, readonly string[]])[] = [
  ['what is measured by itself', ['estimators/', 'options.ts']],
  [
    'what the state is made of',
    [
      'signals/',
      'rivals/',
      ...['drift', 'levels', 'norms', 'signs', 'watch', 'watchRows'].map((name) => `guard/${name}.ts`),
      'phases/search/race.ts',
    ],
  ],
  ['the state', ['state.ts']],
  ['plans, and parts of records', ['plan/', 'guard/tripwire.ts', 'record/evidence.ts', 'record/outcome.ts']],
  ['phases', ['phases/']],
  ['persons', ['person/']],
  ['the guard', ['guard/']],
  ['records', ['record/']],
  ['settle', ['settle.ts']],
  ['folds', ['fold/']],
  ['the engine', ['tune.ts', 'index.ts']],
]
const looseFilesMax = 6
const linesMax = 300

/** Floor of a path within tuner/: that of the longest entry which it begins with; −1 = it has none. */
function floorOf(path: string): number {
  const entries = floors.flatMap(([, names], floor) => names.map((name) => ({ name, floor })))
  const fitting = entries.filter(({ name }) => (name.endsWith('/') ? path.startsWith(name) : path === name))
  return fitting.toSorted((a, b) => b.name.length - a.name.length)[0]?.floor ?? -1
}

/** The phase that a file belongs to; undefined = it is no phase's own. */
const phaseOfFile = (path: string): string | undefined => /^phases\/(search|large|anneal)\//.exec(path)?.[1]

type Graph = ReadonlyMap<string, readonly string[]>
/** Paths and imports within tuner/ of everything but tests and what they are made with. */
function graphOfTuner(): Graph {
  const sources = sourcesOf('tuner').filter((path) => !path.startsWith('tuner/testing/'))
  const within = (path: string) => path.slice('tuner/'.length)
  return new Map(
    sources.map((path) => [
      within(path),
      importsOf(path, readFileSync(join(root, path), 'utf8'))
        .filter((name) => name.startsWith('tuner/'))
        .map(within),
    ]),
  )
}

function upwardImports(graph: Graph): string[] {
  return [...graph].flatMap(([path, names]) =>
    names
      .filter((name) => floorOf(name) > floorOf(path))
      .map((name) => `${path} imports ${name}, which is above it`),
  )
}

/** Imports among phases, which know nothing of each other. */
function crossImports(graph: Graph): string[] {
  return [...graph].flatMap(([path, names]) =>
    names
      .filter((name) => {
        const [own, other] = [phaseOfFile(path), phaseOfFile(name)]
        return own !== undefined && other !== undefined && own !== other
      })
      .map((name) => `${path} imports ${name}, another phase`),
  )
}

/** The circles that imports make, each named once, by the files on it. */
function circlesOf(graph: Graph): string[] {
  const circles: string[] = []
  const finished = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (trail.includes(path) || finished.has(path)) return
    for (const name of graph.get(path) ?? []) visit(name, [...trail, path])
    finished.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return circles
}

describe('the order of tuner/', () => {
  const graph = graphOfTuner()

  it('has a floor for every file', () => {
    expect(graph.size).toBeGreaterThan(50)
    expect([...graph.keys()].filter((path) => floorOf(path) === -1)).toEqual([])
  })

  it('knows no import from a floor above', () => {
    expect(upwardImports(graph)).toEqual([])
  })

  it('knows no circle of imports', () => {
    expect(circlesOf(graph)).toEqual([])
  })

  it('keeps phases apart: a change of phase is a value', () => {
    expect(crossImports(graph)).toEqual([])
  })

  it(`has at most ${looseFilesMax} files that are in no folder`, () => {
    expect([...graph.keys()].filter((path) => !path.includes('/')).length).toBeLessThanOrEqual(looseFilesMax)
  })

  it(`has no file of more than ${linesMax} lines`, () => {
    const long = sourcesOf('tuner').filter(
      (path) => readFileSync(join(root, path), 'utf8').split('\n').length > linesMax + 1,
    )
    expect(long).toEqual([])
  })

  it('sees what it is there to see', () => {
    const broken: Graph = new Map([
      ['estimators/a.ts', ['state.ts']],
      ['state.ts', ['estimators/a.ts', 'guard/watch.ts']],
      ['guard/watch.ts', ['guard/recovery.ts']],
      ['guard/recovery.ts', []],
      ['phases/large/large.ts', ['phases/anneal/anneal.ts', 'phases/enter.ts']],
      ['phases/anneal/anneal.ts', ['phases/anneal/ending.ts']],
    ])
    expect(upwardImports(broken)).toEqual([
      'estimators/a.ts imports state.ts, which is above it',
      'guard/watch.ts imports guard/recovery.ts, which is above it',
    ])
    expect(circlesOf(broken)).toEqual(['estimators/a.ts → state.ts → estimators/a.ts'])
    expect(crossImports(broken)).toEqual([
      'phases/large/large.ts imports phases/anneal/anneal.ts, another phase',
    ])
    expect(floorOf('somewhere/else.ts')).toBe(-1)
  })
})
