// What a browser loads for the pages of runs stays small. The size is of the built files, so it is asserted.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { builtPath } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/test.ts'

const kilobyte = 1024
/** Compressed by gzip: what is loaded before the list of runs stands, before a run's charts stand, and all that the page may
 *  ever load. `sent`: all of it as browsers get it. */
const bytesMax = { list: 60 * kilobyte, run: 78 * kilobyte, all: 124 * kilobyte, sent: 110 * kilobyte }

const folder = builtPath('dist/client')
const text = (name: string) => readFileSync(join(folder, name), 'utf8')
const bytesOf = (name: string) => gzipSync(readFileSync(join(folder, name))).length

test('the list, a run and the whole page stay small when compressed, and the page loads them from itself', () => {
  const html = text('index.html')
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+=/)
  const files = readdirSync(join(folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
  const file = (start: string, end = '.js') => {
    const found = files.filter((name) => name.startsWith(`${start}-`) && name.endsWith(end))
    expect(found, `one file ${start}-*${end} of ${files}`).toHaveLength(1)
    return found[0]!
  }
  const atFirst = files.filter((name) => html.includes(name))
  expect(atFirst).toContain(file('page'))
  expect(atFirst).toContain(file('page', '.css'))
  // What a view's file imports is loaded with it.
  const needs = (name: string) => files.filter((other) => text(`assets/${name}`).includes(`from"./${other}"`))
  const sum = (some: readonly string[]) =>
    [...new Set(some)].reduce((total, name) => total + bytesOf(`assets/${name}`), 0)
  const loaded = {
    list: sum([...atFirst, file('runs'), ...needs(file('runs'))]),
    run: sum([...atFirst, file('run'), ...needs(file('run'))]),
    all: sum(files),
  }
  const words = JSON.stringify(loaded)
  test.info().annotations.push({ type: 'gzip bytes', description: words })
  expect(loaded.list, words).toBeGreaterThan(sum(atFirst))
  expect(loaded.list, words).toBeLessThan(bytesMax.list)
  expect(loaded.run, words).toBeLessThan(bytesMax.run)
  expect(loaded.all, words).toBeLessThan(bytesMax.all)
})

test('code travels as brotli at its best, made by the build, and is the same code', async ({ server }) => {
  const files = readdirSync(join(folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
  let sent = 0
  for (const name of files) {
    const url = `${server.url}/assets/${name}`
    // What fetch hands on is inflated already.
    const small = await fetch(url, { headers: { 'accept-encoding': 'br' } })
    expect(small.headers.get('content-encoding'), name).toBe('br')
    sent += Number(small.headers.get('content-length'))
    expect(await small.text(), name).toBe(text(`assets/${name}`))
    const other = await fetch(url, { headers: { 'accept-encoding': 'gzip' } })
    expect(other.headers.get('content-encoding')).not.toBe('br')
    expect(other.headers.get('vary')).toContain('Accept-Encoding')
  }
  test.info().annotations.push({ type: 'brotli bytes', description: String(sent) })
  expect(sent).toBeLessThan(bytesMax.sent)
})
