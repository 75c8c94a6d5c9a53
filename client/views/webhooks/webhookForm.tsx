// A new webhook: where it leads, what it hears of, for which project, in which shape.

import { useSignal } from '@preact/signals'
import {
  type WebhookEvent,
  type WebhookShape,
  webhookEvents,
  webhookShapes,
} from '../../../protocol/vocabulary.ts'
import { sendWebhook } from '../../connection/api.ts'
import type { Made } from '../access/secret.tsx'
import { Failure } from '../failure.tsx'
import { CheckList, SelectField, TextField } from '../formParts.tsx'
import { eventWords, shapeWords } from './eventWords.ts'

export function WebhookForm(props: { done: (made: Made) => void }) {
  const url = useSignal('')
  const project = useSignal('')
  const heard = useSignal<readonly WebhookEvent[]>(['waiting', 'diverged', 'finished'])
  const shape = useSignal<WebhookShape>('generic')
  const failure = useSignal<string | null>(null)
  const busy = useSignal(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    busy.value = true
    const answer = await sendWebhook({
      url: url.value.trim(),
      events: heard.value,
      project: project.value.trim() === '' ? null : project.value.trim(),
      shape: shape.value,
    })
    busy.value = false
    failure.value = answer.ok ? null : answer.problem.detail
    if (!answer.ok) return
    props.done({ name: answer.value.webhook.url, secret: answer.value.secret })
    url.value = ''
  }
  return (
    <form class="form token-form" onSubmit={submit} noValidate>
      <h3>A new webhook</h3>
      <TextField label="Address" hint="https://…" value={url.value} change={(text) => (url.value = text)} />
      <CheckList
        legend="Hears of"
        items={webhookEvents}
        words={eventWords}
        chosen={heard.value}
        change={(events) => (heard.value = events)}
      />
      <TextField
        label="Project"
        hint="empty: all of them"
        value={project.value}
        change={(text) => (project.value = text)}
      />
      <SelectField
        id="webhook-shape"
        label="As"
        items={webhookShapes.map((name) => [name, shapeWords[name]] as const)}
        value={shape.value}
        change={(name) => (shape.value = name)}
      />
      <p class="row-of">
        <button
          type="submit"
          class="button"
          disabled={busy.value || url.value.trim() === '' || heard.value.length === 0}
        >
          Make the webhook
        </button>
      </p>
      <Failure words={failure.value} />
    </form>
  )
}
