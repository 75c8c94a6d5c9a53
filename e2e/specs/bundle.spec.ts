// What a browser loads for the pages of runs stays small. The size is of the built files, so it is asserted.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { builtPath } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/test.ts'

const gzipBytesMax = 80 * 1024

test('scripts and styles together are under 80 kB when compressed, and the page loads them from itself', () => {
  const folder = builtPath('dist/client')
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+=/)
  const files = readdirSync(join(folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
  expect(files.length).toBeGreaterThanOrEqual(2)
  const sizes = files.map(
    (name) => [name, gzipSync(readFileSync(join(folder, 'assets', name))).length] as const,
  )
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0)
  test.info().annotations.push({ type: 'gzip bytes', description: `${total} (${sizes.join('; ')})` })
  expect(total, sizes.join('; ')).toBeLessThan(gzipBytesMax)
})
