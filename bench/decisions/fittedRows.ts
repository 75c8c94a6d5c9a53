// Rows with something to fit, always fitted on the tasks that they are not scored on: the factors of the rule in force,
// and the attempts at its weak places. What each fit chose for each task is kept beside its row.

import { memorisingRatio } from '../../tuner/estimators/memorising.ts'
import type { TraceRun } from '../traces/format.ts'
import { leaveOneOut } from './leaveOneOut.ts'
import { everything } from './replay.ts'
import { candidates, factorsInForce, type RuleRecord, ruleChoice, ruleRecords } from './rule.ts'
import { type TimePoint, type TimeRow, tunerChoice } from './timeRows.ts'
import {
  attemptFromShare,
  finishEarlyChoice,
  finishParts,
  finishThresholds,
  memorisingPart,
  type TransferRecord,
  transferChoice,
  transferRecords,
  transferThresholds,
} from './transfer.ts'
import { type Choice, meanOf, scoreOf } from './truth.ts'

type Seen = {
  readonly records: readonly RuleRecord[]
  readonly transfer: readonly TransferRecord[]
  /** The tuner's own switch, where a copy of its rule would know no fallback plan. */
  readonly switched: Choice
  readonly budgetSteps: number
}
type Candidate = { readonly label: string; choose(seen: Seen): Choice }
type Family = { readonly name: string; readonly candidates: readonly Candidate[] }

const inForce: Candidate = {
  label: 'as in force',
  choose: ({ records, budgetSteps }) => ruleChoice(records, factorsInForce, budgetSteps),
}

/** The rule in force, and a short anneal where it would memorise. */
const finishEarly = (threshold: number, part: number): Candidate => ({
  label: `below ${threshold}, first ${Math.round(100 * part)} %`,
  choose: (seen) =>
    finishEarlyChoice(seen.records, inForce.choose(seen), { threshold, part }, seen.budgetSteps),
})

/** An anneal over half of the steps so far from the first probe with the sign, before the rule's own switch. */
function withSign(seen: Seen, isSign: (record: RuleRecord) => boolean): Choice {
  const records = seen.records.map((record) => ({
    ...record,
    isRising: isSign(record),
    isRisingAtSwitch: isSign(record),
  }))
  return ruleChoice(records, factorsInForce, seen.budgetSteps)
}

const families: readonly Family[] = [
  {
    name: 'ours, factors fitted on the other tasks',
    candidates: candidates.map((factors) => ({
      label: factors === factorsInForce ? inForce.label : `${factors.kind}, c = ${factors.factor}`,
      choose: ({ records, budgetSteps }) => ruleChoice(records, factors, budgetSteps),
    })),
  },
  {
    name: 'ours, finishing early as in the anneal',
    candidates: [
      {
        label: 'as in force',
        choose: ({ records, switched, budgetSteps }) =>
          finishEarlyChoice(
            records,
            switched,
            { threshold: memorisingRatio, part: memorisingPart },
            budgetSteps,
          ),
      },
    ],
  },
  {
    name: 'ours, finishing early, threshold and part fitted on the other tasks',
    candidates: [
      finishEarly(memorisingRatio, memorisingPart),
      inForce,
      ...finishParts.flatMap((part) => finishThresholds.map((threshold) => finishEarly(threshold, part))),
    ],
  },
  {
    name: 'attempt: finish early where training transfers little',
    candidates: [
      inForce,
      ...transferThresholds.map((threshold) => ({
        label: `below ${threshold}`,
        choose: (seen: Seen) =>
          transferChoice(seen.transfer, inForce.choose(seen), threshold, seen.budgetSteps),
      })),
    ],
  },
  {
    name: 'attempt: the same, and both factors free',
    candidates: [
      inForce,
      ...transferThresholds.flatMap((threshold) =>
        candidates.map((factors) => ({
          label: `below ${threshold}; ${factors.kind}, c = ${factors.factor.toPrecision(2)}`,
          choose: ({ records, transfer, budgetSteps }: Seen) =>
            transferChoice(transfer, ruleChoice(records, factors, budgetSteps), threshold, budgetSteps),
        })),
      ),
    ],
  },
  {
    name: 'attempt: a rise at two deviations',
    candidates: [{ label: 'two', choose: (seen) => withSign(seen, (record) => record.isRisingSoon) }],
  },
  {
    name: 'attempt: the rule may switch from a tenth on',
    candidates: [
      {
        label: '.1',
        choose: ({ records, budgetSteps }) =>
          ruleChoice(records, factorsInForce, budgetSteps, attemptFromShare),
      },
    ],
  },
]

export type FittedRow = { readonly row: TimeRow; readonly chosen: ReadonlyMap<string, string> }

export function fittedRows(points: readonly TimePoint[]): FittedRow[] {
  const seen = new Map<TraceRun, Seen>()
  for (const { task, runs } of points)
    for (const run of runs.runs) {
      const records = ruleRecords(task, run)
      seen.set(run, {
        records,
        transfer: transferRecords(run, records),
        switched: tunerChoice(task, run, everything),
        budgetSteps: run.budgetSteps,
      })
    }
  return families.map((family) => fittedRow(family, points, seen))
}

function fittedRow(
  { name, candidates: options }: Family,
  points: readonly TimePoint[],
  seen: ReadonlyMap<TraceRun, Seen>,
): FittedRow {
  const costOf = ({ runs, best }: TimePoint, candidate: Candidate) =>
    meanOf(
      runs.runs.map((run, index) => {
        const { loss } = scoreOf(run, candidate.choose(seen.get(run)!))
        return Math.log(loss / best.scores[index]!.loss)
      }),
    )
  const names = [...new Set(points.map(({ task }) => task.name))]
  const fitted = leaveOneOut(
    names.map((task) => {
      const own = points.filter((point) => point.task.name === task)
      return { task, costs: options.map((candidate) => meanOf(own.map((point) => costOf(point, candidate)))) }
    }),
  )
  const candidateOf = (task: string) => options[fitted.get(task)!]!
  return {
    chosen: new Map(names.map((task) => [task, candidateOf(task).label])),
    row: { name, choicesOf: ({ task }, run) => [candidateOf(task.name).choose(seen.get(run)!)] },
  }
}
