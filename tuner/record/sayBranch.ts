// What a record says of a branch: a copy that the job anneals beside its run.

import type { Decision } from '../../protocol/vocabulary.ts'
import { expectedLoss } from './sayForecast.ts'
import { inBrackets, number, rate, step, steps, type Values } from './sayParts.ts'

type Told = Pick<Decision, 'reason' | 'person' | 'promised'>

const from = (v: Values): string => `The branch from step ${step(v, 'fromStep')}`

export const branches: Readonly<Record<string, (told: Told, values: Values) => string>> = {
  'branch-begun': ({ person, promised }, v) =>
    `Branch from step ${step(v, 'fromStep')}: a copy is annealed from ${rate(v)} over ${steps(v)}, and the run goes on as it was${inBrackets(person?.reason)}.${expectedLoss(promised)}`,
  'branch-reached': (_, v) =>
    v.loss == null
      ? `${from(v)} is done after ${steps(v)}; its held-out loss was not measured.`
      : `${from(v)} is done after ${steps(v)}: held-out loss ${number(v, 'loss')}.`,
  'branch-broken': (_, v) => `${from(v)} is done after ${steps(v)}; its held-out loss is not finite.`,
  'branch-failed': ({ reason }, v) =>
    `${from(v)} failed${inBrackets(reason.text)}; the run goes on as it was.`,
  'branch-lost': (_, v) => `${from(v)} is lost: the job was started again before it was done.`,
  'branch-left': (_, v) => `${from(v)} is left: the run ended before it was done.`,
  'noted-branch-not-offered': () =>
    'Nothing done: the job does not offer to anneal a copy (capability branch).',
  'noted-branch-not-steered': ({ reason }) =>
    `Nothing done: in mode ${reason.text ?? ''} the job keeps its own rate, so no copy of it is annealed.`,
  'noted-branch-racing': () =>
    'Nothing done: rates are still tried against each other; a copy is annealed from the large step.',
  'noted-branch-paused': () => 'Nothing done: the run is paused; a copy is annealed once it goes on.',
  'noted-branch-restoring': () =>
    'Nothing done: earlier weights are being restored; a copy is annealed once they are.',
  'noted-branch-climbing': (_, v) =>
    `Nothing done: the rate still climbs, until step ${step(v, 'toStep')}; a copy is annealed from the large step.`,
  'noted-branch-open': (_, v) =>
    `Nothing done: the branch from step ${step(v, 'fromStep')} is not done yet, and one is annealed at a time.`,
  'noted-branch-full': (_, v) =>
    `Nothing done: ${step(v, 'count')} copies of this run were annealed, the most that are kept.`,
  'noted-branch-too-long': (_, v) =>
    `Nothing done: a copy is annealed over no more steps than the run has taken, and ${steps(v)} are more than ${step(v, 'most')}.`,
}
