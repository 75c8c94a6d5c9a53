// How far a loss may rise: a multiple of its level. Losses below 0 exist (log-densities), and a multiple of one
// lies below it, so the distance is taken from the level's size. At a level of 0 any rise is beyond the limit.

/** The loss that lies (factor − 1) · |level| above a level; `factor` above 1. For levels above 0: factor · level. */
export const riseLimit = (level: number, factor: number): number =>
  Math.min(level > 0 ? factor * level : level + (factor - 1) * Math.abs(level), Number.MAX_VALUE)
