import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { syntheticRun } from '../../tuner/testing/syntheticRun.ts'
import { type Judged, judgedSettings, type Row } from './judged.ts'
import { longRows } from './long.ts'
import { openRows } from './open.ts'
import { allRows } from './rows.ts'
import { loggedJobs } from './small.ts'
import { gateTable, rowsTable } from './table.ts'
import { madeUpLogs, madeUpRates } from './testing/madeUpLogs.ts'
import { bestShare, excessAt } from './truth.ts'

const logs = madeUpLogs()
let judged: Judged[]
let rows: Row[]
const row = (name: string): Row => rows.find((one) => one.name === name)!

beforeAll(() => {
  judged = judgedSettings(logs).judged
  rows = allRows(logs, judged)
})

describe('the rows', () => {
  it('judge every setting of the grid', () => {
    expect(judged.map(({ setting }) => setting.rate)).toEqual([...madeUpRates])
    for (const { excess } of rows) expect(excess).toHaveLength(judged.length)
  })

  it('cost what the truth says of their share', () => {
    expect(row('last 40 % linear').excess).toEqual(judged.map(({ setting }) => excessAt(setting, 0.4)))
    const best = judged.map(({ setting }) => bestShare(setting))
    expect(row(`last ${100 * best[0]!} % linear`).excess[0]).toBe(0)
  })

  it('leave out what was not trained', () => {
    expect(row('cosine to 0').excess).toEqual([null, null])
    expect(row('linear from the start').excess).toEqual([null, null])
  })

  it('have the tuner switch between three quarters and nine tenths, as the runs are short, and the freed rule sooner', () => {
    for (const share of row('the tuner as it is (linear)').shares) {
      expect(share).toBeLessThanOrEqual(0.25)
      expect(share).toBeGreaterThanOrEqual(0.1)
    }
    const freed = row('freed: from 25 % on, b = 0.45 D').shares
    const held = row('held to three quarters, b = 0.45 D').shares
    for (const [i, share] of freed.entries()) expect(share).toBeGreaterThan(held[i]!)
  })

  it('switch sooner the larger b is', () => {
    const [small, large] = [0.3, 0.6].map((factor) => row(`freed: from 25 % on, b = ${factor} D`).shares)
    for (const [i, share] of small!.entries()) expect(large![i]).toBeGreaterThanOrEqual(share!)
  })

  it('stand in a table with a column for each rate', () => {
    const [head, , first] = rowsTable(rows, judged).split('\n')
    expect(head).toContain('| 0.001 | 0.002 | settings |')
    expect(first).toMatch(/^\| last 10 % linear \| \d\.\d{4} \|/)
  })
})

describe('runs that are not of the grid', () => {
  it('are not there: no long budgets, and none that is extended', () => {
    expect(longRows(logs)).toEqual([])
  })

  it('without a budget are told as they end', () => {
    const open = openRows(
      logs,
      [judged[0]!.trunk.nearest],
      judged.map(({ setting }) => setting),
    )
    expect(open.map(({ model }) => model)).toEqual([
      '8 × 512, made-up, rate 0.001, its own averages',
      '12 × 768, made-up, rate 0.001, D of another run',
    ])
    for (const { logged } of open) expect(logged).toBe(3_950)
  })
})

describe('small jobs', () => {
  it('are read from logs as the server writes them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'small-jobs-'))
    const { log } = syntheticRun({
      seed: 1,
      budgetSteps: 1_500,
      learningRate: 0.02,
      capabilities: ['heldOutLoss', 'averagedWeights'],
    })
    const lines = log.map(({ number, receivedAt, kind, ...body }) => ({ number, receivedAt, kind, body }))
    const text = [{ format: 'twostep-log' }, ...lines, { end: true }].map((line) => JSON.stringify(line))
    try {
      writeFileSync(join(folder, 'quadratic.ndjson'), text.join('\n'))
      const [job] = loggedJobs(folder)
      expect(job).toMatchObject({ kind: 'PyTorch', name: 'quadratic.ndjson', length: 1_500 })
      expect(job!.records.length).toBeGreaterThan(8)
      // The large step alone: nothing after the switch.
      expect(Math.max(...job!.records.map(({ share }) => share))).toBeLessThan(0.92)
      expect(gateTable(judged, [job!])).toMatch(/\| none: .* of 1 \|/)
      writeFileSync(join(folder, 'other.ndjson'), '{}')
      expect(() => loggedJobs(folder)).toThrow('other.ndjson is no log')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
