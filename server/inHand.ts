// What a server has in hand: work at requests, whose callers may leave before it is done, and work that nobody waits for. The
// storage is closed when there is none, so whatever uses it on its own account is held here.

export class InHand {
  private readonly works = new Set<Promise<unknown>>()

  /** Gives the work back as it is. */
  hold<T>(work: T): T {
    if (!(work instanceof Promise)) return work
    this.works.add(work)
    const done = () => this.works.delete(work)
    work.then(done, done)
    return work
  }

  /** Resolves when there is none, also of what was begun meanwhile. */
  async empty(): Promise<void> {
    while (this.works.size > 0) await Promise.allSettled(this.works)
  }
}
