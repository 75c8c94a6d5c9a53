// The results as markdown.

import { mean } from '../../tuner/estimators/uncertainty.ts'
import { type Gate, gatedChoice, gates, isEarlySwitch } from './candidates.ts'
import type { FeatureRecord } from './features.ts'
import { isFound, type Judged, type Row, stepOf, switchedRow } from './judged.ts'
import type { LongRow } from './long.ts'
import type { OpenRow } from './open.ts'
import { type SmallJob, smallKinds } from './small.ts'
import { type GapKind, gapKinds } from './trunk.ts'
import { bestShare } from './truth.ts'

const nats = (value: number): string => value.toFixed(4)
const percent = (share: number): string => `${Math.round(100 * share)} %`

const markdown = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)

/** Mean and worst of what is known, with the mean for each rate. */
function summary({ excess, smooth }: Row, judged: readonly Judged[]): string[] {
  const all = known(excess)
  const allSmooth = known(smooth)
  const rates = [...new Set(judged.map(({ setting }) => setting.rate))]
  const perRate = rates.map((rate) =>
    known(excess.filter((_, index) => judged[index]!.setting.rate === rate)),
  )
  return [
    nats(mean(all)),
    nats(Math.max(...all)),
    `${nats(mean(allSmooth))}, ${nats(Math.max(...allSmooth))}`,
    ...perRate.map((own) => (own.length === 0 ? '' : nats(mean(own)))),
    `${all.length}`,
  ]
}

const rateNames = (judged: readonly Judged[]): string[] => [
  ...new Set(judged.map(({ setting }) => `${setting.rate}`)),
]

export const rowsTable = (rows: readonly Row[], judged: readonly Judged[]): string =>
  markdown(
    ['row', 'mean', 'worst', 'smooth curve: mean, worst', ...rateNames(judged), 'settings'],
    rows.map((row) => [row.name, ...summary(row, judged)]),
  )

/** Where each rule's anneal begins, by setting. */
export function sharesTable(rows: readonly Row[], judged: readonly Judged[]): string {
  const told = rows.filter(({ shares }) => shares.some((share) => share !== null))
  return markdown(
    ['rate', 'steps', 'best share', ...told.map(({ name }) => name)],
    judged.map(({ setting }, index) => [
      `${setting.rate}`,
      `${setting.length}`,
      percent(bestShare(setting)),
      ...told.map(({ shares, excess }) =>
        shares[index] == null ? '' : `${percent(shares[index])}, ${nats(excess[index]!)}`,
      ),
    ]),
  )
}

/** Half of the steps: what a running job sees there. */
const middle = 0.5
const at = (records: readonly FeatureRecord[]): FeatureRecord | undefined =>
  records.findLast(({ share }) => share <= middle)

export const signsTable = (judged: readonly Judged[]): string =>
  markdown(
    [
      'rate',
      'steps',
      'best share',
      'rate × steps',
      'D / loss',
      'exponent',
      'training / held-out',
      'staying / (.9 D)',
      'gradient norm',
    ],
    judged.map(({ setting, records, trunk }) => {
      const seen = at(records.scaled)
      const norms = trunk.nearest.log.gradientNorm
      const recent = norms?.value.filter((_, index) => {
        const share = norms.step[index]! / setting.length
        return share > middle - 0.05 && share <= middle
      })
      const shown = (value: number | null | undefined): string => (value == null ? '' : value.toPrecision(3))
      return [
        `${setting.rate}`,
        `${setting.length}`,
        percent(bestShare(setting)),
        shown(setting.rate * setting.length),
        shown(seen?.gapShare),
        shown(seen?.exponent),
        shown(seen?.trainingRatio),
        seen?.staying == null || seen.gap === null ? '' : shown(seen.staying / (0.9 * seen.gap)),
        recent === undefined || recent.length === 0 ? '' : shown(mean(recent)),
      ]
    }),
  )

export function gateTable(judged: readonly Judged[], jobs: readonly SmallJob[]): string {
  const kinds = smallKinds.filter((kind) => jobs.some((job) => job.kind === kind))
  return markdown(
    [
      'gate',
      ...gapKinds.flatMap((kind) => parts.map(({ name }) => `${name}, D ${kind}`)),
      ...kinds.map((kind) => `fires on ${kind}`),
    ],
    gates.map((gate) => [
      `${gate.name}: ${gate.what}`,
      ...gapKinds.flatMap((kind) => parts.map(({ isOf }) => gateExcess(gate, judged.filter(isOf), kind))),
      ...kinds.map((kind) => firedOf(gate, jobs, kind)),
    ]),
  )
}

const parts = [
  { name: 'found on', isOf: isFound },
  { name: 'judged on', isOf: (one: Judged) => !isFound(one) },
  { name: 'all', isOf: () => true },
] as const

/** Mean and worst. */
function gateExcess(gate: Gate, judged: readonly Judged[], kind: GapKind): string {
  const row = switchedRow(gate.name, judged, ({ setting, records }) =>
    stepOf(gatedChoice(records[kind], gate, setting.length)),
  )
  const all = known(row.excess)
  return all.length === 0 ? '' : `${nats(mean(all))}, ${nats(Math.max(...all))}`
}

function firedOf(gate: Gate, jobs: readonly SmallJob[], kind: SmallJob['kind']): string {
  const own = jobs.filter((job) => job.kind === kind)
  return `${own.filter((job) => firesOn(gate, job)).length} of ${own.length}`
}

const firesOn = (gate: Gate, { records, length }: SmallJob): boolean =>
  isEarlySwitch(gatedChoice(records, gate, length), length)

/** Each PyTorch job by gate: where it would have switched. */
export function smallTable(jobs: readonly SmallJob[]): string {
  return markdown(
    ['job', 'steps', ...gates.map(({ name }) => name)],
    jobs.map((job) => [
      job.name,
      `${job.length}`,
      ...gates.map((gate) => {
        const choice = gatedChoice(job.records, gate, job.length)
        return isEarlySwitch(choice, job.length) ? percent((stepOf(choice) ?? 0) / job.length) : ''
      }),
    ]),
  )
}

export const longTable = (rows: readonly LongRow[]): string =>
  markdown(
    [
      'model',
      'budget',
      'logged to',
      'as it is',
      'freed, b = .45 D',
      'no floor, by the last fit',
      'trained: share, loss',
    ],
    rows.map(({ model, budget, logged, inForce, freed, unbounded, trained }) => [
      model,
      `${budget}`,
      `${logged}`,
      percent(inForce),
      percent(freed),
      percent(unbounded),
      trained.map(({ share, loss }) => `${percent(share)}, ${nats(loss)}`).join('; '),
    ]),
  )

export const openTable = (rows: readonly OpenRow[]): string =>
  markdown(
    ['run', 'logged to', 'switch', 'anneal over', 'as many steps again', 'worth it down to', 'excess'],
    rows.map(({ model, logged, switchStep, annealSteps, gain, worth, excess }) => [
      model,
      `${logged}`,
      `${switchStep ?? 'goes on'}`,
      `${annealSteps ?? ''}`,
      gain === null ? '' : nats(gain),
      worth === null ? '' : nats(worth),
      excess === null ? '' : nats(excess),
    ]),
  )
