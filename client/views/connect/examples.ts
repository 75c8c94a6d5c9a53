// The examples of the connect page: the repository's own, which are tested against a server. Each is a file beside the page,
// and is loaded when its framework is chosen.

import huggingface from '../../../python/examples/huggingface.py?url'
import keras from '../../../python/examples/keras_fit.py?url'
import lightning from '../../../python/examples/lightning_module.py?url'
import pytorch from '../../../python/examples/pytorch_loop.py?url'
import type { ConnectFramework } from '../../state/address.ts'

export type Example = {
  readonly title: string
  /** What is typed before it; null = nothing. */
  readonly install: string | null
  /** The name of the file. */
  readonly file: string
  readonly text: (url: string) => Promise<string>
}

async function loaded(url: string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.text()
}

/** Two calls of the HTTP API: make a run, then report one batch of steps to it. */
export function curlExample(url: string): string {
  return [
    `curl ${url}/api/v1/runs -H 'content-type: application/json' \\`,
    `  -d '{"runId": "my-run", "resume": "allow", "budgetSteps": 6000}'`,
    `curl ${url}/api/v1/runs/my-run/telemetry -H 'content-type: application/json' \\`,
    `  -d '{"clientId": "job", "sequence": 1, "steps": {"step": [0, 1], "loss": [2.3, 2.2]}}'`,
  ].join('\n')
}

export const examples: Readonly<Record<ConnectFramework, Example>> = {
  pytorch: {
    title: 'PyTorch',
    install: "pip install './python[torch]'",
    file: 'pytorch_loop.py',
    text: () => loaded(pytorch),
  },
  huggingface: {
    title: 'Hugging Face',
    install: "pip install './python[huggingface]'",
    file: 'huggingface.py',
    text: () => loaded(huggingface),
  },
  keras: {
    title: 'Keras',
    install: "pip install './python[keras]' torch   # or jax, or tensorflow",
    file: 'keras_fit.py',
    text: () => loaded(keras),
  },
  lightning: {
    title: 'Lightning',
    install: "pip install './python[lightning]'",
    file: 'lightning_module.py',
    text: () => loaded(lightning),
  },
  curl: { title: 'curl', install: null, file: 'job.sh', text: async (url) => curlExample(url) },
}

/** Whether a line of an example is there for Twostep: by its name, or a call of its run. */
export const isOurs = (line: string): boolean =>
  !/^\s*("""|#)/.test(line) && /twostep|\brun\.(watch|step|finish|finished)\b/i.test(line)
