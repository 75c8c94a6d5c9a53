// One decision with everything it rests on, in fixed order: test, why (not yet), final loss by alternative,
// when other rules would switch, evidence, links. What a decision does not have is left out.

import { useSignal } from '@preact/signals'
import { formatNumber, formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { Decision, Evidence, RunSummary } from '../../protocol/vocabulary.ts'
import { decisionUrl } from '../connection/api.ts'
import { nowMs } from '../state/clock.ts'
import { ApiLink } from './apiLink.tsx'
import { ApprovalForm } from './approvalForm.tsx'
import { choose, neighbourOf } from './choosing.ts'
import { copyText } from './copy.ts'
import { formatAgo, formatKnown, formatMeasured, formatRange } from './format.ts'
import { Icon } from './icons.tsx'
import { lazyView } from './lazyView.tsx'
import { Sentence } from './sentence.tsx'
import { TestBars } from './testBars.tsx'
import { alternativeWords, decisionTitle, evidenceWords, fateOf, fateWords, keyWords } from './words.ts'

const OtherRulesPart = lazyView(async () => (await import('./otherRules.tsx')).OtherRulesPart)
const RaceLanes = lazyView(async () => (await import('./raceLanes.tsx')).RaceLanes)

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
      <Race {...props} decision={decision} />
      {decision.number === run.awaitingDecision && (
        <ApprovalForm run={run} asked={decision} latest={newestForecast(props.decisions) ?? decision} />
      )}
      {decision.whyNotYet !== undefined && decision.whyNotYet !== '' && (
        <section class="part">
          <h3>Why not yet</h3>
          <p class="why">
            <Sentence text={decision.whyNotYet} />
          </p>
        </section>
      )}
      <Alternatives decision={decision} />
      <PromisedLoss decision={decision} />
      {decision.counterfactuals.length > 0 && (
        <OtherRulesPart run={run} decisions={props.decisions} decision={decision} />
      )}
      <EvidenceTable decision={decision} />
      <PanelFoot decision={decision} />
    </div>
  )
}

/** What a search has tried: that of the decision, or the one that still goes on. */
function Race({ decision, run, live }: PanelProps & { decision: Decision }) {
  const told = decision.evidence.filter(({ signal }) => signal === 'arm')
  const isNow = told.length === 0 && live
  const arms = isNow ? (run.race ?? []) : told
  if (arms.length === 0) return null
  return <RaceLanes arms={arms} optimum={decision.reason.values.optimum ?? null} isNow={isNow} />
}

/** The newest decision that says what an anneal from there would end at. */
const newestForecast = (decisions: readonly Decision[]): Decision | undefined =>
  decisions.findLast(({ alternatives }) => alternatives.some(({ kind }) => kind === 'now'))

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
  const fate = fateOf(decision, decisions)
  const words = [
    `Decision ${formatStep(decision.number)}`,
    // A question that has been answered since does not wait any more.
    fate === undefined ? keyWords(decision.status) : 'a question',
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
        {fate !== undefined && (
          <>
            {' '}
            {fateWords(fate)}{' '}
            <button type="button" class="link" onClick={() => choose(fate.number)}>
              decision {formatStep(fate.number)}
            </button>
          </>
        )}
      </p>
    </>
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
            const name = alternativeWords(alternative)
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <b>{formatNumber(alternative.finalLoss)}</b>
                </td>
                <td>{formatRange(alternative)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

/** What the anneal was to end at when it began, beside what came of it. */
function PromisedLoss(props: { decision: Decision }) {
  const { promised, reached, isInside } = props.decision
  if (promised == null) return null
  return (
    <section class="part">
      <h3>Final loss</h3>
      <table class="figures">
        <tbody>
          <tr>
            <th scope="row">promised when the anneal began</th>
            <td>
              <b>{formatNumber(promised.value)}</b>
            </td>
            <td>{formatRange(promised)}</td>
          </tr>
          {reached !== undefined && (
            <tr>
              <th scope="row">reached</th>
              <td>
                <b>{formatKnown(reached)}</b>
              </td>
              <td>{isInside === undefined ? '' : isInside ? 'as promised' : 'outside of it'}</td>
            </tr>
          )}
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
          {evidence.map((entry, i) => (
            <EvidenceRow key={i} entry={entry} />
          ))}
        </tbody>
      </table>
    </details>
  )
}

function EvidenceRow(props: { entry: Evidence }) {
  const { value, standardError, unit, count } = props.entry
  const { name, source, format } = evidenceWords(props.entry)
  const words = formatMeasured(value, standardError, format)
  return (
    <tr>
      <th scope="row">
        {name}
        <small>{source}</small>
      </th>
      <td>
        <b>{words.value}</b>
        {unit !== '' && unit !== '1' && <small>{unit}</small>}
      </td>
      <td>
        {words.plusMinus === null ? '' : `± ${words.plusMinus}`}
        <small>n = {formatStep(count)}</small>
      </td>
    </tr>
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
        ± is 95 %. Rule {keyWords(decision.rule.id)} {decision.rule.version}.
      </span>
      <span class="space" />
      <span role="status">{copied.value}</span>
      <button type="button" class="link" onClick={copy}>
        Copy link
      </button>
      <ApiLink
        class="link"
        href={decisionUrl(decision.runId, decision.number)}
        target="_blank"
        name={`${decision.runId}-${decision.number}.json`}
      >
        JSON
      </ApiLink>
    </div>
  )
}
