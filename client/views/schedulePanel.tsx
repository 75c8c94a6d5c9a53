// The schedule that was applied and is planned, as code for a framework or as data: to read, to copy, to keep as a file.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatStep } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { fetchSchedule, scheduleUrl } from '../connection/api.ts'
import { changeRunAddress, type ScheduleFormat, scheduleFormats } from '../state/address.ts'
import { CodeBlock } from './codeBlock.tsx'
import { hasEnded } from './control/possible.ts'
import { Failure } from './failure.tsx'
import { formatTitle } from './words.ts'

const isCode = (format: ScheduleFormat): boolean => format !== 'json' && format !== 'csv'

/** A file name that a Python import takes, of any run's id. */
export function fileName(runId: string, format: ScheduleFormat): string {
  if (!isCode(format)) return `${runId}-schedule.${format}`
  return `schedule_${runId.replace(/\W+/g, '_')}.py`
}

/** How many lines of the text are shown; the file has them all. */
const linesShown = 400

export function SchedulePanel(props: { run: RunSummary; format: ScheduleFormat }) {
  const { run, format } = props
  const text = useSignal<string | null>(null)
  const failure = useSignal<string | null>(null)
  const asked = useSignal(0)
  // Not anew with every report: the text is what it was when it was opened, and says of which step it is.
  const shownStep = useSignal(run.step)
  useEffect(() => {
    let gone = false
    text.value = null
    failure.value = null
    void fetchSchedule(run.id, format).then((answer) => {
      if (gone) return
      if (answer.ok) text.value = format === 'json' ? pretty(answer.value) : answer.value
      else failure.value = answer.problem.detail
      shownStep.value = run.step
    })
    return () => {
      gone = true
    }
  }, [run.id, format, asked.value])
  return (
    <div class="panel schedule">
      <h2>Schedule</h2>
      <p class="why">
        {hasEnded(run)
          ? `The rates that were applied, to step ${formatStep(shownStep.value)}.`
          : `Applied to step ${formatStep(shownStep.value)}, planned after.`}{' '}
        {!hasEnded(run) && run.step > shownStep.value && (
          <button type="button" class="link" onClick={() => (asked.value += 1)}>
            Ask again at step {formatStep(run.step)}
          </button>
        )}
      </p>
      <p class="form-field">
        <label for="schedule-format">
          As
          <small>{isCode(format) ? 'a file to import, as it is' : 'data'}</small>
        </label>
        <select
          id="schedule-format"
          value={format}
          onChange={(event) => {
            const next = scheduleFormats.find((name) => name === event.currentTarget.value)
            if (next !== undefined) changeRunAddress({ format: next }, 'replace')
          }}
        >
          {scheduleFormats.map((name) => (
            <option key={name} value={name}>
              {formatTitle[name]}
            </option>
          ))}
        </select>
      </p>
      {failure.value !== null ? (
        <Failure words={failure.value} />
      ) : text.value === null ? (
        <p class="sub">Making it…</p>
      ) : (
        <CodeBlock
          text={text.value}
          name={fileName(run.id, format)}
          href={scheduleUrl(run.id, format)}
          linesMax={linesShown}
        />
      )}
    </div>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
