// How a rate is tuned, the same for every arm: three rates a factor of two apart; while the best of all is at an edge the
// next factor of two beyond it is tried, so that no arm's best is where its grid happened to end; then the geometric
// middles between the best and its neighbours, so many times. The score is any number, lower is better; that of times to an
// aim is `timeScore`, which spends no more than twice the best time on a rate.

export type TunedRate = {
  readonly rate: number
  /** Not at an edge of the rates tried: only then it is the best of anything. */
  readonly isInside: boolean
}

/** Most rates tried beyond the first three. */
const extensionsMax = 8

export async function tunedRate(options: {
  readonly middle: number
  readonly refinements: number
  readonly score: (rate: number) => Promise<number>
}): Promise<TunedRate> {
  const { middle, refinements, score } = options
  /** Ascending by rate. */
  let tried: { rate: number; value: number }[] = []
  const attempt = async (rate: number): Promise<void> => {
    const value = await score(rate)
    tried = [...tried, { rate, value: Number.isNaN(value) ? Number.POSITIVE_INFINITY : value }]
    tried.sort((a, b) => a.rate - b.rate)
  }
  const best = (): number =>
    tried.reduce((found, { value }, at) => (value < tried[found]!.value ? at : found), 0)

  for (const rate of [middle, middle / 2, middle * 2]) await attempt(rate)
  for (let extension = 0; extension < extensionsMax; extension++) {
    if (best() === 0) await attempt(tried[0]!.rate / 2)
    else if (best() === tried.length - 1) await attempt(tried.at(-1)!.rate * 2)
    else break
  }
  const isInside = best() > 0 && best() < tried.length - 1
  for (let refinement = 0; refinement < refinements && isInside; refinement++) {
    const at = best()
    const [below, rate, above] = [tried[at - 1]!.rate, tried[at]!.rate, tried[at + 1]!.rate]
    await attempt(Math.sqrt(below * rate))
    await attempt(Math.sqrt(rate * above))
  }
  return { rate: tried[best()]!.rate, isInside }
}

/** A run that does not arrive counts as this many times the cap. */
const missFactor = 2
/** A run is given up at this many times the time of the best rate so far, on its seed. */
const patience = 2

/** Mean logarithm over seeds of the time to an aim; `measure` answers null where the cap comes first. */
export function timeScore(options: {
  readonly seeds: readonly number[]
  readonly cap: number
  readonly measure: (seed: number, rate: number, cap: number) => Promise<number | null>
}): (rate: number) => Promise<number> {
  const { seeds, cap, measure } = options
  const best = new Map<number, number>()
  return async (rate) => {
    let sum = 0
    for (const seed of seeds) {
      const fastest = best.get(seed) ?? Number.POSITIVE_INFINITY
      const time = await measure(seed, rate, Math.min(cap, patience * fastest))
      if (time !== null && time < fastest) best.set(seed, time)
      sum += Math.log(time ?? missFactor * cap)
    }
    return sum / seeds.length
  }
}
