// "What did it know at step 600?": a slider over the run's steps. At a step the panel shows the decision that was in force
// then, the chart its plan as a ghost, and, asked for, what the run would have said of itself then: the server folds the log
// up to there.

import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary, WhatIfAnswer } from '../../protocol/vocabulary.ts'
import { firstStepOf } from '../charts/phases.ts'
import { changeRunAddress } from '../state/address.ts'
import { useGhost } from '../state/ghost.ts'
import { Sentence } from './sentence.tsx'
import { useWhatIf } from './whatIf/asking.ts'
import '../style/timeSlider.css'

/** Changes of the address in a second, at most: browsers refuse many more. */
const changesPerSecond = 4

type SliderProps = {
  readonly run: RunSummary
  /** The step that is looked at; null = the present one. */
  readonly step: number | null
  readonly decision: Decision | null
}

export function TimeSlider(props: SliderProps) {
  const { run, decision } = props
  const first = firstStepOf(run)
  const step = props.step === null ? run.step : Math.min(Math.max(props.step, first), run.step)
  const shown = useSignal(step)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const isThen = props.step !== null
  useEffect(() => {
    if (timer.current === undefined) shown.value = step
  }, [step, shown])
  useEffect(() => () => clearTimeout(timer.current), [])
  useGhost(isThen && decision !== null ? decision.plan.segments : null)
  const go = (next: number) => {
    shown.value = next
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      const at = shown.peek()
      changeRunAddress({ step: at >= run.step ? null : at, decision: null }, 'replace')
    }, 1000 / changesPerSecond)
  }
  const asking = useWhatIf(run.id, isThen ? { untilStep: step } : null).value
  const answer = asking.kind === 'answered' ? asking.answer : asking.kind === 'asking' ? asking.before : null
  return (
    <div class="time">
      <p class="time-row">
        <label for="time-step">{isThen ? 'Known at step' : 'Known now, at step'}</label>
        <output for="time-step">{formatStep(shown.value)}</output>
        <input
          id="time-step"
          type="range"
          min={first}
          max={Math.max(run.step, first + 1)}
          step={1}
          value={shown.value}
          aria-valuetext={`step ${formatStep(shown.value)}`}
          onInput={(event) => go(event.currentTarget.valueAsNumber)}
        />
      </p>
      {isThen && <Then step={step} answer={answer} failed={asking.kind === 'failed' ? asking.words : null} />}
    </div>
  )
}

function Then(props: { step: number; answer: WhatIfAnswer | null; failed: string | null }) {
  const { step, answer, failed } = props
  if (failed !== null) return <p class="sub">What it said then is not known: {failed}</p>
  if (answer === null) return <p class="sub">Folding the log up to step {formatStep(step)}…</p>
  const { run } = answer
  return (
    <>
      <p class="why then-words">
        <Sentence text={run.headline} />
      </p>
      <p class="sub">
        Folded up to step {formatStep(run.step)}: regime {run.regime.name}, decision{' '}
        {formatStep(answer.decisionCount.whatIf)} the newest.
        {answer.differsFrom === null
          ? ''
          : ` The present version of the rules decides otherwise from ${formatStep(answer.differsFrom)} on.`}
      </p>
    </>
  )
}
