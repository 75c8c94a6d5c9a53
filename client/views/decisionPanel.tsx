// One decision with everything it rests on, in fixed order: test, why (not yet), final loss by alternative,
// when other rules would switch, evidence, links. What a decision does not have is left out.

import { useSignal } from '@preact/signals'
import type { Decision, DecisionTest, RunSummary } from '../../protocol/vocabulary.ts'
import { CounterfactualStrip, EvidenceBar } from '../charts/smallPictures.tsx'
import { decisionUrl } from '../connection/api.ts'
import { nowMs } from '../state/clock.ts'
import { ApprovalForm } from './approvalForm.tsx'
import { choose, neighbourOf } from './choosing.ts'
import { copyText } from './copy.ts'
import {
  formatAgo,
  formatChance,
  formatCount,
  formatMeasured,
  formatNumber,
  formatPlural,
  standardErrorsIn95,
} from './format.ts'
import { Icon } from './icons.tsx'
import { Sentence } from './sentence.tsx'
import { alternativeWords, decisionTitle, signalWords, testWords } from './words.ts'

type PanelProps = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly decision: Decision | null
  readonly live: boolean
}

export function DecisionPanel(props: PanelProps) {
  const { run, decision } = props
  if (decision === null && run.decisionCount > 0)
    return (
      <div class="panel">
        <h2>Loading…</h2>
      </div>
    )
  if (decision === null)
    return (
      <div class="panel">
        <h2>No decision yet</h2>
        <p class="why">The first one is made when the run reports its first steps.</p>
      </div>
    )
  return (
    <div class="panel">
      <PanelHead {...props} decision={decision} />
      <p class="why summary">
        <Sentence text={decision.summary} />
      </p>
      {decision.test !== undefined && <TestBars test={decision.test} />}
      {decision.number === run.awaitingDecision && <ApprovalForm runId={run.id} number={decision.number} />}
      {decision.whyNotYet !== undefined && decision.whyNotYet !== '' && (
        <section class="part">
          <h3>Why not yet</h3>
          <p class="why">
            <Sentence text={decision.whyNotYet} />
          </p>
        </section>
      )}
      <Alternatives decision={decision} />
      {decision.counterfactuals.length > 0 && (
        <section class="part">
          <h3>When other rules would switch</h3>
          <CounterfactualStrip rows={decision.counterfactuals} run={run} nowStep={decision.step} />
        </section>
      )}
      <EvidenceTable decision={decision} />
      <PanelFoot decision={decision} />
    </div>
  )
}

function PanelHead(props: PanelProps & { decision: Decision }) {
  const { decisions, decision } = props
  const latest = decisions.at(-1)?.number === decision.number
  const step = (direction: 1 | -1, label: string) => {
    const next = neighbourOf(decisions, decision, direction, true)
    return (
      <button
        type="button"
        class="icon-button small"
        aria-label={label}
        title={label}
        disabled={next === undefined}
        onClick={() => next !== undefined && choose(next.number)}
      >
        <Icon name={direction > 0 ? 'right' : 'left'} size={16} />
      </button>
    )
  }
  const words = [
    `Decision ${formatCount(decision.number)}`,
    decision.status.replace('-', ' '),
    formatAgo(decision.madeAt, nowMs.value),
  ]
  return (
    <>
      <div class="panel-head">
        <h2>{decisionTitle(decision)}</h2>
        <span class="space" />
        {step(-1, 'Previous decision')}
        {step(1, 'Next decision')}
      </div>
      <p class="sub">
        {words.join(', ')}.{latest ? ' Latest.' : ''}
      </p>
    </>
  )
}

/** The sides' words: what staying gains stands left in the rule, what annealing gains right. */
function TestBars(props: { test: DecisionTest }) {
  const { key, left, right, probability } = props.test
  const words = testWords(key)
  const reach = (side: DecisionTest['left']) => side.value + standardErrorsIn95 * (side.standardError ?? 0)
  const most = Math.max(reach(left), reach(right), Number.MIN_VALUE) * 1.06
  return (
    <div class="test">
      {(
        [
          ['large', left, words[0]],
          ['anneal', right, words[1]],
        ] as const
      ).map(([color, side, name]) => {
        const { value, plusMinus } = formatMeasured(side.value, side.standardError)
        return (
          <div key={color} class="side-of-test">
            <span>{name}</span>
            <span class="measured">
              <b>{value}</b>
              {plusMinus !== null && ` ± ${plusMinus}`}
            </span>
            <EvidenceBar value={side.value} standardError={side.standardError} most={most} color={color} />
          </div>
        )
      })}
      <RuleSquares test={props.test} />
      {probability !== null && (
        <p class="chance">Chance that the rule holds here: {formatChance(probability)}.</p>
      )}
    </div>
  )
}

function RuleSquares(props: { test: DecisionTest }) {
  const { met, of } = props.test.hits
  return (
    <p class="rule">
      <span class="squares" aria-hidden="true">
        {Array.from({ length: of }, (_, i) => (
          <i key={i} class={i >= of - met ? 'met' : ''} />
        ))}
      </span>
      Rule met at {met} of the last {formatPlural(of, 'probe')}.
    </p>
  )
}

function Alternatives(props: { decision: Decision }) {
  const { alternatives } = props.decision
  if (alternatives.length === 0) return null
  return (
    <section class="part">
      <h3>Final loss if…</h3>
      <table class="figures">
        <tbody>
          {alternatives.map((alternative) => {
            const { finalLoss, standardError } = alternative
            const name = alternativeWords(alternative)
            const { value, plusMinus } = formatMeasured(finalLoss, standardError)
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <b>{value}</b>
                </td>
                <td>{plusMinus === null ? '' : `± ${plusMinus}`}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function EvidenceTable(props: { decision: Decision }) {
  const { evidence } = props.decision
  if (evidence.length === 0) return null
  return (
    <details class="part evidence">
      <summary>
        <h3>Evidence</h3>
        <span>{formatPlural(evidence.length, 'signal')}</span>
      </summary>
      <table class="figures">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Signal and source</th>
            <th scope="col">Value and unit</th>
            <th scope="col">95 % and count</th>
          </tr>
        </thead>
        <tbody>
          {evidence.map((entry) => {
            const { value, plusMinus } = formatMeasured(entry.value, entry.standardError)
            return (
              <tr key={`${entry.signal} ${entry.source}`}>
                <th scope="row">
                  {signalWords(entry.signal)}
                  <small>{entry.source}</small>
                </th>
                <td>
                  <b>{value}</b>
                  {entry.unit !== '' && entry.unit !== '1' && <small>{entry.unit}</small>}
                </td>
                <td>
                  {plusMinus === null ? '' : `± ${plusMinus}`}
                  <small>n = {formatNumber(entry.count)}</small>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </details>
  )
}

function PanelFoot(props: { decision: Decision }) {
  const { decision } = props
  const copied = useSignal('')
  const copy = async () => {
    const here = new URL(location.href)
    here.searchParams.set('decision', String(decision.number))
    copied.value = (await copyText(here.href)) ? 'Copied.' : 'Not allowed here.'
  }
  return (
    <div class="part foot">
      <span>
        ± is 95 %. Rule {decision.rule.id} {decision.rule.version}.
      </span>
      <span class="space" />
      <span role="status">{copied.value}</span>
      <button type="button" class="link" onClick={copy}>
        Copy link
      </button>
      <a class="link" href={decisionUrl(decision.runId, decision.number)} target="_blank" rel="noreferrer">
        JSON
      </a>
    </div>
  )
}
