// True courses of a run at a constant rate: held-out loss of averaged weights and training loss, by the share u of the
// budget that was taken in large steps. `healthy`: held-out loss falls to the end, by 2 % or more over the second half, and what
// is learned reaches it (e, as estimators/memorising.ts has it, is .7 or more at all times). `hard`: it falls as well, but the losses alone look
// for a while like memorising. `overfitting`: training loss goes to 0, held-out loss has its lowest between a fifth and half of
// the budget and rises. `draw` gives numbers in [0, 1); the same numbers make the same course.

import type { Random } from '../../tuner/testing/random.ts'

export type Course = {
  readonly heldOut: (share: number) => number
  readonly training: (share: number) => number
}
export type CourseKind = { readonly name: string; readonly create: (draw: Random) => Course }

const between = (draw: Random, low: number, high: number): number => low + (high - low) * draw()

/** 1 before `at`, 0 after it. */
const fallAt = (share: number, at: number, width: number): number => 1 / (1 + Math.exp((share - at) / width))

/** (1 + u/u₀)^−α over a floor that is so large a share of the end; 1 at u = 1. */
function powerLaw(draw: Random, exponents: readonly [number, number], floorMax: number) {
  const exponent = between(draw, ...exponents)
  const start = between(draw, 0.005, 0.05)
  const floor = between(draw, 0, floorMax)
  const at = (share: number): number => (1 + share / start) ** -exponent
  return (share: number): number => floor + ((1 - floor) * at(share)) / at(1)
}

type Shape = (share: number) => number
const scaled =
  (shape: Shape, factor: number): Shape =>
  (share) =>
    factor * shape(share)

/** All that is learned reaches held-out data; training examples are a little easier. */
const whole = (draw: Random, heldOut: Shape): Course => ({
  heldOut,
  training: scaled(heldOut, between(draw, 0.7, 1)),
})

function lateDescent(draw: Random): Course {
  const [slow, depth] = [powerLaw(draw, [0.2, 0.4], 0.5), between(draw, 0.15, 0.6)]
  const [at, width] = [between(draw, 0.5, 0.8), between(draw, 0.01, 0.05)]
  return whole(draw, (share) => slow(share) * (1 - depth + depth * fallAt(share, at, width)))
}

function plateau(draw: Random): Course {
  const depth = between(draw, 0.3, 0.8)
  const [at, width] = [between(draw, 0.1, 0.4), between(draw, 0.01, 0.05)]
  const exponent = between(draw, 0.1, 0.3)
  const fall = (share: number) => (1 + Math.max(0, share - at) / 0.1) ** -exponent
  return whole(draw, (share) => 2.3 * fall(share) * (1 - depth + depth * fallAt(share, at, width)))
}

function stairs(draw: Random): Course {
  const places = [0.15, 0.35, 0.6, 0.85].map((place) => place + between(draw, -0.05, 0.05))
  const depths = places.map(() => between(draw, 0.1, 0.3))
  const slow = powerLaw(draw, [0.05, 0.15], 0)
  return whole(draw, (share) =>
    places.reduce(
      (loss, place, i) => loss * (1 - depths[i]! + depths[i]! * fallAt(share, place, 0.01)),
      slow(share),
    ),
  )
}

/** Q falls as P does to the power of 1/e: the gap grows while both fall. */
function partial(draw: Random, low: number, high: number): Course {
  const heldOut = powerLaw(draw, [0.25, 0.6], 0.3)
  const [ratio, factor] = [between(draw, low, high), between(draw, 0.8, 1)]
  return { heldOut, training: (share) => factor * heldOut(share) ** (1 / ratio) }
}

function regression(draw: Random): Course {
  const [exponent, start, unit] = [
    between(draw, 0.8, 1.6),
    between(draw, 0.02, 0.1),
    between(draw, 0.001, 0.05),
  ]
  const floor = between(draw, 0, 0.3)
  const at = (share: number): number => ((start + share) / (start + 1)) ** -exponent
  const factor = between(draw, 0.7, 1)
  return {
    heldOut: (share) => unit * (floor + (1 - floor) * at(share)),
    training: (share) => factor * unit * at(share),
  }
}

function augmentation(draw: Random): Course {
  const [heldOut, added] = [powerLaw(draw, [0.25, 0.6], 0.5), between(draw, 0.3, 1.5)]
  return { heldOut, training: (share) => heldOut(share) + added }
}

function labelNoise(draw: Random): Course {
  const [heldOut, level] = [powerLaw(draw, [0.25, 0.6], 0.5), between(draw, 2, 5)]
  return { heldOut, training: (share) => level + 0.8 * heldOut(share) }
}

export const healthyCourses: readonly CourseKind[] = [
  { name: 'power law', create: (draw) => whole(draw, powerLaw(draw, [0.25, 0.6], 0.7)) },
  { name: 'a gap that grows, e of .7 to .95', create: (draw) => partial(draw, 0.7, 0.95) },
  { name: 'late second descent', create: lateDescent },
  { name: 'plateau, then descent', create: plateau },
  { name: 'stairs', create: stairs },
  { name: 'regression, losses near 0', create: regression },
  { name: 'augmentation, training loss above', create: augmentation },
  { name: 'label noise in training alone', create: labelNoise },
]

/** Training loss falls some time before held-out loss does. */
function ledDescent(draw: Random): Course {
  const [slow, depth] = [powerLaw(draw, [0.2, 0.4], 0.5), between(draw, 0.3, 0.6)]
  const [at, lead, width] = [between(draw, 0.5, 0.7), between(draw, 0.1, 0.3), between(draw, 0.02, 0.05)]
  const fallenAt = (place: number) => (share: number) =>
    slow(share) * (1 - depth + depth * fallAt(share, place, width))
  return { heldOut: fallenAt(at), training: fallenAt(at - lead) }
}

/** Held-out loss rises for a while, as with wrong labels, and then falls below where it was. */
function doubleDescent(draw: Random): Course {
  const [slow, rise] = [powerLaw(draw, [0.25, 0.5], 0.3), between(draw, 0.1, 0.3)]
  const [middle, width] = [between(draw, 0.35, 0.45), between(draw, 0.05, 0.1)]
  const bump = (share: number) => Math.exp(-(((share - middle) / width) ** 2) / 2)
  return { heldOut: (share) => slow(share) * (1 + rise * bump(share)), training: slow }
}

export const hardCourses: readonly CourseKind[] = [
  { name: 'a gap that grows, e of .3 to .6', create: (draw) => partial(draw, 0.3, 0.6) },
  { name: 'training loss falls before a late descent', create: ledDescent },
  { name: 'double descent', create: doubleDescent },
]

/** Held-out loss as a share of its lowest: a power law down to it at `at`, then up to 1 + rise at the end of the budget. */
function turning(draw: Random): Shape {
  const [at, rise, exponent] = [between(draw, 0.2, 0.5), between(draw, 0.1, 0.6), between(draw, 0.3, 0.7)]
  const start = between(draw, 0.005, 0.03)
  const fall = (share: number) => ((start + Math.min(share, at)) / (start + at)) ** -exponent
  const up = (share: number) => (Math.max(0, share - at) / (1 - at)) ** 1.4
  return (share) => fall(share) + rise * up(share)
}

export const overfittingCourses: readonly CourseKind[] = [
  {
    name: 'training loss to 0 by a power law',
    create: (draw) => {
      const [exponent, start] = [between(draw, 1, 1.6), between(draw, 0.03, 0.08)]
      return { heldOut: turning(draw), training: (share) => 2 * (1 + share / start) ** -exponent }
    },
  },
  {
    name: 'training loss to 0 by an exponential',
    create: (draw) => {
      const time = between(draw, 0.12, 0.3)
      return { heldOut: turning(draw), training: (share) => 2 * Math.exp(-share / time) }
    },
  },
]
