// Losses as healthy jobs report them: a course that falls, levels off or falls in stairs, under noise of a known kind with
// deviation `scatter`; and the running means that training loops with epochs print. Each is a function of the step, asked in
// order from 0 on; the same seed gives the same numbers. Unit: the loss falls by about 3 over a run.

import { normals, type Random, random } from '../../tuner/testing/random.ts'

/** A loss by step; steps are asked for in order. */
export type Stream = (step: number) => number
export type StreamKind = { readonly name: string; readonly create: (seed: number) => Stream }

export const courses = {
  power: (step: number) => 0.5 + 3 * (1 + step / 50) ** -0.3,
  exponential: (step: number) => 0.5 + 3 * Math.exp(-step / 2_000),
  level: () => 2,
  /** Learns nothing for a while, then much at once. */
  stairs: (step: number) => 3.5 - Math.floor(step / 4_000) * 0.6,
} as const satisfies Record<string, (step: number) => number>
export type CourseName = keyof typeof courses

/** Each with mean 0 and, in the long run, standard deviation 1. */
const correlated =
  (r: number) =>
  (normal: Random): Random => {
    let value = normal()
    return () => {
      value = r * value + Math.sqrt(1 - r * r) * normal()
      return value
    }
  }

export const noises = {
  independent: (normal: Random): Random => normal,
  'AR .5': correlated(0.5),
  'AR .8': correlated(0.8),
  'AR .95': correlated(0.95),
  /** Student's t of 3 degrees of freedom, which has variance 3. */
  't of 3': (normal: Random): Random => {
    const square = () => normal() ** 2
    return () => normal() / Math.sqrt((square() + square() + square()) / 3) / Math.sqrt(3)
  },
} as const satisfies Record<string, (normal: Random) => Random>
export type NoiseName = keyof typeof noises

export const scatters = [0.02, 0.1, 0.5] as const
const emaDecay = 0.98
export const epochLengths = [100, 200, 500, 1_000, 2_000] as const

const courseNames = Object.keys(courses) as CourseName[]
const noiseNames = Object.keys(noises) as NoiseName[]

export function noisyStream(course: CourseName, noise: NoiseName, scatter: number, seed: number): Stream {
  const draw = noises[noise](normals(random(seed)))
  return (step) => courses[course](step) + scatter * draw()
}

/** What loops print that smooth the loss: s ← .98·s + .02·x, begun at the first loss. */
export function smoothedStream(raw: Stream): Stream {
  let value: number | null = null
  return (step) => {
    const loss = raw(step)
    value = value === null ? loss : emaDecay * value + (1 - emaDecay) * loss
    return value
  }
}

/** What Keras prints: the mean since the epoch began. */
export function runningMean(raw: Stream, epochSteps: number): Stream {
  let [sum, count] = [0, 0]
  return (step) => {
    if (step % epochSteps === 0) [sum, count] = [0, 0]
    sum += raw(step)
    count++
    return sum / count
  }
}

/** Data in the same order in every epoch, its hardest tenth first: the loss leaps up for a tenth of each epoch. */
export function unshuffled(raw: Stream, epochSteps: number, leap: number): Stream {
  return (step) => raw(step) + (step % epochSteps < epochSteps / 10 ? leap : 0)
}

const kindOf = (name: string, create: StreamKind['create']): StreamKind => ({ name, create })

/** Every kind of healthy stream, in the order of the table. */
export function healthyKinds(): StreamKind[] {
  const plain = noiseNames.flatMap((noise) =>
    courseNames.flatMap((course) =>
      scatters.map((scatter) =>
        kindOf(`${noise}, ${course}, scatter ${scatter}`, (seed) =>
          noisyStream(course, noise, scatter, seed),
        ),
      ),
    ),
  )
  const smoothed = courseNames.flatMap((course) =>
    scatters.map((scatter) =>
      kindOf(`EMA .98, ${course}, scatter ${scatter}`, (seed) =>
        smoothedStream(noisyStream(course, 'independent', scatter, seed)),
      ),
    ),
  )
  const epochs = epochLengths.flatMap((length) => [
    ...(['power', 'level'] as const).flatMap((course) =>
      [0.1, 0.5].map((scatter) =>
        kindOf(`running mean of ${length}, ${course}, scatter ${scatter}`, (seed) =>
          runningMean(noisyStream(course, 'independent', scatter, seed), length),
        ),
      ),
    ),
    kindOf(`hardest tenth of ${length} first, power, scatter 0.1`, (seed) =>
      unshuffled(noisyStream('power', 'independent', 0.1, seed), length, 0.5),
    ),
  ])
  return [...plain, ...smoothed, ...epochs]
}
