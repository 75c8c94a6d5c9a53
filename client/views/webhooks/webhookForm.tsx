// A new webhook: where it leads, what it hears of, for which project, in which shape.

import { useSignal } from '@preact/signals'
import {
  type WebhookEvent,
  type WebhookShape,
  webhookEvents,
  webhookShapes,
} from '../../../protocol/vocabulary.ts'
import { sendWebhook } from '../../connection/api.ts'
import { Failure } from '../failure.tsx'
import { TextField } from '../formParts.tsx'
import { eventWords, shapeWords } from './eventWords.ts'
import type { MadeWebhook } from './webhooksPage.tsx'

export function WebhookForm(props: { done: (made: MadeWebhook) => void }) {
  const url = useSignal('')
  const project = useSignal('')
  const heard = useSignal<readonly WebhookEvent[]>(['waiting', 'diverged', 'finished'])
  const shape = useSignal<WebhookShape>('generic')
  const failure = useSignal<string | null>(null)
  const busy = useSignal(false)
  const toggle = (event: WebhookEvent, on: boolean) => {
    heard.value = webhookEvents.filter((one) => (one === event ? on : heard.value.includes(one)))
  }
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
      <fieldset>
        <legend>Hears of</legend>
        {webhookEvents.map((event) => (
          <label key={event}>
            <input
              type="checkbox"
              checked={heard.value.includes(event)}
              onChange={(change) => toggle(event, change.currentTarget.checked)}
            />
            {eventWords[event]}
          </label>
        ))}
      </fieldset>
      <TextField
        label="Project"
        hint="empty: all of them"
        value={project.value}
        change={(text) => (project.value = text)}
      />
      <p class="form-field">
        <label for="webhook-shape">As</label>
        <select
          id="webhook-shape"
          value={shape.value}
          onChange={(event) => (shape.value = event.currentTarget.value as WebhookShape)}
        >
          {webhookShapes.map((name) => (
            <option key={name} value={name}>
              {shapeWords[name]}
            </option>
          ))}
        </select>
      </p>
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
