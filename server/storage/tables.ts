// Tables that both databases have.

/** Tables with rows of a run, for deletion. */
export const runTables = [
  'observations',
  'readings',
  'decisions',
  'clients',
  'batches',
  'snapshots',
  'chunks',
] as const
/** Those that follow from the log. */
export const derivedTables = ['readings', 'decisions', 'snapshots', 'chunks'] as const
