// What a browser loads for the pages of runs stays small. The size is of the built files, so it is asserted.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { builtPath } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/test.ts'

/** Of what the page loads before it knows which view is asked for, and of all that it may ever load (110 kB is the aim). */
const firstBytesMax = 60 * 1024
const allBytesMax = 124 * 1024

test('what is loaded first is under 60 kB when compressed and all of it under 124, and the page loads it from itself', () => {
  const folder = builtPath('dist/client')
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+=/)
  const files = readdirSync(join(folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
  expect(files.length).toBeGreaterThanOrEqual(2)
  const sizes = files.map(
    (name) => [name, gzipSync(readFileSync(join(folder, 'assets', name))).length] as const,
  )
  const sum = (some: typeof sizes) => some.reduce((total, [, bytes]) => total + bytes, 0)
  const first = sizes.filter(([name]) => html.includes(name))
  const words = `first ${sum(first)}, all ${sum(sizes)} (${sizes.join('; ')})`
  test.info().annotations.push({ type: 'gzip bytes', description: words })
  expect(first.length).toBeGreaterThanOrEqual(2)
  expect(sum(first), words).toBeLessThan(firstBytesMax)
  expect(sum(sizes), words).toBeLessThan(allBytesMax)
})
