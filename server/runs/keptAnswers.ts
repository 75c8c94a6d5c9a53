// Answers that were made, kept while there is room: who asks the same of the same state of a run gets the one that is there, or
// waits for the one that is being made. The least recently used go first.

export const keptBytesMax = 8 * 1024 * 1024

export class KeptAnswers {
  private readonly answers = new Map<string, { readonly made: Promise<Buffer>; bytes: number }>()
  private bytes = 0

  /** @param key what the answer follows from; `make` is called if there is none of it */
  get(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.answers.get(key)
    this.answers.delete(key)
    const answer = known ?? { made: make(), bytes: 0 }
    this.answers.set(key, answer)
    if (known === undefined)
      answer.made.then(
        ({ length }) => {
          answer.bytes = length + key.length
          this.bytes += answer.bytes
          this.makeRoom()
        },
        // A failure is not kept; who asked is told of it.
        () => void this.answers.delete(key),
      )
    return answer.made
  }

  private makeRoom(): void {
    for (const [key, { bytes }] of this.answers) {
      if (this.bytes <= keptBytesMax) return
      if (bytes === 0) continue
      this.answers.delete(key)
      this.bytes -= bytes
    }
  }
}
