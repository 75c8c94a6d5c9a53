/** Resolves in the next turn of the event loop, when what was ready has run. */
export const nextLoopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
