// When other rules would switch, on the run's axis, with this run's own row and what each would have cost. On a press they are
// drawn as ghost curves over the chart of the rate, for as long as this part is in view.

import { signal } from '@preact/signals'
import { formatNumber, formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { annealFrom, type OtherRule, otherRulesOf } from '../charts/otherRules.ts'
import { firstStepOf, lastStepOf } from '../charts/phases.ts'
import { type GhostCurve, useOtherGhosts } from '../state/ghost.ts'
import '../style/otherRules.css'

/** Whether the curves are drawn; it stays from decision to decision. */
const areDrawn = signal(false)

/** "+0.012": what is more, or less, at the end. Two digits: it is a forecast less another. */
export function costWords(cost: number | null): string {
  if (cost === null) return ''
  const amount = Number(Math.abs(cost).toPrecision(2))
  return amount === 0 ? '0' : `${cost > 0 ? '+' : '−'}${formatNumber(amount)}`
}

/** The curves over the chart of the rate, each with its name and cost. */
export const curvesOf = (run: RunSummary, rules: readonly OtherRule[]): GhostCurve[] =>
  rules.flatMap(({ name, step, cost }) => {
    const segments = step === null ? null : annealFrom(run, step)
    return segments === null ? [] : [{ name, cost: costWords(cost), segments }]
  })

export function OtherRulesPart(props: {
  run: RunSummary
  decisions: readonly Decision[]
  decision: Decision
}) {
  const { run, decision } = props
  const { own, rules, expected } = otherRulesOf(run, props.decisions, decision)
  const curves = curvesOf(run, rules)
  const isOver = decision.phase.to === 'done'
  useOtherGhosts(areDrawn.value ? curves : [])
  return (
    <section class="part">
      <div class="rules-head">
        <h3>When other rules would switch</h3>
        {curves.length > 0 && (
          <button
            type="button"
            class="link"
            aria-pressed={areDrawn.value}
            onClick={() => {
              areDrawn.value = !areDrawn.value
            }}
          >
            {areDrawn.value ? 'Hide curves' : 'Draw curves'}
          </button>
        )}
      </div>
      <ul class={`strip ${expected === null ? 'strip-plain' : ''}`}>
        <li class="strip-head">
          <span>rule</span>
          <span />
          <span>step</span>
          <span>{expected === null ? '' : 'costs'}</span>
        </li>
        <Row rule={own} run={run} nowStep={decision.step} isOver={isOver} isOwn />
        {rules.map((rule) => (
          <Row key={rule.name} rule={rule} run={run} nowStep={decision.step} isOver={isOver} />
        ))}
        <li class="strip-axis" aria-hidden="true">
          <span />
          <span>
            <span>{formatStep(firstStepOf(run))}</span>
            <span>{formatStep(lastStepOf(run))}</span>
          </span>
        </li>
      </ul>
      <p class="chance">
        {expected === null
          ? 'Each at the step at which it first lowers the rate.'
          : `Costs: final loss expected of an anneal from there, beside ${formatNumber(expected.loss)} of this run’s plan, as known at step ${formatStep(expected.step)}.`}
      </p>
    </section>
  )
}

/** Where a run ended before a rule was due, the rule's step is told all the same. */
const stepWords = ({ step }: OtherRule, isOver: boolean): string =>
  step === null ? (isOver ? 'never' : 'not yet') : formatStep(step)

function Row(props: { rule: OtherRule; run: RunSummary; nowStep: number; isOver: boolean; isOwn?: boolean }) {
  const { rule, run, nowStep, isOver } = props
  const first = firstStepOf(run)
  const last = lastStepOf(run)
  const span = last - first
  const at = (step: number) => `${Math.min(98, Math.max(2, (100 * (step - first)) / span))}%`
  return (
    <li class={props.isOwn ? 'strip-own' : ''}>
      <span>{rule.name}</span>
      <svg width="100%" height="20" aria-hidden="true">
        <line class="ground" x1="0" x2="100%" y1="10" y2="10" />
        <line class="now-line" x1={at(nowStep)} x2={at(nowStep)} y1="0" y2="20" />
        {rule.step !== null && rule.step <= last && (
          <circle class={rule.isAhead ? 'ahead' : ''} cx={at(rule.step)} cy="10" r="4" />
        )}
      </svg>
      <b>{stepWords(rule, isOver)}</b>
      <span>{costWords(rule.cost)}</span>
    </li>
  )
}
