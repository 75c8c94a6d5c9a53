// The network as a phone has it, and what went over it. Slow 4G is Lighthouse's: 150 ms to and fro, 1.6 Mbit/s down, 0.75
// up. The debugger keeps each answer back for the time to and fro and shares the line among what is under way; that a new
// connection takes the way twice is not imitated.

import type { CDPSession } from '@playwright/test'

const bitsPerByte = 8
export const slow4g = { latencyMs: 150, downBits: 1_600_000, upBits: 750_000 }

export async function throttle(cdp: CDPSession, line: typeof slow4g): Promise<void> {
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: line.latencyMs,
    downloadThroughput: line.downBits / bitsPerByte,
    uploadThroughput: line.upBits / bitsPerByte,
  })
}

export type Received = { readonly url: string; readonly bytes: number }

/** Notes what comes over the network from now on: each answer with its head, and each message of a socket. */
export async function noteReceived(cdp: CDPSession): Promise<{ answers: Received[]; messages: string[] }> {
  const answers: Received[] = []
  const messages: string[] = []
  const urls = new Map<string, string>()
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => urls.set(requestId, request.url))
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    answers.push({ url: urls.get(requestId) ?? '', bytes: encodedDataLength }),
  )
  cdp.on('Network.webSocketFrameReceived', ({ response }) => messages.push(response.payloadData))
  await cdp.send('Network.enable')
  return { answers, messages }
}
