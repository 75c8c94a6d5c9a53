// Columns of the log that were read not long ago, as numbers. A row of the log never changes, so what is here is right as long
// as its run is there. The least recently used go first.

/** Values that are known, with their steps. */
export type KnownValues = { readonly steps: readonly number[]; readonly values: readonly number[] }

export const cachedBytesMax = 24 * 1024 * 1024
/** Of an entry, besides its numbers. */
const entryBytes = 200
const numberBytes = 16

export class RowCache {
  private readonly columns = new Map<string, KnownValues>()
  private bytes = 0

  get(key: string): KnownValues | undefined {
    const found = this.columns.get(key)
    if (found === undefined) return undefined
    this.columns.delete(key)
    this.columns.set(key, found)
    return found
  }

  put(key: string, column: KnownValues): void {
    if (this.columns.has(key)) return
    this.columns.set(key, column)
    this.bytes += sizeOf(column)
    for (const [oldest, old] of this.columns) {
      if (this.bytes <= cachedBytesMax) return
      this.columns.delete(oldest)
      this.bytes -= sizeOf(old)
    }
  }
}

const sizeOf = ({ values }: KnownValues): number => entryBytes + numberBytes * values.length
