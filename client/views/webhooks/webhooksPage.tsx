// Webhooks of the server, for an admin: which there are, whether they are taken, made, tried and deleted.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Webhook } from '../../../protocol/vocabulary.ts'
import { fetchWebhooks, sendWebhookDelete, sendWebhookTest } from '../../connection/api.ts'
import { may } from '../../state/access.ts'
import { AskedAgain } from '../access/askedAgain.tsx'
import { NewSecret, useMade } from '../access/secret.tsx'
import { timeAgo } from '../access/times.ts'
import { Failure } from '../failure.tsx'
import { DeliveryLog } from './deliveryLog.tsx'
import { WebhookForm } from './webhookForm.tsx'
import '../../style/access.css'

export function WebhooksPage() {
  if (!may('admin')) return <p class="card">Webhooks are shown to the scope admin alone.</p>
  return <WebhookList />
}

function WebhookList() {
  const webhooks = useSignal<readonly Webhook[] | null>(null)
  const failure = useSignal<string | null>(null)
  const load = async () => {
    const answer = await fetchWebhooks()
    failure.value = answer.ok ? null : answer.problem.detail
    if (answer.ok) webhooks.value = answer.value.webhooks
  }
  useEffect(() => void load(), [])
  const { made, show } = useMade(load)
  const shown = webhooks.value
  return (
    <section class="card" aria-labelledby="all-webhooks">
      <h2 id="all-webhooks">Webhooks</h2>
      <p class="sub">Addresses that hear of what happens to runs, in signed messages.</p>
      <NewSecret made={made} note="receivers verify messages by it; it is not shown again." />
      <Failure words={failure.value} />
      {shown !== null && shown.length === 0 && <p>There are none.</p>}
      {shown?.map((webhook) => (
        <WebhookCard key={webhook.id} webhook={webhook} changed={load} />
      ))}
      <WebhookForm done={show} />
    </section>
  )
}

function stateWords({ state, failingSince, disabledAt }: Webhook): string {
  if (state === 'disabled')
    return `Switched off ${timeAgo(disabledAt!, Date.now())}, as nothing was taken. A test that is taken switches it on.`
  if (state === 'failing') return `Failing: nothing was taken since ${timeAgo(failingSince!, Date.now())}.`
  return ''
}

function WebhookCard(props: { webhook: Webhook; changed: () => Promise<void> }) {
  const { webhook, changed } = props
  const { id, url, events, project, shape, state } = webhook
  const told = useSignal('')
  const failure = useSignal<string | null>(null)
  const isAsked = useSignal(false)
  const isOpen = useSignal(false)
  const busy = useSignal(false)
  const test = async () => {
    busy.value = true
    told.value = ''
    const answer = await sendWebhookTest(id)
    busy.value = false
    failure.value = answer.ok ? (answer.value.taken ? null : answer.value.error) : answer.problem.detail
    if (answer.ok && answer.value.taken) told.value = `The test was taken (${answer.value.status}).`
    await changed()
  }
  const remove = async () => {
    const answer = await sendWebhookDelete(id)
    if (answer.ok) await changed()
    else failure.value = answer.problem.detail
  }
  return (
    <article class="webhook" aria-label={url}>
      <h3>{url}</h3>
      <p>
        {events.join(', ')}
        {project !== null && ` · ${project}`}
        {shape === 'slack' && ' · Slack'}
      </p>
      {state !== 'active' && (
        <p class="field-error" role="status">
          {stateWords(webhook)}
        </p>
      )}
      <p class="row-of">
        <button type="button" class="button" disabled={busy.value} onClick={test}>
          Send a test
        </button>
        <button
          type="button"
          class="button"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          Deliveries
        </button>
        {isAsked.value ? (
          <AskedAgain words="Delete it" keep={() => (isAsked.value = false)} sure={remove} />
        ) : (
          <button type="button" class="button" onClick={() => (isAsked.value = true)}>
            Delete…
          </button>
        )}
        <span role="status">{told.value}</span>
      </p>
      <Failure words={failure.value} />
      {isOpen.value && <DeliveryLog id={id} />}
    </article>
  )
}
