// Losses that come apart at a step, after a healthy beginning: leaps that stay, growth, a network that guesses a constant,
// numbers that died. `scatter` is the deviation of single steps before that.

import { normals, random } from '../../tuner/testing/random.ts'
import { noisyStream, runningMean, type Stream, type StreamKind, smoothedStream } from './streams.ts'

export type Divergence = StreamKind & { readonly atStep: number }

const lateStep = 5_000
/** Before the guard has seen enough rises to judge one. */
const earlyStep = 120
const scatter = 0.1
/** What a network that has been killed guesses: what it began at, with the noise of the batches' labels alone. */
const constantLoss = 3.5
const constantScatter = 0.01

/** Its sign is of the number 0 itself, the one that is not blind to a shift. */
export const exactlyZero = 'exactly 0'

const noisy = (seed: number): Stream => noisyStream('power', 'independent', scatter, seed)
const correlated = (seed: number): Stream => noisyStream('power', 'AR .8', scatter, seed)

/** `after`: the loss from the divergence on, by the steps since then and what a healthy loss would be. */
const from =
  (
    healthy: (seed: number) => Stream,
    after: (since: number, loss: number) => number,
    atStep: number = lateStep,
  ) =>
  (seed: number): Stream => {
    const raw = healthy(seed)
    return (step) => {
      const loss = raw(step)
      return step < atStep ? loss : after(step - atStep, loss)
    }
  }

const leap = (steps: number) => (_: number, loss: number) => loss + steps * scatter
const growth = (time: number) => (since: number, loss: number) =>
  loss + scatter * Math.expm1(Math.min(since / time, 700))
const climb = (perStep: number) => (since: number, loss: number) => loss + perStep * scatter * since

/** A leap after which the noise is wider as well. */
const noisier =
  (steps: number, factor: number) =>
  (seed: number): Stream => {
    const draw = normals(random(seed + 1_000_000))
    return from(noisy, (_, loss) => loss + scatter * (steps + factor * draw()))(seed)
  }

const guessed =
  (atStep: number) =>
  (seed: number): Stream => {
    const draw = normals(random(seed + 1_000_000))
    return from(noisy, () => constantLoss + constantScatter * draw(), atStep)(seed)
  }

const late = (name: string, create: StreamKind['create']): Divergence => ({ name, create, atStep: lateStep })
const early = (name: string, create: StreamKind['create']): Divergence => ({
  name: `${name}, at step ${earlyStep}`,
  create,
  atStep: earlyStep,
})

export const divergences: readonly Divergence[] = [
  ...[3, 6, 20].map((steps) => late(`leap of ${steps} deviations`, from(noisy, leap(steps)))),
  ...[6, 20].map((steps) => late(`leap of ${steps} deviations, noise AR .8`, from(correlated, leap(steps)))),
  ...[6, 20].map((steps) =>
    late(`leap of ${steps} deviations, reported as EMA .98`, (seed) =>
      smoothedStream(from(noisy, leap(steps))(seed)),
    ),
  ),
  ...[6, 20].map((steps) =>
    late(`leap of ${steps} deviations, reported as running mean of 2000`, (seed) =>
      runningMean(from(noisy, leap(steps))(seed), 2_000),
    ),
  ),
  late('leap of 20 deviations, noise 3 times as wide', noisier(20, 3)),
  late('leap of 60 deviations, noise 10 times as wide', noisier(60, 10)),
  ...[20, 50, 100, 500, 2_000].map((time) =>
    late(`exponential, e-fold in ${time} steps`, from(noisy, growth(time))),
  ),
  ...[0.1, 0.02].map((perStep) =>
    late(`climbs by ${perStep} deviations a step`, from(noisy, climb(perStep))),
  ),
  late('guesses a constant', guessed(lateStep)),
  early('guesses a constant', guessed(earlyStep)),
  early('leap of 20 deviations', from(noisy, leap(20), earlyStep)),
  early('exponential, e-fold in 50 steps', from(noisy, growth(50), earlyStep)),
  late(
    'the same number for ever',
    from(noisy, () => constantLoss),
  ),
  late(
    exactlyZero,
    from(noisy, () => 0),
  ),
  late(
    'NaN',
    from(noisy, () => Number.NaN),
  ),
]
