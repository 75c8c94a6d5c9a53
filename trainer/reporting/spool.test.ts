import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSpool } from './spool.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-spool-'))
  file = join(folder, 'deep', 'run.ndjson')
})
afterEach(() => rmSync(folder, { recursive: true }))

function drain(spool: ReturnType<typeof openSpool>): string[] {
  const lines: string[] = []
  for (let line = spool.peek(); line !== undefined; line = spool.peek()) {
    lines.push(line)
    spool.shift()
  }
  return lines
}

describe('the spool', () => {
  it('gives lines back in order, and removes its file with the last one', () => {
    const spool = openSpool(file)
    expect(spool.isEmpty).toBe(true)
    const lines = Array.from({ length: 3_000 }, (_, index) =>
      JSON.stringify({ index, text: 'x'.repeat(index % 300) }),
    )
    for (const line of lines) expect(spool.append(line)).toBe(true)
    expect(drain(spool)).toEqual(lines)
    expect(existsSync(file)).toBe(false)
    expect(spool.append('"again"')).toBe(true)
    expect(drain(spool)).toEqual(['"again"'])
  })
  it.skipIf(process.platform === 'win32')('is readable for its owner alone', () => {
    const spool = openSpool(file)
    const rights = () => [join(folder, 'deep'), file].map((path) => (statSync(path).mode & 0o777).toString(8))
    spool.append('1')
    expect(rights()).toEqual(['700', '600'])
    expect(spool.rewrite(() => '2')).toBe(true)
    expect(rights()).toEqual(['700', '600'])
  })
  it('takes lines while it is being emptied', () => {
    const spool = openSpool(file)
    spool.append('1')
    spool.append('2')
    spool.shift()
    spool.append('3')
    expect(drain(spool)).toEqual(['2', '3'])
  })
  it('puts others in the place of what is left, in the file too', () => {
    const spool = openSpool(file)
    for (const line of ['1', '2', '3']) spool.append(line)
    spool.shift()
    expect(spool.rewrite((line, i) => `${line}${i}`)).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe('20\n31\n')
    spool.append('4')
    expect(drain(spool)).toEqual(['20', '31', '4'])
    expect(spool.rewrite(() => 'x')).toBe(true)
    expect(existsSync(file)).toBe(false)
  })
  it('keeps text beyond ASCII', () => {
    const spool = openSpool(file)
    const text = { detail: 'Größe η 🙂' }
    spool.append(JSON.stringify(text))
    expect(JSON.parse(spool.peek()!)).toEqual(text)
  })
  it('refuses what does not fit, and keeps what it has', () => {
    const spool = openSpool(file, 10)
    expect(spool.append('12345')).toBe(true)
    expect(spool.append('67890')).toBe(false)
    expect(spool.append('678')).toBe(true)
    expect(drain(spool)).toEqual(['12345', '678'])
  })
  it('refuses where the disk does', () => {
    appendFileSync(join(folder, 'taken'), '')
    expect(openSpool(join(folder, 'taken', 'run.ndjson')).append('1')).toBe(false)
  })
  it('goes on with the file of an earlier process, without a line that was cut off', () => {
    openSpool(file).append('{"a":1}')
    appendFileSync(file, '{"b":')
    const spool = openSpool(file)
    expect(spool.lastLeft).toBe('{"a":1}')
    spool.append('{"c":3}')
    expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"c":3}\n')
    expect(drain(spool)).toEqual(['{"a":1}', '{"c":3}'])
  })
})
