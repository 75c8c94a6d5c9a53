// What a what-if would have changed, in words: where the switch and the end lie, what the rate would be, and the first
// decision that differs. The decisions are compared by the server; here their heads are only read.

import { formatNumber, formatPlural, formatRate, formatStep } from '../../../protocol/numbers.ts'
import type { DecisionHead, Plan, RunSummary, WhatIfAnswer } from '../../../protocol/vocabulary.ts'
import { keyWords, kindTitle } from '../words.ts'

export type Difference = { readonly name: string; readonly real: string; readonly whatIf: string }

const plannedSwitch = (plan: Plan): number | null =>
  plan.segments.find(({ phase }) => phase === 'anneal')?.fromStep ?? null

/** Where the anneal began or is planned to begin. */
function switchWords(run: RunSummary, plan: Plan): string {
  if (run.switchStep !== null) return `step ${formatStep(run.switchStep)}`
  if (run.advice?.kind === 'switch') return `advised at step ${formatStep(run.advice.step)}`
  const planned = plannedSwitch(plan)
  return planned === null ? 'none planned' : `planned at step ${formatStep(planned)}`
}

const lossWords = ({ forecast }: RunSummary): string =>
  forecast === null ? 'not promised' : formatNumber(forecast.value)

/** The measures in which both courses can be told apart; those that are the same are marked by equal words. */
export function measuresOf(run: RunSummary, answer: WhatIfAnswer): readonly Difference[] {
  const { plan, decisionCount } = answer
  const rateWords = (of: RunSummary) =>
    of.largeLearningRate === null ? 'not set' : formatRate(of.largeLearningRate)
  const endWords = (of: Plan) => {
    const end = of.segments.at(-1)?.toStep
    return end === undefined ? 'none' : `step ${formatStep(end)}`
  }
  return [
    { name: 'Switch', real: switchWords(run, plan.real), whatIf: switchWords(answer.run, plan.whatIf) },
    { name: 'Large rate', real: rateWords(run), whatIf: rateWords(answer.run) },
    { name: 'Plan ends', real: endWords(plan.real), whatIf: endWords(plan.whatIf) },
    { name: 'Final loss promised', real: lossWords(run), whatIf: lossWords(answer.run) },
    {
      name: 'Decisions',
      real: formatStep(decisionCount.real),
      whatIf: formatStep(decisionCount.whatIf),
    },
  ]
}

export const differing = (measures: readonly Difference[]): readonly Difference[] =>
  measures.filter(({ real, whatIf }) => real !== whatIf)

const headWords = (head: DecisionHead | null): string =>
  head === null ? 'none' : `${kindTitle[head.kind] ?? keyWords(head.kind)} at step ${formatStep(head.step)}`

export type DecisionPair = {
  readonly number: number
  readonly real: string
  readonly whatIf: string
  readonly words: string
}

/** Decisions that differ in kind or step, but for holds on both sides: a few of the first. */
export function pairsThatDiffer(
  { decisions, differsFrom }: WhatIfAnswer,
  most: number,
): readonly DecisionPair[] {
  if (differsFrom === null) return []
  return decisions
    .filter(({ number, real, whatIf }) => {
      if (number < differsFrom || (real?.kind === 'hold' && whatIf?.kind === 'hold')) return false
      return real?.kind !== whatIf?.kind || real?.step !== whatIf?.step
    })
    .slice(0, most)
    .map(({ number, real, whatIf }) => ({
      number,
      real: headWords(real),
      whatIf: headWords(whatIf),
      words: whatIf?.summary ?? '',
    }))
}

/** "Differs at: switch planned at step 3,960 → planned at step 3,300." */
export function headline(run: RunSummary, answer: WhatIfAnswer): string {
  if (answer.differsFrom === null) return 'The same decisions, to the last one.'
  const found = differing(measuresOf(run, answer)).filter(({ name }) => name !== 'Decisions')
  if (found.length === 0)
    return `Decisions differ from number ${formatStep(answer.differsFrom)} on, but switch, rate and end are the same.`
  const words = found.map(({ name, real, whatIf }) => `${name.toLowerCase()} ${real} → ${whatIf}`)
  return `Differs at: ${words.join('; ')}.`
}

export const foldedWords = ({ observations, commandsLeftOut }: WhatIfAnswer): string => {
  const left =
    commandsLeftOut === 0
      ? ''
      : ` ${formatPlural(commandsLeftOut, 'command')} left out, as this sets the same.`
  return `${formatPlural(observations, 'observation')} folded again.${left}`
}
