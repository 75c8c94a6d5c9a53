// What a recommended schedule rests on, in words.

import { formatPercent, formatPlural, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Learned, RecommendRequest, ScheduleRecommendation } from '../../protocol/schemas.ts'
import type { RunOptions, Segment } from '../../protocol/vocabulary.ts'

/** Runs from which a median is not just one of them. Chosen. */
export const learnedRunsMin = 3

type Basis = ScheduleRecommendation['basis'][number]
export type Told = {
  readonly request: RecommendRequest
  readonly learned: Learned | null
  /** Of the run that the tuner was told of. */
  readonly options: RunOptions
  readonly plan: { readonly segments: readonly Segment[] }
  readonly level: ScheduleRecommendation['confidence']['level']
  /** Of the steps, where other runs began their anneal; null = not used. */
  readonly share: number | null
}

const annealStep = ({ segments }: Told['plan']): number | undefined =>
  segments.find(({ phase }) => phase === 'anneal')?.fromStep

/** The runs that were learned from. */
const runsOf = ({ learned, options }: Told): string =>
  `${formatPlural(learned?.runs.length ?? 0, 'finished run')} of project ${learned?.project} with an optimizer of the family ${options.optimizer.family}, ended better than begun`

export function learnedSentence(told: Told): string {
  const { options, plan, share } = told
  const step = annealStep(plan)
  const rate = formatRate(options.learningRate.initial ?? 0)
  const at = step === undefined ? '' : `, and annealing from step ${formatStep(step)}`
  return `Large step at ${rate}${at}: medians of ${runsOf(told)} (annealing began at ${formatPercent(share ?? 0)} of their steps).`
}

export function whySentence(told: Told): string {
  const { level, request, learned } = told
  const probes = request.probes?.length ?? 0
  if (level === 'measured')
    return `${formatPlural(probes, 'probe')} of this job say what annealing would gain.`
  const measured =
    probes === 0
      ? 'This job has measured nothing yet.'
      : 'Its probes do not say yet what annealing would gain.'
  if (level === 'assumed')
    return `${measured} Rate and anneal are those of a job of which nothing else is known.`
  const isLittle = (learned?.runs.length ?? 0) < learnedRunsMin
  return `From ${runsOf(told)}${isLittle ? `; fewer than ${learnedRunsMin} are little evidence` : ''}. ${measured}`
}

function rateBasis({ request, learned, options }: Told): Basis {
  const { initial } = options.learningRate
  if (request.learningRate.initial !== null)
    return {
      kind: 'given-rate',
      count: 1,
      text: `The rate ${formatRate(initial ?? 0)} is the one that you gave.`,
    }
  if (initial !== null) {
    const count = learned?.runs.length ?? 0
    return {
      kind: 'project',
      count,
      text: `The rate ${formatRate(initial)} is the median of their large rates, within your limits.`,
    }
  }
  return { kind: 'usual-rate', count: 0, text: 'The rate is what most jobs with such an optimizer use.' }
}

function switchBasis({ plan, share, level, learned }: Told): Basis[] {
  const step = annealStep(plan)
  if (step === undefined || level === 'measured') return []
  if (share === null)
    return [
      {
        kind: 'fallback-plan',
        count: 0,
        text: `The anneal from step ${formatStep(step)} is that of the fallback plan.`,
      },
    ]
  const count = learned?.runs.length ?? 0
  return [
    {
      kind: 'project',
      count,
      text: `The anneal begins at ${formatPercent(share)} of the steps, the median of theirs.`,
    },
  ]
}

export function basisOf(told: Told): Basis[] {
  const { request, learned, options } = told
  const steps = request.steps?.step.length ?? 0
  const probes = request.probes?.length ?? 0
  const nothing = `None of ${formatPlural(learned?.finished ?? 0, 'finished run')} of project ${learned?.project} had an optimizer of the family ${options.optimizer.family}, a measured rate and a switch, and ended better than it began.`
  return [
    rateBasis(told),
    ...(learned?.runs.length === 0 ? [{ kind: 'project', count: 0, text: nothing } as const] : []),
    ...(steps === 0 ? [] : [{ kind: 'steps', count: steps, text: 'Steps that you told.' } as const]),
    ...(probes === 0 ? [] : [{ kind: 'probes', count: probes, text: 'Probes that you told.' } as const]),
    ...switchBasis(told),
  ]
}
