import { describe, expect, it } from 'vitest'
import { freedShare, gatedChoice, gates, isEarlySwitch } from './candidates.ts'
import type { FeatureRecord } from './features.ts'

const length = 20_000
/** Staying gains less and less, and from .4 of the steps on less than .9 D. */
const record = (share: number, change: Partial<FeatureRecord> = {}): FeatureRecord => ({
  step: Math.round(share * length),
  share,
  length,
  staying: 0.09 * (1.4 - share),
  gain: null,
  gap: 0.1,
  isKnown: false,
  isSure: false,
  isRising: false,
  isRisingSoon: false,
  isRisingAtSwitch: false,
  transfer: null,
  gapShare: 0.03,
  gapError: 0.02,
  stayingError: 0.03,
  trainingRatio: 1.03,
  exponent: 0.4,
  ...change,
})
const run = (change: (share: number) => Partial<FeatureRecord> = () => ({})): FeatureRecord[] =>
  Array.from({ length: 99 }, (_, i) => (i + 1) / 100).map((share) => record(share, change(share)))
const gate = (name: string) => gates.find((one) => one.name === name)!
const shareOf = (name: string, records: readonly FeatureRecord[], steps = length): number => {
  const choice = gatedChoice(records, gate(name), steps)
  return choice === 'never' ? 1 : choice.switchStep / steps
}

describe('a gate', () => {
  it.each(gates.map(({ name }) => [name]))('that is open lets the freed rule speak: %s', (name) => {
    expect(shareOf(name, run())).toBeCloseTo(0.41, 2)
  })

  it.each<[string, Partial<FeatureRecord>]>([
    ['long', { length: 9_999 }],
    ['small gap', { gapShare: 0.2 }],
    ['small gap', { gapShare: null }],
    ['together', { trainingRatio: 0.8 }],
    ['slow valley', { exponent: 1.2 }],
    ['sure', { stayingError: 0.4 }],
    ['sure', { gapError: null }],
    ['all three', { exponent: null }],
  ])('that is closed holds three quarters: %s, %j', (name, change) => {
    expect(
      shareOf(
        name,
        run(() => change),
      ),
    ).toBeCloseTo(0.76, 2)
    expect(
      shareOf(
        'none',
        run(() => change),
      ),
    ).toBeCloseTo(0.41, 2)
  })

  it('opens late where it must, and counts no verdict of a probe at which it was closed', () => {
    expect(
      shareOf(
        'sure',
        run((share) => (share < 0.6 ? { stayingError: 1 } : {})),
      ),
    ).toBeCloseTo(0.61, 2)
  })

  it('sees training and held-out loss part: what it compares with is a quarter of the steps', () => {
    expect(
      shareOf(
        'together',
        run((share) => ({ trainingRatio: 1.06 - 0.1 * share })),
      ),
    ).toBeCloseTo(0.41, 2)
    expect(
      shareOf(
        'together',
        run((share) => ({ trainingRatio: 1.07 - 0.3 * share })),
      ),
    ).toBeCloseTo(0.76, 2)
  })
})

describe('the freed rule', () => {
  it('speaks from a quarter of the steps on', () => {
    const early = run(() => ({ staying: 0 }))
    expect(shareOf('none', early)).toBeCloseTo(freedShare, 2)
  })
})

describe('an early switch', () => {
  it('is one of the rule, well before three quarters', () => {
    expect(isEarlySwitch({ switchStep: 8_000, finishStep: length }, length)).toBe(true)
    expect(isEarlySwitch({ switchStep: 15_000, finishStep: length }, length)).toBe(false)
    expect(isEarlySwitch({ switchStep: 8_000, finishStep: 12_000 }, length)).toBe(false)
    expect(isEarlySwitch('never', length)).toBe(false)
  })
})
