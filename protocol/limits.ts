// Bounds of the wire, published in the contract. Beyond them a request is refused with a sentence that names the bound.

export const limits = {
  bodyBytesMax: 8 * 1024 * 1024,
  batchStepsMax: 10_000,
  batchProbesMax: 1_000,
  batchAcknowledgementsMax: 1_000,
  windowsMax: 16,
  probePartsMax: 32,
  metricsMax: 200,
  nameCharactersMax: 128,
  textCharactersMax: 1_000,
  settingsMax: 100,
  tagsMax: 32,
  segmentsMax: 1_000,
  seriesPointsMax: 4_000,
  /** Signals that a page may ask for by name: all that it draws by itself, and each metric of its own. */
  signalsAskedMax: 300,
  keyCharactersMax: 64,
  /** Clients (processes that report) of one run whose last answer is kept, and that `nextSequence` names: the newest. */
  clientsMax: 64,
  /** A log that is imported, after inflating. */
  importBytesMax: 1024 * 1024 * 1024,
  /** A line of it: a body as it is stored, where a number such as 1e20 is written out. */
  logLineBytesMax: 40 * 1024 * 1024,
  /** Longer logs are not folded for an answer. */
  whatIfObservationsMax: 100_000,
  /** Tokens that are in force at one time, and those that are over of which it is still told. */
  tokensMax: 500,
  endedTokensMax: 200,
  /** Actions that the audit keeps; the oldest go first. */
  auditMax: 100_000,
  webhooksMax: 20,
  urlCharactersMax: 2_000,
  /** Deliveries of one webhook that wait; beyond them the oldest are dropped. */
  webhookWaitingMax: 1_000,
  /** Deliveries of one webhook that are over and still told of; the oldest go first. */
  webhookLogMax: 500,
  /** 10¹², so that every step and every difference of steps is exact in a double. */
  stepMax: 1e12,
} as const
