// The settings of the grid with what the tuner saw on their trunks, and what a choice of the anneal's share costs on them.

import type { TunerState } from '../../tuner/index.ts'
import type { Choice } from '../decisions/truth.ts'
import type { FeatureRecord } from './features.ts'
import { foldTrunk, recordsOf } from './fold.ts'
import type { PublicLog } from './logs.ts'
import { type GapKind, gapPower, type Trunk, trunkLog, trunkOf } from './trunk.ts'
import { excessAt, type Setting, settingsOf, shareOf, smoothExcess } from './truth.ts'

/** A setting with what was seen on its trunk, by the kind of gap. */
export type Judged = {
  readonly setting: Setting
  readonly trunk: Readonly<Record<GapKind, Trunk>>
  readonly records: Readonly<Record<GapKind, readonly FeatureRecord[]>>
  /** Where the whole tuner ended its large step, and why. */
  readonly state: TunerState
  /** The same where the job reports as it logs, each fiftieth step. */
  readonly sparse: TunerState
}

export type Row = {
  readonly name: string
  /** Nats above the best cooldown; null = it was not trained there. */
  readonly excess: readonly (number | null)[]
  /** The same from the smooth curve. */
  readonly smooth: readonly (number | null)[]
  /** Shares of the steps that its anneals take. */
  readonly shares: readonly (number | null)[]
}

/** The logs hold the training loss of each fiftieth step. */
export const sparseSteps = 50

/** Candidates are found on these rates, and judged on the others. */
export const isFound = ({ setting }: Judged): boolean => foundOn.includes(setting.rate)
const foundOn: readonly number[] = [5e-4, 2e-3]

export function judgedSettings(logs: readonly PublicLog[]): {
  judged: Judged[]
  power: number
  pairs: number
} {
  const settings = settingsOf(logs)
  if (settings.length === 0) throw new Error('the logs hold no grid of 124M cooldowns (ann124-…)')
  const { power, pairs } = gapPower(logs, trunkLog(logs, settings[0]!.rate)) ?? { power: 0, pairs: 0 }
  const judged = settings.map((setting): Judged => {
    const { rate, length } = setting
    const nearest = trunkOf(logs, rate, { kind: 'nearest', power })
    const scaled = trunkOf(logs, rate, { kind: 'scaled', power })
    return {
      setting,
      trunk: { nearest, scaled },
      records: { nearest: recordsOf(nearest, length), scaled: recordsOf(scaled, length) },
      state: foldTrunk(nearest, { length }),
      sparse: foldTrunk(nearest, { length, everySteps: sparseSteps }),
    }
  })
  return { judged, power, pairs }
}

/** What a switch costs on a setting; one that never comes is not on the grid. */
export const switchedRow = (
  name: string,
  judged: readonly Judged[],
  stepOf: (one: Judged) => number | null,
): Row =>
  sharesRow(
    name,
    judged,
    judged.map((one) => {
      const step = stepOf(one)
      return step === null ? null : shareOf(one.setting, step)
    }),
  )

export const sharesRow = (name: string, judged: readonly Judged[], shares: Row['shares']): Row => ({
  name,
  shares,
  excess: judged.map(({ setting }, i) => (shares[i] == null ? null : excessAt(setting, shares[i]))),
  smooth: judged.map(({ setting }, i) =>
    shares[i] == null ? null : smoothExcess(setting, { share: shares[i] }),
  ),
})

export const stepOf = (choice: Choice): number | null => (choice === 'never' ? null : choice.switchStep)
