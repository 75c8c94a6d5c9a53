// Sample webhooks for the gallery: one that is taken, one that was switched off, and what the second was told.

import type { Delivery, Webhook } from '../../protocol/vocabulary.ts'
import { secondsAgo } from './listScenes.ts'

const webhook: Webhook = {
  id: 'good',
  url: 'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX',
  events: ['waiting', 'diverged', 'finished'],
  project: null,
  shape: 'slack',
  state: 'active',
  createdAt: secondsAgo(90_000),
  failingSince: null,
  disabledAt: null,
}

export const sampleWebhooks = (): Webhook[] => [
  webhook,
  {
    ...webhook,
    id: 'bad',
    url: 'https://platform.example.org/twostep',
    events: ['decision'],
    project: 'vision',
    shape: 'generic',
    state: 'disabled',
    failingSince: secondsAgo(270_000),
    disabledAt: secondsAgo(7_000),
  },
]

export function sampleDeliveries(): Delivery[] {
  const failed: Delivery = {
    number: 3,
    event: 'decision',
    runId: 'fashion-cnn-3',
    at: secondsAgo(200_000),
    state: 'failed',
    attempts: 10,
    lastAt: secondsAgo(130_000),
    status: 503,
    error: 'the receiver answered 503',
    nextAt: null,
  }
  return [
    { ...failed, number: 9, state: 'waiting', attempts: 0, status: null, error: '', nextAt: secondsAgo(0) },
    {
      ...failed,
      number: 8,
      runId: 'text-bytes-11',
      status: null,
      error: 'connect ECONNREFUSED 93.184.216.34:443',
    },
    failed,
    { ...failed, number: 2, state: 'delivered', attempts: 1, status: 204, error: '' },
  ]
}
