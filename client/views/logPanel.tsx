// All decisions, newest first; holds in a row are folded into one line that opens.

import { formatPlural, formatStep } from '../../protocol/numbers.ts'
import type { Decision } from '../../protocol/vocabulary.ts'
import { glyphOf, holdGlyph } from '../charts/markers.ts'
import { GlyphPicture } from '../charts/smallPictures.tsx'
import { choose } from './choosing.ts'
import { Sentence } from './sentence.tsx'
import { decisionTitle } from './words.ts'

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

export function LogPanel(props: { decisions: readonly Decision[]; shown: Decision | null }) {
  const { decisions, shown } = props
  return (
    <div class="panel log">
      <h2>{formatPlural(decisions.length, 'decision')}</h2>
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
