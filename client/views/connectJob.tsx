// What "/" shows while there is no run: how to make one, with calls that work as they stand, and that the page
// waits. It turns into the list by itself with the first run.

import { useSignal } from '@preact/signals'
import { copyText } from './copy.ts'

/** Two calls of the HTTP API: make a run, then report one batch of steps to it. */
export function curlExample(origin: string): string {
  return [
    `curl ${origin}/api/v1/runs -H 'content-type: application/json' \\`,
    `  -d '{"runId": "my-run", "resume": "allow", "budgetSteps": 6000}'`,
    `curl ${origin}/api/v1/runs/my-run/telemetry -H 'content-type: application/json' \\`,
    `  -d '{"clientId": "job", "sequence": 1, "steps": {"step": [0, 1], "loss": [2.3, 2.2]}}'`,
  ].join('\n')
}

export function ConnectJob() {
  const copied = useSignal<string | null>(null)
  const example = curlExample(location.origin)
  return (
    <main class="page">
      <section class="card connect">
        <h1>No runs yet</h1>
        <p>
          Report steps from your training loop; it never waits for this page. The answer holds the learning
          rate ahead.
        </p>
        <h2>With curl</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: on a narrow screen it scrolls, and must be reachable by keyboard. */}
        <pre class="code" tabIndex={0}>
          <code>{example}</code>
        </pre>
        <p class="row-of">
          <button
            type="button"
            class="button button-primary"
            onClick={async () => {
              copied.value = (await copyText(example))
                ? 'Copied.'
                : 'Copying is not allowed here; select the text instead.'
            }}
          >
            Copy
          </button>
          <span role="status">{copied.value}</span>
        </p>
        <h2>No job at hand?</h2>
        <p>
          Run <code class="mono">npx twostep demo</code>: a real training run on MNIST, steered while you
          watch.
        </p>
        <p class="waiting-line">
          <i aria-hidden="true" />
          Waiting for the first telemetry at {location.host}…
        </p>
      </section>
    </main>
  )
}
