// The rows of the benchmark: what each schedule or rule ends above the best cooldown of its rate and length.

import { mean } from '../../tuner/estimators/uncertainty.ts'
import { holdShare } from '../../tuner/plan/bounds.ts'
import { annealShape } from '../../tuner/plan/segments.ts'
import { switchStepOf } from '../../tuner/state.ts'
import { ruleChoice } from '../decisions/rule.ts'
import { candidateFactor, factors, freedShare, type Gate, gatedChoice, gates } from './candidates.ts'
import { recordsOf } from './fold.ts'
import { isFound, type Judged, type Row, sharesRow, sparseSteps, stepOf, switchedRow } from './judged.ts'
import type { PublicLog } from './logs.ts'
import { fittedRateSteps, rateStepsShare } from './rateSteps.ts'
import { type GapKind, gapKinds, ownTrunk } from './trunk.ts'
import { bestLoss, settingsOf, smoothExcess } from './truth.ts'

const fixedShares = [0.1, 0.2, 0.25, 0.4, 0.6, 0.8, 0.9] as const
const fromStart = 0.994
const curvedShare = 0.2
/** Other floors of the freed rule: no anneal of more than 60 and 50 %. */
const laterFloors = [0.4, 0.5] as const
const rareProbes = 5
const rareGates: readonly string[] = ['none', 'sure', 'all three']

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
  const curved = curvedGains(logs, judged).map((gain, i) => {
    const { setting, state } = judged[i]!
    const steps = setting.length - (switchStepOf(state.course) ?? setting.length)
    return annealShape(steps, setting.length) === 'oneMinusSqrt' ? gain : 0
  })
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
    ...gapKinds.flatMap((kind) => [
      ...factors.map((factor) => freedRow(judged, kind, factor)),
      ...laterFloors.map((from) => freedRow(judged, kind, candidateFactor, from)),
    ]),
    ownRow(logs, judged),
    switchedRow(`freed, b = ${candidateFactor} D, D scaled, told each fiftieth step`, judged, (one) => {
      const { length } = one.setting
      const records = recordsOf(one.trunk.scaled, length, { everySteps: sparseSteps })
      return stepOf(ruleChoice(records, { kind: 'gap', factor: candidateFactor }, length, freedShare))
    }),
    ...rateStepsRows(judged),
    ...gates.filter(({ name }) => rareGates.includes(name)).map((gate) => rareRow(judged, gate)),
  ]
}

const raised = (excess: Row['excess'], by: readonly number[]): (number | null)[] =>
  excess.map((value, i) => (value === null ? null : value + by[i]!))

const heldRow = (judged: readonly Judged[], factor: number): Row =>
  switchedRow(`held to three quarters, b = ${factor} D`, judged, ({ setting, records }) =>
    stepOf(ruleChoice(records.nearest, { kind: 'gap', factor }, setting.length, holdShare)),
  )

const freedRow = (judged: readonly Judged[], kind: GapKind, factor: number, from: number = freedShare): Row =>
  switchedRow(
    `freed: from ${100 * from} % on, b = ${factor} D${kind === 'scaled' ? ', D scaled' : ''}`,
    judged,
    ({ setting, records }) =>
      stepOf(ruleChoice(records[kind], { kind: 'gap', factor }, setting.length, from)),
  )

/** By rate × steps: fitted where candidates are found, and told for the other settings alone. */
function rateStepsRows(judged: readonly Judged[]): Row[] {
  const found = judged.filter(isFound).map(({ setting }) => setting)
  if (found.length < 2) return []
  const fit = fittedRateSteps(found)
  const name = `share ${fit.a.toFixed(2)} + ${fit.c.toFixed(2)} ln(rate × steps)`
  const share = ({ setting }: Judged) => rateStepsShare(fit, setting.rate, setting.length)
  return [
    sharesRow(
      `${name}, where it was fitted`,
      judged,
      judged.map((one) => (isFound(one) ? share(one) : null)),
    ),
    sharesRow(
      `${name}, elsewhere`,
      judged,
      judged.map((one) => (isFound(one) ? null : share(one))),
    ),
  ]
}

/** Behind a gate, where the job evaluates a fifth as often as was logged. */
const rareRow = (judged: readonly Judged[], gate: Gate): Row =>
  switchedRow(
    `freed, b = ${candidateFactor} D, D scaled, one evaluation of ${rareProbes}, gate: ${gate.name}`,
    judged,
    ({ setting: { length }, trunk }) =>
      stepOf(gatedChoice(recordsOf(trunk.scaled, length, { everyProbes: rareProbes }), gate, length)),
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
