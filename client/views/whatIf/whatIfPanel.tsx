// What the run would have been told under other settings: its own log, folded again by the server. The settings in force
// are marked; what differs is in the address, is asked after a moment of rest, and its plan lies over the rate as a ghost.

import { formatStep } from '../../../protocol/numbers.ts'
import type { RunSummary, WhatIfAnswer } from '../../../protocol/vocabulary.ts'
import { changeRunAddress } from '../../state/address.ts'
import { useGhost } from '../../state/ghost.ts'
import { checkWishes, type Wishes } from '../../state/wishes.ts'
import { Failure } from '../failure.tsx'
import { Sentence } from '../sentence.tsx'
import { type Asking, useWhatIf } from './asking.ts'
import { differing, foldedWords, headline, measuresOf, pairsThatDiffer } from './differences.ts'
import { WishFields } from './wishFields.tsx'
import '../../style/whatIf.css'

/** Pairs of decisions shown. */
const pairsShown = 6

export function WhatIfPanel(props: { run: RunSummary; wishes: Wishes }) {
  const { run, wishes } = props
  const { request, errors, sound } = checkWishes(wishes, run)
  const changed = Object.keys(request).length > 0
  const asking = useWhatIf(run.id, changed && sound ? request : null).value
  const answer = asking.kind === 'answered' ? asking.answer : asking.kind === 'asking' ? asking.before : null
  useGhost(answer === null ? null : answer.plan.whatIf.segments)
  return (
    <div class="panel form what-if">
      <h2>What if…</h2>
      <p class="why">
        The stored log, folded again by the server under other settings. Nothing changes in the run: what the
        job did stays what it did.
      </p>
      <WishFields run={run} wishes={wishes} errors={errors} />
      {changed && (
        <p class="row-of">
          <button type="button" class="link" onClick={() => changeRunAddress({ wishes: {} }, 'replace')}>
            All as in force
          </button>
        </p>
      )}
      <Result run={run} asking={asking} answer={answer} changed={changed} />
    </div>
  )
}

type ResultProps = {
  readonly run: RunSummary
  readonly asking: Asking
  readonly answer: WhatIfAnswer | null
  readonly changed: boolean
}

function Result(props: ResultProps) {
  const { run, asking, answer, changed } = props
  if (asking.kind === 'failed') return <Failure words={asking.words} />
  if (!changed) return <p class="part sub">Change a setting to see what would have been decided.</p>
  if (answer === null) return <p class="part sub">{asking.kind === 'asking' ? 'Folding the log…' : ''}</p>
  return (
    <section class="part" aria-busy={asking.kind === 'asking'}>
      <p class="differs" role="status">
        <Sentence text={headline(run, answer)} />
      </p>
      <Measures run={run} answer={answer} />
      <Pairs answer={answer} />
      <p class="sub">
        <span class="ghost-key" aria-hidden="true" /> Its plan lies over the learning rate.{' '}
        {foldedWords(answer)}
      </p>
    </section>
  )
}

function Measures(props: { run: RunSummary; answer: WhatIfAnswer }) {
  const found = differing(measuresOf(props.run, props.answer))
  if (found.length === 0) return null
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">What</span>
          </th>
          <th scope="col">as it is</th>
          <th scope="col">what if</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ name, real, whatIf }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{real}</td>
            <td>
              <b>{whatIf}</b>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Pairs(props: { answer: WhatIfAnswer }) {
  const pairs = pairsThatDiffer(props.answer, pairsShown)
  if (pairs.length === 0) return null
  return (
    <>
      <h3>First decisions that differ</h3>
      <ol class="pairs">
        {pairs.map(({ number, real, whatIf, words }) => (
          <li key={number}>
            <b>{formatStep(number)}</b>
            <span>
              {real} → <b>{whatIf}</b>
              {words !== '' && <small>{words}</small>}
            </span>
          </li>
        ))}
      </ol>
    </>
  )
}
