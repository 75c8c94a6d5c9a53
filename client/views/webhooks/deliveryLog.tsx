// What a webhook was told, newest first: what failed and why, when it is tried next, and a way to send it again.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Delivery } from '../../../protocol/vocabulary.ts'
import { fetchDeliveries, sendRedeliver } from '../../connection/api.ts'
import { formatAddress, runAddress } from '../../state/address.ts'
import { SettingsTable } from '../access/settingsTable.tsx'
import { timeAgo } from '../access/times.ts'
import { Failure } from '../failure.tsx'
import { deliveryWords } from './eventWords.ts'

const clockTime = (time: string) => time.slice(0, 16).replace('T', ' ')

function outcomeOf({ state, attempts, status, error, nextAt }: Delivery): string {
  const tries = attempts > 1 ? `, try ${attempts}` : ''
  const answered = error === '' ? (status === null ? '' : ` (${status})`) : `: ${error}`
  const next = nextAt === null || attempts === 0 ? '' : `; next ${clockTime(nextAt)} UTC`
  return `${deliveryWords[state]}${tries}${answered}${next}`
}

export function DeliveryLog(props: { id: string }) {
  const { id } = props
  const deliveries = useSignal<readonly Delivery[] | null>(null)
  const next = useSignal<number | null>(null)
  const failure = useSignal<string | null>(null)
  const load = async (before: number | null) => {
    const answer = await fetchDeliveries(id, before)
    failure.value = answer.ok ? null : answer.problem.detail
    if (!answer.ok) return
    const earlier = before === null ? [] : (deliveries.value ?? [])
    deliveries.value = [...earlier, ...answer.value.deliveries]
    next.value = answer.value.next
  }
  useEffect(() => void load(null), [id])
  const again = async (number: number) => {
    const answer = await sendRedeliver(id, number)
    failure.value = answer.ok ? null : answer.problem.detail
    if (answer.ok)
      deliveries.value = deliveries.value?.map((one) => (one.number === number ? answer.value : one)) ?? null
  }
  return (
    <>
      <Failure words={failure.value} />
      <SettingsTable
        titles={['When', 'Event', 'Run', 'Outcome']}
        rows={deliveries.value?.map((one) => ({
          id: one.number,
          cells: [
            <span title={one.at}>{timeAgo(one.at, Date.now())}</span>,
            one.event,
            <a href={formatAddress(runAddress(one.runId))}>{one.runId}</a>,
            outcomeOf(one),
          ],
          acts: one.state !== 'waiting' && (
            <button type="button" class="button" onClick={() => again(one.number)}>
              Send again
            </button>
          ),
        }))}
        none="Nothing yet."
      />
      <p class="row-of">
        <button type="button" class="button" onClick={() => load(null)}>
          Look again
        </button>
        {next.value !== null && (
          <button type="button" class="button" onClick={() => load(next.value)}>
            Earlier ones
          </button>
        )}
      </p>
    </>
  )
}
