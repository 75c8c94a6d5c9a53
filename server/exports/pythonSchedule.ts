// A run's schedule as one Python file that a user saves as schedule.py and imports, without anything of ours installed.

import type { AppliedSpan, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import { appliedSpans, onlyAsCsv, plannedSegments, type ScheduleSource } from '../runs/schedule.ts'
import { frameworks, type PythonFormat } from './frameworks.ts'
import { pythonText } from './literals.ts'
import { relativeTolerance } from './precision.ts'
import { type Rates, ratesText } from './rates.ts'
import { changesOf, plannedStretches, stretchesOf } from './stretches.ts'

/** Changes of the rate that are read for one file. */
export const changesMax = 500_000
/** Bytes of one file. */
export const fileBytesMax = 8 * 1024 * 1024

/** All that a file is made of: values, so that it can be tried without a server. */
export type Exported = {
  readonly run: Pick<RunSummary, 'id' | 'step'> & { readonly options: { name: string; project: string } }
  readonly applied: readonly AppliedSpan[]
  readonly planned: readonly Segment[]
}

function momentumLine({ applied, planned }: Exported): string[] {
  const known = new Set([...applied, ...planned].map(({ momentum }) => momentum ?? null))
  known.delete(null)
  if (known.size < 2) return []
  const all = [...known] as number[]
  return [
    `Momentum changed too, between ${Math.min(...all)} and ${Math.max(...all)}: this file does not set it.`,
  ]
}

const agreement = ({ precision }: Rates) =>
  precision.kind === 'relative'
    ? `The applied rates are those that were reported, or within a relative ${relativeTolerance} of them.`
    : 'The applied rates are exactly those that were reported.'

function headText(exported: Exported, rates: Rates, format: PythonFormat): string {
  const { run, applied, planned } = exported
  const { name, project } = run.options
  const lastStep = applied.reduce((last, { toStep }) => Math.max(last, toStep - 1), 0)
  const [first] = rates.planned
  const told = [
    applied.length === 0 ? 'Applied: nothing yet.' : `Applied: steps ${rates.firstStep} to ${lastStep}.`,
    first === undefined
      ? 'Planned: nothing more.'
      : `Planned: steps ${first.firstStep} to ${planned.at(-1)!.toStep - 1}.`,
  ]
  const lines = [
    `Learning rates of run ${pythonText(run.id)}, made by Twostep.`,
    `Its name: ${pythonText(name)}, in project ${pythonText(project)}.`,
    told.join(' '),
    ...momentumLine(exported),
    '',
    'Save this file as schedule.py beside your program; twostep is not needed. Then:',
    ...frameworks[format].use.map((line) => `    ${line}`),
  ]
  return `${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}
"""A learning rate schedule, step by step.

${agreement(rates)}
A step that was not reported has the rate of the step before it. Steps count from the run's first one: step 0 of
a framework's counter is FIRST_STEP. Steps of a search for the rate, whose weights the run took back, are in it
like all others.
"""
`
}

/** @throws ServerError `invalid-request` if there is no rate at all, or the file would be too large. */
export function pythonSchedule(exported: Exported, format: PythonFormat): string {
  const { run, planned } = exported
  // Beyond the present step the plan holds: what was reported from there on was too far ahead to be true.
  const isOpen = planned.length > 0
  const applied = isOpen ? exported.applied.filter(({ fromStep }) => fromStep < run.step) : exported.applied
  const changes = changesOf(applied)
  const firstStep = changes.steps[0] ?? run.step
  if (changes.steps.length === 0 && !isOpen)
    throw new ServerError(
      'invalid-request',
      '?format must be json or csv for this run: it has ended, and its job has reported no rate',
      { errors: [{ pointer: '?format', detail: 'must be json or csv for this run' }] },
    )
  const { stretches, precision } = stretchesOf(changes)
  const rates: Rates = {
    firstStep,
    applied: stretches,
    planned: plannedStretches(planned, run.step),
    precision,
  }
  const { modules, text: ownText } = frameworks[format]
  const head = headText({ ...exported, applied }, rates, format)
  const text = [head, ratesText(rates, modules), `\n${ownText(run.id)}`].join('\n')
  const bytes = Buffer.byteLength(text)
  if (bytes > fileBytesMax)
    throw onlyAsCsv(`as a file its rates take ${bytes} bytes, and ${fileBytesMax} are allowed`)
  return text
}

/** The file of a run as it is now. @throws ServerError `invalid-request`, as above. */
export async function exportPython(
  source: ScheduleSource,
  run: RunSummary,
  format: PythonFormat,
): Promise<string> {
  const applied = await appliedSpans(source, run.id, changesMax)
  return pythonSchedule({ run, applied, planned: plannedSegments(run) }, format)
}
