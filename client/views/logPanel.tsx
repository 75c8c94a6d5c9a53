// All decisions, newest first, or those of one kind; holds in a row are folded into one line that opens.

import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import { type Decision, type DecisionKind, decisionKinds } from '../../protocol/vocabulary.ts'
import { glyphOf, holdGlyph } from '../charts/markers.ts'
import { GlyphPicture } from '../charts/smallPictures.tsx'
import { changeRunAddress } from '../state/address.ts'
import { choose } from './choosing.ts'
import { Sentence } from './sentence.tsx'
import { decisionTitle, kindTitle } from './words.ts'
import '../style/code.css'

export type LogEntry =
  | { readonly kind: 'one'; readonly decision: Decision }
  | { readonly kind: 'holds'; readonly decisions: readonly Decision[] }

/** Newest first; two or more holds in a row become one entry. */
export function foldHolds(decisions: readonly Decision[]): LogEntry[] {
  const entries: LogEntry[] = []
  let holds: Decision[] = []
  const flush = () => {
    if (holds.length === 1) entries.push({ kind: 'one', decision: holds[0]! })
    else if (holds.length > 1) entries.push({ kind: 'holds', decisions: holds })
    holds = []
  }
  for (const decision of [...decisions].reverse()) {
    if (decision.kind === 'hold') holds.push(decision)
    else {
      flush()
      entries.push({ kind: 'one', decision })
    }
  }
  flush()
  return entries
}

type LogProps = {
  readonly decisions: readonly Decision[]
  readonly shown: Decision | null
  /** The one kind that is shown; null = all. */
  readonly kind: DecisionKind | null
}

export function LogPanel(props: LogProps) {
  const { shown, kind } = props
  const decisions = kind === null ? props.decisions : props.decisions.filter((one) => one.kind === kind)
  return (
    <div class="panel log">
      <h2>
        {kind === null
          ? formatPlural(decisions.length, 'decision')
          : `${formatStep(decisions.length)} of ${formatPlural(props.decisions.length, 'decision')}`}
      </h2>
      <KindFilter decisions={props.decisions} kind={kind} />
      <ol>
        {foldHolds(decisions).map((entry) =>
          entry.kind === 'one' ? (
            <Entry key={entry.decision.number} decision={entry.decision} shown={shown} />
          ) : (
            <li key={`holds-${entry.decisions.at(-1)!.number}`}>
              <details>
                <summary>
                  <GlyphPicture glyph={holdGlyph} />
                  {formatPlural(entry.decisions.length, 'hold')}, steps{' '}
                  {formatStep(entry.decisions.at(-1)!.step)} to {formatStep(entry.decisions[0]!.step)}
                </summary>
                <ol>
                  {entry.decisions.map((decision) => (
                    <Entry key={decision.number} decision={decision} shown={shown} />
                  ))}
                </ol>
              </details>
            </li>
          ),
        )}
      </ol>
    </div>
  )
}

function KindFilter(props: Pick<LogProps, 'decisions' | 'kind'>) {
  const { decisions, kind } = props
  const countOf = (one: DecisionKind) => decisions.filter((decision) => decision.kind === one).length
  const listed = decisionKinds.filter((one) => one === kind || countOf(one) > 0)
  return (
    <p class="form-field">
      <label class="visually-hidden" for="log-kind">
        Kind of decision
      </label>
      <select
        id="log-kind"
        value={kind ?? ''}
        onChange={(event) => {
          const next = decisionKinds.find((one) => one === event.currentTarget.value) ?? null
          changeRunAddress({ kind: next }, 'replace')
        }}
      >
        <option value="">All kinds</option>
        {listed.map((one) => (
          <option key={one} value={one}>
            {kindTitle[one]}, {formatStep(countOf(one))}
          </option>
        ))}
      </select>
    </p>
  )
}

function Entry(props: { decision: Decision; shown: Decision | null }) {
  const { decision, shown } = props
  return (
    <li>
      <button
        type="button"
        class="log-entry"
        aria-current={shown?.number === decision.number ? 'true' : undefined}
        onClick={() => choose(decision.number)}
      >
        <GlyphPicture glyph={glyphOf(decision)} />
        <span>
          <b>{decisionTitle(decision)}</b>
          <span class="log-words">
            <Sentence text={decision.summary} />
          </span>
        </span>
      </button>
    </li>
  )
}
