// What lies between a job and the server: requests and answers are late, lost, told twice or told again much later, and at
// times something else answers in the server's place.

import type { Reply, Transport } from '../../trainer/reporting/transport.ts'
import { replyMsMax } from '../../trainer/reporting/transport.ts'
import type { Random } from '../../tuner/testing/random.ts'
import type { Request } from './dispatch.ts'
import type { Life } from './life.ts'
import type { Service } from './server.ts'
import type { VirtualTime } from './virtualTime.ts'

/** Each a share of the requests, but the delay: milliseconds at most, one way. */
export type NetworkFaults = {
  readonly delay: number
  readonly requestLost: number
  readonly answerLost: number
  readonly repeated: number
  readonly foreign: number
}

export const noFaults: NetworkFaults = {
  delay: 5,
  requestLost: 0,
  answerLost: 0,
  repeated: 0,
  foreign: 0,
}

/** So much later a request may arrive once more, long after its answer. */
const repeatMilliseconds = 20_000

/** Answers of proxies and portals. */
const foreignReplies: readonly Reply[] = [
  { status: 200, body: {}, retryAfterSeconds: null },
  { status: 200, body: { actions: null }, retryAfterSeconds: null },
  { status: 502, body: null, retryAfterSeconds: null },
  { status: 503, body: null, retryAfterSeconds: 5 },
  { status: 407, body: { title: 'Sign in' }, retryAfterSeconds: null },
]

export class Network {
  faults: NetworkFaults = noFaults
  readonly counts = { requests: 0, lost: 0, repeated: 0, foreign: 0 }
  private readonly time: VirtualTime
  private readonly random: Random
  private readonly server: Service

  constructor(time: VirtualTime, random: Random, server: Service) {
    this.time = time
    this.random = random
    this.server = server
  }

  /** The way of one process, whose answers `took` sees as they arrive. */
  transportOf(life: Life, took: (request: Request, reply: Reply) => void): Transport {
    return (request) =>
      new Promise((resolve, reject) => {
        const { faults, random } = this
        const chance = (share: number) => random() < share
        this.counts.requests++
        const giveUp = life.after(replyMsMax, () =>
          reject(new Error('the operation was aborted due to timeout')),
        )
        const told = (tell: () => void) =>
          life.after(random() * faults.delay, () => {
            giveUp()
            tell()
          })
        const answer = (reply: Reply) =>
          told(() => {
            took(request, reply)
            resolve(reply)
          })
        if (chance(faults.foreign)) {
          this.counts.foreign++
          answer(foreignReplies[Math.floor(random() * foreignReplies.length)]!)
          return
        }
        const isLost = chance(faults.requestLost)
        const isUnheard = chance(faults.answerLost)
        if (isLost || isUnheard) this.counts.lost++
        if (!isLost)
          this.deliver(
            request,
            random() * faults.delay,
            (reply) => {
              if (!isUnheard) answer(reply)
            },
            (error) => void told(() => reject(error)),
          )
        if (!chance(faults.repeated)) return
        this.counts.repeated++
        this.deliver(request, random() * repeatMilliseconds)
      })
  }

  private deliver(
    request: Request,
    delay: number,
    answer: (reply: Reply) => void = () => {},
    refuse: (error: Error) => void = () => {},
  ): void {
    this.time.after(delay, () => {
      this.server.handle(request).then(answer, refuse)
    })
  }
}
