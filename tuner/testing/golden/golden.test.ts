// The same logs give the same decisions, as long as the tuner has the same version: stored runs of another version are
// folded anew when they are read, so a change of decisions without a change of version would go unnoticed.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../protocol/vocabulary.ts'
import { tunerVersion } from '../../index.ts'
import { foldedLog } from '../laws/logs.ts'
import { rounded } from '../rounded.ts'
import { keyOf } from '../syntheticRun.ts'
import { folder, logBytesMax, logNames, observationsOf, textOfLog, writeLogs } from './logs.conformance.ts'

const writeCommand = 'TWOSTEP_GOLDEN=write npx vitest run tuner/testing/golden'
const changed = `decisions of the golden logs have changed: raise tunerVersion in tuner/state.ts and run ${writeCommand}`
const missing = `no decisions are stored for tunerVersion ${tunerVersion}: run ${writeCommand}`

const digestsPath = join(folder, 'decisions.txt')
/** Logarithms and powers may differ in their last digit from one engine to the next. */
const digits = 6

/** What was decided, and a digest of its numbers and of the rates that it plans. */
function lineOf(decision: Decision): string {
  const { kind, step, reason, plan } = decision
  const told = rounded({ kind, step, reason, segments: plan.segments }, digits)
  const digest = createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 12)
  return `${keyOf(decision)} ${digest}`
}

const decisionsOf = (name: string): readonly Decision[] =>
  foldedLog(observationsOf(textOfLog(name))).decisions

/** Everything that is stored: the version, then each decision by log. */
const textNow = (): string =>
  [
    `tunerVersion ${tunerVersion}`,
    ...logNames.flatMap((name) => decisionsOf(name).map((decision) => `${name}: ${lineOf(decision)}`)),
    '',
  ].join('\n')

const wish = process.env.TWOSTEP_GOLDEN
if (wish === 'logs') writeLogs()
if (wish === 'logs' || wish === 'write') writeFileSync(digestsPath, textNow())

describe('the golden logs', () => {
  it('give the decisions that are stored for this version of the tuner', () => {
    const [stored, now] = [readFileSync(digestsPath, 'utf8').split('\n'), textNow().split('\n')]
    expect(stored[0], missing).toBe(now[0])
    expect(now, changed).toEqual(stored)
  })

  it.each(logNames)('are small, and parse as observations in order: %s', (name) => {
    const text = textOfLog(name)
    expect(text.length).toBeLessThan(logBytesMax)
    expect(observationsOf(text).map(({ number }) => number)).toEqual(
      text
        .trimEnd()
        .split('\n')
        .map((_, i) => i + 1),
    )
  })

  it('hold what an engine may decide', () => {
    const keys = new Set(logNames.flatMap((name) => decisionsOf(name).map(({ reason }) => reason.key)))
    for (const key of [
      'start-race',
      'rate-found',
      'anneal-rule',
      'cut-rise',
      'finished-kept',
      'set-by-hand',
      'non-finite-loss',
      'budget-set',
      'drift',
      'anneal-fallback-blind',
      'loss-rise',
      'still-worth',
      'anneal-memorising',
      'few-probes',
      'staying-gains',
    ])
      expect(keys, key).toContain(key)
    const [storm] = decisionsOf('guard').filter(({ kind }) => kind === 'guard')
    expect(storm?.reason.values.keptStep).toBeGreaterThan(0)
  })
})
