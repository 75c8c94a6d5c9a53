// All English of decisions: sentences made from records, whose keys and numbers are all there is to know. One sentence that
// an engineer without the theory understands; nobody parses them. Headlines are in headline.ts.

import { formatNumber, formatPercent, formatPlural, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Decision } from '../../protocol/vocabulary.ts'
import { branches } from './sayBranch.ts'
import { expectedLoss, keptPromise, type Promised } from './sayForecast.ts'
import { holds, sayHold } from './sayHold.ts'
import { capital, inBrackets, number, pair, rate, step, steps, type Values } from './sayParts.ts'
import { regimes } from './sayRegime.ts'

type Told = Pick<
  Decision,
  'kind' | 'reason' | 'phase' | 'status' | 'mode' | 'plan' | 'person' | 'step' | 'transition'
> &
  Promised

const memorising = ({ sinceStep, trainingFall, heldOutFall }: Values): string => {
  if (sinceStep == null) return 'a longer anneal would mostly memorise'
  const heldOut =
    (heldOutFall ?? 0) > 0
      ? `held-out loss by ${formatPercent(heldOutFall!)}`
      : 'held-out loss has not fallen'
  return `since step ${formatStep(sinceStep)} training loss has fallen by ${formatPercent(trainingFall ?? 0)} and ${heldOut}, so a longer anneal would mostly memorise`
}

/** Why the anneal begins. */
const anneals: Readonly<Record<string, (values: Values, text?: string) => string>> = {
  'anneal-rule': (v) => `staying still gains no more than annealing${pair(v)}`,
  'anneal-tolerance': () => 'going on gains less than it is worth',
  'anneal-deadline': (v) => `a tenth of the budget is left, so the switch is forced${pair(v)}`,
  'anneal-overfitting': () =>
    'held-out loss of the averaged weights has stopped falling, so the rest of the budget would only memorise',
  'anneal-memorising': (v) => memorising(v),
  'anneal-command': () => 'asked for by hand',
  'anneal-guard': (v, text) => `the loss diverged a third time (${sayOfSign(text ?? '', v)})`,
  'anneal-fallback-blind': () =>
    'the fallback plan is due; held-out probes of averaged weights, or micro-batch gradient norms, would allow a measured switch',
  'anneal-fallback-wrong-set': () =>
    'the fallback plan is due, as the job offers heldOutLoss, but none of its valley probes was of the set "held-out"',
  'anneal-fallback-few': (v) =>
    `the fallback plan is due, as only ${step(v, 'probes')} of the ${step(v, 'needed')} probes that the rule needs were made`,
  'anneal-fallback-no-gain': () =>
    'the fallback plan is due, as neither averaged weights nor gradient noise say what annealing gains',
  'anneal-fallback-followed': () =>
    'the job followed an earlier plan into it, before a newer answer reached it',
}

function saySwitch({ reason, status, person, promised }: Told): string {
  const { values, key, text } = reason
  const span = `from step ${step(values, 'fromStep')} to ${step(values, 'toStep')}`
  const why = anneals[key]!(values, text)
  const because = inBrackets(key === 'anneal-command' ? person?.reason : undefined)
  const expected = expectedLoss(promised)
  if (status === 'advisory') return `Advice: anneal ${span}: ${why}${because}.${expected}`
  if (status === 'awaiting-approval') {
    const last =
      values.deadline == null
        ? ' Without an answer the large step goes on.'
        : ` Without an answer the anneal starts at step ${step(values, 'deadline')}.`
    return `Annealing ${span} awaits approval until step ${step(values, 'expiresAtStep')}: ${why}.${expected}${last}`
  }
  const approved =
    status === 'approved'
      ? `Approved by hand${inBrackets(person?.reason)}. ${waited(values.waitedSteps ?? 0, values.waitedLoss ?? null)} `
      : ''
  return `${approved}Annealing ${span}: ${why}${because}.${expected}`
}

const waited = (count: number, loss: number | null): string => {
  const took = `Waiting took ${formatPlural(count, 'step')}`
  if (loss === null) return `${took}; what they cost is not known.`
  return `${took} and, by the fitted curve, ${loss >= 0 ? 'cost' : 'gained'} ${formatNumber(Math.abs(loss))} of the final loss.`
}

const proposals: Readonly<Record<string, (values: Values, person: Decision['person']) => string>> = {
  'proposal-refused': (v, person) =>
    `rejected: refused by hand${inBrackets(person?.reason)}, and asked again at step ${step(v, 'askedFromStep')} at the earliest`,
  'proposal-unanswered': () => 'expired: nobody answered',
  'proposal-unasked': () => 'expired: the evidence no longer asks for it',
  'proposal-overtaken': () => 'superseded: something else was decided',
}

/** Signs of divergence. */
const signs: Readonly<Record<string, (values: Values) => string>> = {
  'non-finite-loss': (v) => `the loss was not finite at ${step(v, 'count')} of the last 10 steps`,
  'non-finite-norm': (v) => `the gradient norm was not finite at ${step(v, 'count')} of its last 10`,
  'non-finite-probe': (v) => `held-out losses were not finite at ${step(v, 'count')} probes in a row`,
  'loss-rise': (v) => `the loss stayed far above its level of ${number(v, 'from')} for ${steps(v)}`,
  forgotten: (v) => `the loss was back where the run began, or above, for ${steps(v)}`,
  'loss-stuck': (v) => `the loss was exactly 0 for ${steps(v)}`,
  'norm-jump': (v) =>
    `the gradient norm jumped far above its mean at ${step(v, 'hits')} of ${step(v, 'of')} steps`,
}

const sayOfSign = (key: string, values: Values): string => signs[key]?.(values) ?? key

function sayGuard({ reason, phase }: Told): string {
  const { key, values, text } = reason
  if (key === 'not-restored')
    return `The checkpoint could not be restored${inBrackets(text)}: training goes on from the present weights, at ${rate(values)}.`
  if (key === 'tripwire')
    return `At step ${step(values)} the smoothed loss passed the plan's limit of ${number(values, 'limit')}: a job that watches it took ${rate(values)} until its next answer. Nothing else speaks of divergence, so the plan stands, and its limit follows the loss.`
  const back = values.keptStep == null ? '' : ` Back to the weights of step ${step(values, 'keptStep')}.`
  const climb = `${rate(values, 'fromRate')} and climbs to ${phase.to === 'anneal' ? 'the planned one' : rate(values)} by step ${step(values, 'toStep')}`
  const level = values.keptStep == null && key === 'loss-rise' ? ' The new level is taken as it is.' : ''
  const next =
    values.byHand == null
      ? `The rate starts again at ${climb}`
      : `The rate set by hand, ${rate(values, 'byHand')}, stays until step ${step(values, 'untilStep')}; then ${rate(values)} holds`
  return `Divergence at step ${step(values)}: ${sayOfSign(key, values)}.${back} ${next}.${level}`
}

/** The race led back to the rate that it began from: by doubt, or as what spoke for another is no reason in arms so short. */
const lowestElsewhere = (v: Values): string =>
  v.optimum == null || v.optimum === v.rate
    ? 'none was clearly better'
    : `arms did best near ${rate(v, 'optimum')}, which so short arms say of rates that are too large`

const searches: Readonly<Record<string, (values: Values, text?: string) => string>> = {
  'rate-kept': (v) =>
    `Keeping ${rate(v)}: of ${step(v, 'arms')} rates from ${rate(v, 'slowest')} to ${rate(v, 'fastest')} ${lowestElsewhere(v)}; ${steps(v)} of search.`,
  'rate-found': (v) =>
    `Large step ${rate(v)}: of ${step(v, 'arms')} rates from ${rate(v, 'slowest')} to ${rate(v, 'fastest')}, arms did best near ${rate(v, 'optimum')}${v.diverged ? `, and ${step(v, 'diverged')} diverged` : ''}; ${steps(v)} of search.`,
  'all-diverged': (v) =>
    `Large step ${rate(v)}, a tenth of the slowest rate tried and not a measured one: every rate of the race diverged, down to ${rate(v, 'slowest')}.`,
  'search-left': (v) =>
    `Large step ${rate(v)}, not measured: the race was cut short, because the job trained on without an answer.`,
  'search-overridden': (v) =>
    `Large step ${rate(v)}, not measured: the race was cut short, because the rate was set by hand.`,
  'not-restored': (v, text) =>
    `Large step ${rate(v)}, not measured: the race was cut short, because a checkpoint could not be made or restored${inBrackets(text)}.`,
}

const starts: Readonly<Record<string, (values: Values) => string>> = {
  'start-race': (v) =>
    `Starting ${ofLength(v)} with a race: ${rate(v)}, ${v.isGiven ? 'the given rate' : "the optimizer's usual rate"}, against rates above and below it, from the same weights.`,
  'start-given': (v) => `Starting ${ofLength(v)} at the given rate ${rate(v)}; ${whyNoRace(v)}.`,
  'start-usual': (v) =>
    `Starting ${ofLength(v)} at ${rate(v)}, the optimizer's usual rate and not a measured one; ${whyNoRace(v)}.`,
  'start-off': (v) => `Watching only, ${ofLength(v)}: signals are recorded, no advice is given.`,
  'start-advisory': (v) => `Advice only, ${ofLength(v)}: the job keeps its own rate.`,
}

const ofLength = ({ length, tokensPerStep }: Values): string => {
  const each = tokensPerStep == null ? '' : ` of ${formatStep(tokensPerStep)} tokens`
  if (length == null) return `without a budget${each === '' ? '' : `, in steps${each},`}`
  return `for ${formatStep(length)} steps${each}`
}
const whyNoRace = ({ isKept, isShort }: Values): string =>
  isKept
    ? 'in approve mode a given rate is kept'
    : isShort
      ? 'its budget and limits leave no room for a race'
      : 'racing other rates needs the capabilities checkpoint and rewind, or checkpoint, heldOutLoss and averagedWeights'

/** Everything else, by key. */
const others: Readonly<Record<string, (told: Told, values: Values) => string>> = {
  origin: (_, v) =>
    `The job's counter began at step ${step(v, 'origin')}: the plan is laid from there${v.end == null ? '' : ` to step ${step(v, 'end')}, ${budgetRead(v)}`}.`,
  resumed: (_, v) =>
    `The run goes on from step ${step(v)}, where it was resumed; it had come to ${step(v, 'before')}.`,
  objective: ({ reason }, v) =>
    `From step ${step(v)} on the loss measures something else${inBrackets(reason.text)}: its level begins anew.`,
  drift: (_, v) =>
    `The job does not follow its plan: since step ${step(v, 'sinceStep')} it applies ${rate(v, 'applied')}, and ${rate(v, 'planned')} is planned.`,
  'set-by-hand': ({ person }, v) =>
    `Set by hand: ${rate(v)} until step ${step(v, 'untilStep')}${v.rate === v.asked ? '' : `, clamped from ${rate(v, 'asked')} to this run's limits`}${inBrackets(person?.reason)}.`,
  'handed-back': ({ plan, person }, v) =>
    `Handed back at step ${step(v)}${inBrackets(person?.reason)}: the rate is ${formatRate(plan.segments[0]?.from ?? 0)} again.`,
  'handed-back-in-time': ({ plan }, v) =>
    `Handed back at step ${step(v)}, as its last step has come: the rate is ${formatRate(plan.segments[0]?.from ?? 0)} again.`,
  'undone-by-hand': ({ person }, v) => undoneAt(v, inBrackets(person?.reason)),
  'undone-longer': (_, v) => undoneAt(v, ' (the budget is longer)'),
  'kept-not-restored': ({ reason, phase }) =>
    `The earlier weights could not be restored${inBrackets(reason.text)}: ${phase.to === 'anneal' ? 'the anneal is cut short' : 'the large step goes on'} from the present ones.`,
  'start-not-restored': ({ reason }, v) =>
    `The weights of the start could not be restored${inBrackets(reason.text)}: the present ones go on at ${rate(v)}.`,
  'cut-rise': (_, v) =>
    `${cutShort(v)}${v.keptStep == null ? '' : `, from the averaged weights of step ${step(v, 'keptStep')}`}: held-out loss of the averaged weights has risen from ${number(v, 'from')} to ${number(v, 'to')}, so more steps would only memorise.`,
  'budget-set': ({ person }, v) =>
    `Budget set to ${step(v, 'budgetSteps')} steps at step ${step(v)}${inBrackets(person?.reason)}${v.end == null ? '' : `: to step ${step(v, 'end')}, ${budgetRead(v)}`}.`,
  'budget-removed': ({ person }, v) => `Budget removed at step ${step(v)}${inBrackets(person?.reason)}.`,
  'mode-set': ({ reason, person }) => `Mode set to ${reason.text}${inBrackets(person?.reason)}.`,
  paused: ({ person }, v) => `Paused at step ${step(v)} by hand${inBrackets(person?.reason)}.`,
  'resumed-by-hand': ({ person }, v) => `Resumed at step ${step(v)} by hand${inBrackets(person?.reason)}.`,
  'noted-ended': () => 'Nothing done: the run has ended.',
  'noted-not-asked': (_, v) => `Nothing done: decision ${step(v, 'number')} does not await approval.`,
  'noted-no-override': () => 'Nothing done: no override is in force.',
  'noted-no-switch': () => 'Nothing done: there is no switch to undo.',
  'noted-undo-too-late': () =>
    'Nothing done: under 20 % of the budget is left, too little to undo the switch.',
  'noted-override-past': (_, v) =>
    `Nothing done: the override was to end at step ${step(v, 'untilStep')}, and step ${step(v)} is past it.`,
  'noted-annealing': () => 'Nothing done: the anneal is already under way.',
  'noted-paused-already': () => 'Nothing done: the run is paused already.',
  'noted-not-paused': () => 'Nothing done: the run is not paused.',
  'budget-used': (_, v) => `Finished at step ${step(v)}: the budget is used up${keptAverages(v)}.`,
  annealed: (_, v) => `Finished at step ${step(v)}: the anneal is done; the last weights are kept.`,
  'finished-by-hand': ({ person }, v) =>
    `Finished at step ${step(v)} by hand${inBrackets(person?.reason)}${keptAverages(v)}.`,
  'finished-by-budget': (_, v) =>
    `Budget set to ${step(v, 'budgetSteps')} steps at step ${step(v)}: finished${keptAverages(v)}.`,
  'finished-last': (_, v) => `${finishedAt(v)}; the last weights are kept${lookedBetter(v)}.`,
  'finished-averaged': (_, v) => `${finishedAt(v)}; averaged weights are kept${lookedBetter(v)}.`,
  'finished-kept': (_, v) =>
    `${finishedAt(v)}; the averaged weights of step ${step(v, 'keptStep')} are kept, as the last ones have ${v.lastLoss == null ? 'no loss' : number(v, 'lastLoss')}.`,
  diverged: ({ reason }, v) =>
    `Stopped at step ${step(v)}: training came apart a fourth time (${sayOfSign(reason.text ?? '', v)}); ${v.keptStep == null ? 'no earlier weights are kept' : `the weights of step ${step(v, 'keptStep')} are kept`}.`,
}

/** How a budget was read, of a counter that did not begin at 0. */
const budgetRead = (v: Values): string =>
  v.end === v.budgetSteps
    ? 'where the counter ends by that budget'
    : `as a budget of ${step(v, 'budgetSteps')} is steps to take from ${step(v, 'origin')} on`
const undoneAt = (v: Values, because: string): string =>
  `Switch undone at step ${step(v)}${because}: back to ${rate(v)} over ${formatPlural(v.climbSteps ?? 0, 'step')}.`
const cutShort = (v: Values): string =>
  `The anneal is cut short at step ${step(v)} and ends at ${step(v, 'toStep')} instead of ${step(v, 'before')}`
/** Where a run ends unannealed. */
const keptAverages = (v: Values): string =>
  v.averagedLoss == null
    ? ''
    : `; averaged weights are kept: their held-out loss is ${number(v, 'averagedLoss')}, that of the last ones ${v.lastLoss == null ? 'not finite' : number(v, 'lastLoss')}`

const finishedAt = (v: Values): string =>
  `Finished at step ${step(v)}: held-out loss ${v.loss == null ? 'not finite' : number(v, 'loss')}`
const lookedBetter = (v: Values): string =>
  v.compared == null
    ? ''
    : `; those of step ${step(v, 'keptStep')} have ${number(v, 'compared')} on all ${step(v, 'examples')} examples, which is not plainly better`

/** The record in one sentence. */
export function say(told: Told): string {
  const { kind, reason, person } = told
  const { key, values, text } = reason
  if (key in proposals) {
    const end = proposals[key]!(values, person)
    return `Decision ${step(values, 'number')} is ${end}. ${waited(values.steps ?? 0, values.loss ?? null)}`
  }
  if (key in anneals) return saySwitch(told)
  if (key in holds) return key === 'probes-too-dear' ? `${capital(holds[key]!(values))}.` : sayHold(told)
  if (key in searches && kind !== 'guard') return searches[key]!(values, text)
  if (key in starts) return starts[key]!(values) + approvalNote(told)
  if (key in regimes) return regimes[key]!(told)
  const other = others[key] ?? branches[key]
  return other === undefined ? sayGuard(told) : `${other(told, values)}${keptPromise(told)}`
}

const approvalNote = ({ mode, reason }: Told): string => {
  if (mode !== 'approve') return ''
  const { deadline } = reason.values
  return ` Changes of this plan wait for approval${deadline == null ? ', for as long as that takes' : `; without an answer the anneal starts at step ${formatStep(deadline)}`}.`
}

/** Every reason that a record may have. */
export const reasonKeys: readonly string[] = [
  ...[proposals, anneals, holds, searches, starts, signs, regimes, others, branches].flatMap((table) =>
    Object.keys(table),
  ),
  'tripwire',
]
