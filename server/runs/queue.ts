// One line of tasks per key: tasks of a key run one after another, keys do not wait for each other. A line is
// bounded; beyond the bound a task is refused, so that a flood cannot grow the memory.

export class KeyedQueue {
  private readonly lines = new Map<string, { tail: Promise<unknown>; length: number }>()
  private readonly lengthMax: number

  constructor(lengthMax: number) {
    this.lengthMax = lengthMax
  }

  /** Whether a task of the key is running or waiting. */
  isBusy(key: string): boolean {
    return this.lines.has(key)
  }

  /** Tasks of all lines. */
  get size(): number {
    let size = 0
    for (const { length } of this.lines.values()) size += length
    return size
  }

  /** Resolves as the task does; undefined, at once, if the line is full. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> | undefined {
    const line = this.lines.get(key) ?? { tail: Promise.resolve(), length: 0 }
    if (line.length >= this.lengthMax) return undefined
    line.length++
    this.lines.set(key, line)
    const result = line.tail.then(task)
    const settled = () => {
      line.length--
      if (line.length === 0) this.lines.delete(key)
    }
    line.tail = result.then(settled, settled)
    return result
  }

  /** Resolves when every line is empty. */
  async idle(): Promise<void> {
    while (this.lines.size > 0) await Promise.all([...this.lines.values()].map((line) => line.tail))
  }
}
