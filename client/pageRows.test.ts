// docs/PAGE.md, docs/SERVICE.md and docs/SECURITY.md name tests that exist, in every row that does not say why there is none.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const rowsOf = (path: string) =>
  read(path)
    .split('\n')
    .filter((line) => /^\| (?!---|What \|)/.test(line))
const cells = (row: string) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''))

test.each([
  ['docs/PAGE.md', 80],
  ['docs/SERVICE.md', 25],
  ['docs/SECURITY.md', 45],
])('every row of %s names tests that exist, or says why there is none', (document, least) => {
  const rows = rowsOf(document)
  expect(rows.length).toBeGreaterThan(least)
  for (const row of rows) {
    const [what = '', ...others] = cells(row)
    const held = others.at(-1)!
    if (/^\*\*not (here|asserted)\*\*: \S/.test(held)) continue
    for (const part of held.split(/; (?=`)/)) {
      const [path = '', ...names] = [...part.matchAll(/`([^`]+)`/g)].map(([, text]) => text!)
      expect(names, `${what}: ${part}`).not.toHaveLength(0)
      const text = read(path)
      for (const name of names) expect(text.includes(name), `${what}: ${name} in ${path}`).toBe(true)
    }
  }
})
