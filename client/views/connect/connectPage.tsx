// How to connect a job, by framework: what to install, a whole example that runs as it stands with the lines that are
// Twostep's marked, and whether anything has been heard yet.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { fetchNewestRun } from '../../connection/api.ts'
import { basePath, serverUrl } from '../../connection/base.ts'
import {
  address,
  type ConnectFramework,
  formatAddress,
  frameworks,
  goTo,
  runAddress,
} from '../../state/address.ts'
import { CodeBlock } from '../codeBlock.tsx'
import { keyListOpen } from '../keyList.tsx'
import { useKeys } from '../keys.ts'
import { Tabs } from '../tabs.tsx'
import { examples, isOurs } from './examples.ts'
import '../../style/connect.css'

const defaultUrl = 'http://127.0.0.1:7317'

export function ConnectPage() {
  const now = address.value
  const isStart = now.page === 'start'
  const ownFramework = useSignal<ConnectFramework>('pytorch')
  const framework = isStart ? now.framework : ownFramework.value
  const choose = (next: ConnectFramework) => {
    if (isStart) goTo({ page: 'start', framework: next }, 'replace')
    else ownFramework.value = next
  }
  useKeys({
    '?': () => {
      keyListOpen.value = true
    },
  })
  const { install, file } = examples[framework]
  return (
    <main class="page">
      <section class="card connect">
        <h1>{isStart ? 'Connect a job' : 'No runs yet'}</h1>
        <p>
          Report steps from your training loop; it never waits for this page. The answer holds the learning
          rate ahead.
        </p>
        <Heard />
        <Tabs
          label="Framework"
          idOf={(name, part) => `${part}-${name}`}
          tabs={frameworks.map((name) => [name, examples[name].title] as const)}
          chosen={framework}
          choose={choose}
        />
        <div role="tabpanel" id={`panel-${framework}`} aria-labelledby={`tab-${framework}`}>
          {install !== null && (
            <>
              <h2>In a clone of the repository</h2>
              <CodeBlock text={commands(install, file)} />
              <h2>{file}</h2>
              <p class="sub">
                A whole program that runs as it stands. The marked lines are Twostep’s; the rest is a training
                loop like yours.
              </p>
            </>
          )}
          {install === null && <h2>Two calls</h2>}
          <ExampleText key={framework} framework={framework} />
        </div>
        <h2>No job at hand?</h2>
        <p>
          Run <code class="mono">npx twostep demo</code>: a real training run on MNIST, steered while you
          watch.
        </p>
      </section>
    </main>
  )
}

function ExampleText(props: { framework: ConnectFramework }) {
  const { install, file, text } = examples[props.framework]
  const shown = useSignal<string | null>(null)
  const failed = useSignal(false)
  useEffect(() => {
    text(serverUrl()).then(
      (words) => {
        shown.value = words
      },
      () => {
        failed.value = true
      },
    )
  }, [text, shown, failed])
  if (failed.value) return <p role="alert">The example could not be loaded; it is python/examples/{file}.</p>
  if (shown.value === null) return <p class="sub">Loading…</p>
  return <CodeBlock text={shown.value} {...(install === null ? {} : { marks: isOurs })} />
}

/** What is typed; where the server is elsewhere than jobs look for it, with its address. */
function commands(install: string, file: string): string {
  const url = serverUrl()
  const where = url === defaultUrl ? '' : `TWOSTEP_SERVER_URL=${url} `
  return `${install}\n${where}python python/examples/${file}`
}

/** How often the newest run is asked for until there is one, in milliseconds. */
const askMs = 2_000

/** Whether the newest run has reported since. */
const isHeard = (before: RunSummary | null, run: RunSummary | null): boolean =>
  run !== null && run.step > (before?.id === run.id ? before.step : 0)

/** The first run that is made, or heard of, since the page was opened. */
function Heard() {
  const found = useSignal<RunSummary | null>(null)
  useEffect(() => {
    // What there was at first: clocks of two machines may differ, so nothing is told by times.
    let known: RunSummary | null | undefined
    const ask = () => {
      if (document.hidden) return
      void fetchNewestRun().then((answer) => {
        if (!answer.ok) return
        const isNews = known !== undefined && isHeard(known, answer.value)
        known ??= answer.value
        if (!isNews) return
        found.value = answer.value
        clearInterval(timer)
      })
    }
    const timer = setInterval(ask, askMs)
    ask()
    return () => clearInterval(timer)
  }, [found])
  const run = found.value
  return (
    <p class={`waiting-line ${run === null ? '' : 'waiting-over'}`} role="status">
      <i aria-hidden="true" />
      {run === null ? (
        `Waiting for the first telemetry at ${location.host}${basePath}…`
      ) : (
        <>
          First telemetry from {run.options.name}.{' '}
          <a class="button button-primary" href={formatAddress(runAddress(run.id))}>
            Open
          </a>
        </>
      )}
    </p>
  )
}
