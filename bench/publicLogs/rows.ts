// The rows of the benchmark: what each schedule or rule ends above the best cooldown of its rate and length.

import type { TunerState } from '../../tuner/index.ts'
import { holdShare } from '../../tuner/plan/bounds.ts'
import { switchStepOf } from '../../tuner/state.ts'
import { ruleChoice } from '../decisions/rule.ts'
import type { Choice } from '../decisions/truth.ts'
import { candidateFactor, factors, freedShare, type Gate, gatedChoice, gates } from './candidates.ts'
import type { FeatureRecord } from './features.ts'
import { foldTrunk, recordsOf } from './fold.ts'
import type { PublicLog } from './logs.ts'
import { type GapKind, gapPower, ownTrunk, type Trunk, trunkLog, trunkOf } from './trunk.ts'
import { bestLoss, excessAt, mean, type Setting, settingsOf, shareOf, smoothExcess } from './truth.ts'

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

const sparseSteps = 50
const fixedShares = [0.1, 0.2, 0.25, 0.4, 0.6, 0.8, 0.9] as const
const fromStart = 0.994
const curvedShare = 0.2
const rareProbes = 5
const rareGates: readonly string[] = ['none', 'sure', 'all three']

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

const sharesRow = (name: string, judged: readonly Judged[], shares: Row['shares']): Row => ({
  name,
  shares,
  excess: judged.map(({ setting }, i) => (shares[i] == null ? null : excessAt(setting, shares[i]))),
  smooth: judged.map(({ setting }, i) =>
    shares[i] == null ? null : smoothExcess(setting, { share: shares[i] }),
  ),
})

export const stepOf = (choice: Choice): number | null => (choice === 'never' ? null : choice.switchStep)

/** A schedule that was trained as it is: the mean of its trainings. */
function trainedRow(name: string, judged: readonly Judged[], runs: readonly PublicLog[]): Row {
  const losses = judged.map(({ setting }) => {
    const own = runs.filter(
      ({ learningRate, iterations }) => learningRate === setting.rate && iterations === setting.length,
    )
    return own.length === 0 ? null : mean(own.map(({ finalLoss }) => finalLoss))
  })
  return {
    name,
    shares: judged.map(() => null),
    excess: losses.map((loss, i) => (loss === null ? null : loss - bestLoss(judged[i]!.setting))),
    smooth: losses.map((loss, i) => (loss === null ? null : smoothExcess(judged[i]!.setting, { loss }))),
  }
}

export function allRows(logs: readonly PublicLog[], judged: readonly Judged[]): Row[] {
  const cosine = (kind: string) => logs.filter(({ run }) => run.replace('grad_norm__', '').startsWith(kind))
  const curved = curvedGains(logs, judged)
  const inForce = switchedRow('the tuner as it is (linear)', judged, ({ state }) =>
    switchStepOf(state.course),
  )
  return [
    ...fixedShares.map((share) =>
      switchedRow(
        `last ${Math.round(100 * share)} % linear`,
        judged,
        ({ setting }) => (1 - share) * setting.length,
      ),
    ),
    fromStartRow(judged),
    trainedRow('cosine to 0', judged, cosine('cos-zero-124m')),
    trainedRow('cosine to a tenth', judged, cosine('cos-10-124m')),
    inForce,
    {
      ...inForce,
      name: 'the tuner as it is, 1 − √z where it uses that',
      excess: raised(inForce.excess, curved),
      smooth: raised(inForce.smooth, curved),
    },
    switchedRow('the tuner as it is, told each fiftieth step (linear)', judged, ({ sparse }) =>
      switchStepOf(sparse.course),
    ),
    ...factors.map((factor) => heldRow(judged, factor)),
    ...(['nearest', 'scaled'] as const).flatMap((kind) =>
      factors.map((factor) => freedRow(judged, kind, factor)),
    ),
    ownRow(logs, judged),
    ...gates.filter(({ name }) => rareGates.includes(name)).map((gate) => rareRow(judged, gate)),
  ]
}

const raised = (excess: Row['excess'], by: readonly number[]): (number | null)[] =>
  excess.map((value, i) => (value === null ? null : value + by[i]!))

const heldRow = (judged: readonly Judged[], factor: number): Row =>
  switchedRow(`held to three quarters, b = ${factor} D`, judged, ({ setting, records }) =>
    stepOf(ruleChoice(records.nearest, { kind: 'gap', factor }, setting.length, holdShare)),
  )

const freedRow = (judged: readonly Judged[], kind: GapKind, factor: number): Row =>
  switchedRow(
    `freed: from a quarter on, b = ${factor} D${kind === 'scaled' ? ', D scaled' : ''}`,
    judged,
    ({ setting, records }) =>
      stepOf(ruleChoice(records[kind], { kind: 'gap', factor }, setting.length, freedShare)),
  )

/** Behind a gate, where the job evaluates a fifth as often as was logged. */
const rareRow = (judged: readonly Judged[], gate: Gate): Row =>
  switchedRow(
    `freed, b = ${candidateFactor} D, D scaled, one evaluation of ${rareProbes}, gate: ${gate.name}`,
    judged,
    ({ setting: { length }, trunk }) =>
      stepOf(gatedChoice(recordsOf(trunk.scaled, length, rareProbes), gate, length)),
  )

const fromStartRow = (judged: readonly Judged[]): Row =>
  sharesRow(
    'linear from the start',
    judged,
    judged.map(({ setting }) => (setting.shares.at(-1)! >= fromStart ? fromStart : null)),
  )

/** The freed rule where the trunk's own averages were logged: one rate, and budgets that its log reaches. */
function ownRow(logs: readonly PublicLog[], judged: readonly Judged[]): Row {
  const { layers, width } = judged[0]!.trunk.nearest.log
  const trunks = logs.filter((log) => log.layers === layers && log.width === width).flatMap(ownTrunk)
  return switchedRow(
    `freed, b = ${candidateFactor} D, averages of the trunk itself`,
    judged,
    ({ setting }) => {
      const own = trunks.find(
        ({ log }) => log.learningRate === setting.rate && log.heldOut.step.at(-1)! >= setting.length,
      )
      if (own === undefined) return null
      const factors = { kind: 'gap', factor: candidateFactor } as const
      return stepOf(ruleChoice(recordsOf(own, setting.length), factors, setting.length, freedShare))
    },
  )
}

/**
 * What 1 − √z gains over a straight line (below 0: gains), as measured over the last fifth; where it was not trained at a length, the
 * mean of the other lengths at the rate.
 */
function curvedGains(logs: readonly PublicLog[], judged: readonly Judged[]): number[] {
  const curved = settingsOf(logs, 'sqrt', 1)
  const gains = judged.map(({ setting: { rate, length, shares, losses } }) => {
    const own = curved.find((other) => other.rate === rate && other.length === length)
    const at = shares.indexOf(curvedShare)
    const loss = own?.losses[own.shares.indexOf(curvedShare)]
    return loss === undefined || at < 0 ? null : loss - losses[at]!
  })
  return judged.map(({ setting }, i) => {
    if (gains[i] !== null) return gains[i]!
    const others = gains.filter((gain, j) => gain !== null && judged[j]!.setting.rate === setting.rate)
    return others.length === 0 ? 0 : mean(others as number[])
  })
}
