// Bodies in memory are bounded together, from their first byte until they are answered. At the bound the oldest of those that are
// still on their way gives way: one that is sent without stopping is there long before it is the oldest.

import { ServerError } from '../errors.ts'

/** Bytes of all bodies together, after inflating. */
export const bodiesBytesMax = 64 * 1024 * 1024
/** A smaller body never gives way to another: its connection is what it costs. */
const smallBytes = 64 * 1024

export type HeldBody = {
  /** @throws ServerError `server-busy` where there is no room for so many more. */
  add(bytes: number): void
  /** All of it is there: it gives way to none. */
  complete(): void
  release(): void
}
type Body = { bytes: number; isComplete: boolean; readonly giveWay: (error: ServerError) => void }

const noRoom = (bytesMax: number) =>
  new ServerError(
    'server-busy',
    `the bodies of all requests have ${bytesMax} bytes together, which is the most allowed; send this one again in a second, without stopping`,
    { retryAfterSeconds: 1, closeConnection: true },
  )

export class BodyBudget {
  private readonly bytesMax: number
  // In the order in which they began.
  private readonly bodies = new Set<Body>()
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** @param giveWay called when this body has to make room, with what to answer */
  hold(giveWay: (error: ServerError) => void): HeldBody {
    const body: Body = { bytes: 0, isComplete: false, giveWay }
    this.bodies.add(body)
    return {
      add: (bytes) => {
        if (!this.bodies.has(body)) return
        body.bytes += bytes
        this.bytes += bytes
        this.makeRoom(body)
      },
      complete: () => {
        body.isComplete = true
      },
      release: () => this.release(body),
    }
  }

  private makeRoom(newest: Body): void {
    for (const body of this.bodies) {
      if (this.bytes <= this.bytesMax) return
      if (body === newest || body.isComplete || body.bytes < smallBytes) continue
      this.release(body)
      body.giveWay(noRoom(this.bytesMax))
    }
    if (this.bytes <= this.bytesMax) return
    this.release(newest)
    throw noRoom(this.bytesMax)
  }

  private release(body: Body): void {
    if (this.bodies.delete(body)) this.bytes -= body.bytes
  }
}
