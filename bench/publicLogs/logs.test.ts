import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { curveAt, loadLogs, logsFile, parseLogs } from './logs.ts'
import { benchPublicLogs } from './main.ts'
import { madeUpLines, textOf } from './testing/madeUpLogs.ts'

const folders: string[] = []
function folderWith(text: string | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'public-logs-'))
  folders.push(folder)
  if (text !== null) writeFileSync(join(folder, logsFile), gzipSync(text))
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const [first] = madeUpLines()
const changed = (change: object): string => textOf([{ ...first!, ...change }])

describe('the logs', () => {
  it('are read from the folder that is named', () => {
    const logs = loadLogs(folderWith(textOf(madeUpLines())))
    expect(logs).toHaveLength(madeUpLines().length)
    expect(logs[0]).toMatchObject({ learningRate: 0.001, iterations: 4_000, batchSize: 20, averaged: null })
  })

  it('say which folder or which field is missing', () => {
    expect(() => loadLogs(folderWith(null))).toThrow(/there is no llm-cooldowns\.ndjson\.gz in .*--data/)
    expect(() => loadLogs(folderWith(''))).toThrow('is empty')
    expect(() => parseLogs(changed({ finalLoss: null }))).toThrow(
      'line 1: finalLoss must be a number, got null',
    )
    expect(() => parseLogs(changed({ val: undefined }))).toThrow('line 1, val: an object is missing')
    expect(() => parseLogs(changed({ val: { step: [0], loss: [1, 2] } }))).toThrow(
      'val: loss has 2 entries, step has 1',
    )
    expect(() => parseLogs('{')).toThrow('line 1: is no JSON')
  })

  it('keep of a step that was logged twice what came last, in order', () => {
    const [log] = parseLogs(changed({ val: { step: [0, 50, 100, 50], loss: [4, 3, 2, 2.5] } }))
    expect(log!.heldOut).toEqual({ step: [0, 50, 100], value: [4, 2.5, 2] })
  })

  it('leave out what is not finite', () => {
    const [log] = parseLogs(changed({ val: { step: [0, 50, 100], loss: [4, null, 2] } }))
    expect(log!.heldOut.step).toEqual([0, 100])
  })
})

describe('a curve', () => {
  const curve = { step: [10, 20, 40], value: [1, 2, 6] }
  it.each([
    [0, 1],
    [10, 1],
    [15, 1.5],
    [20, 2],
    [30, 4],
    [40, 6],
    [99, 6],
  ])('at %i is %f: straight between its points, level outside', (step, value) => {
    expect(curveAt(curve, step)).toBe(value)
  })
})

describe('the benchmark without a folder', () => {
  it('says what it needs', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const before = process.exitCode
    await benchPublicLogs([])
    expect(process.exitCode).toBe(2)
    expect(said.mock.calls[0]![0]).toContain('--data FOLDER')
    process.exitCode = before
    said.mockRestore()
  })
})
