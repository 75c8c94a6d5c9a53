// Laws of branches: the run decides as if nobody had asked for one, whenever it is asked for and whatever the job answers; and what
// is asked and told of them is sound.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Acknowledgement, Decision, Observation } from '../../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../index.ts'
import { branchesMax } from '../../person/branch.ts'
import { allCapabilities, type SyntheticOptions, syntheticRun } from '../syntheticRun.ts'
import { foldedLog } from './logs.ts'

const seed = 20261129
const budgetSteps = 1_200
const measuring = ['heldOutLoss', 'averagedWeights', 'microBatchNorms', 'branch'] as const
const burst = (step: number, loss: number) => (step >= 700 && step < 712 ? Number.NaN : loss)

const cases: readonly (readonly [string, SyntheticOptions])[] = [
  ['a search from nothing', { seed: 1, budgetSteps }],
  ['a given rate', { seed: 3, budgetSteps, learningRate: 0.02, capabilities: measuring }],
  ['the loss alone', { seed: 4, budgetSteps, learningRate: 0.02, capabilities: ['branch'] }],
  ['a divergence', { seed: 6, budgetSteps, learningRate: 0.02, reportedLoss: burst }],
  ['no budget', { seed: 7, budgetSteps: null, stepCount: 2_000, learningRate: 0.02 }],
  ['a job that names its plan', { seed: 8, budgetSteps, learningRate: 0.02, namesPlan: true }],
  ['approval', { seed: 1, budgetSteps, learningRate: 0.05, mode: 'approve', capabilities: measuring }],
  [
    'commands',
    {
      seed: 6,
      budgetSteps,
      learningRate: 0.02,
      capabilities: measuring,
      commands: {
        400: { kind: 'override', learningRate: 0.01, untilStep: 450, reason: '', by: 'test' },
        600: { kind: 'set-budget', budgetSteps: 1_500, reason: '', by: 'test' },
        800: { kind: 'switch-now', reason: '', by: 'test' },
        850: { kind: 'undo-switch', reason: '', by: 'test' },
      },
    },
  ],
]
const logs = cases.map(([name, options]) => ({ name, log: syntheticRun(options).log }))

/** At which places of the log a branch is asked for, in thousandths, over how many steps, and how it is answered how much later. */
const asking = fc.record({
  at: fc.integer({ min: 1, max: 1_000 }),
  steps: fc.oneof(fc.constant(null), fc.integer({ min: 2, max: 2_000 })),
  later: fc.integer({ min: 0, max: 300 }),
  status: fc.constantFrom<Acknowledgement['status']>('done', 'done', 'failed', 'unsupported'),
  loss: fc.constantFrom(null, 0.2, Number.NaN),
})
type Asking = typeof asking extends fc.Arbitrary<infer T> ? T : never

const receivedAt = '2026-01-01T00:00:00.000Z'
const said = (body: object): Observation => ({ ...body, number: 0, receivedAt }) as Observation

/** The log of the same job, with branches asked for and answered in it: the job answers what is asked of it then. */
function withBranches(log: readonly Observation[], askings: readonly Asking[]): Observation[] {
  const place = (thousandths: number) => Math.max(1, Math.floor((thousandths / 1_000) * log.length))
  const longer: Observation[] = []
  let state = initialState()
  const add = (observation: Observation) => {
    longer.push({ ...observation, number: longer.length + 1 })
    state = tune(state, longer.at(-1)!).state
  }
  for (const [i, observation] of log.entries()) {
    for (const { at, later, status, loss } of askings) {
      const open = state.actions.find(({ kind }) => kind === 'branch')
      if (open?.kind !== 'branch' || place(at) + later !== i) continue
      const branch = { fromStep: open.atStep, steps: open.steps, loss }
      const acknowledgement = { actionId: open.id, status, step: state.seen.step, detail: 'so', branch }
      add(said({ kind: 'acknowledgement', acknowledgement }))
    }
    for (const { at, steps } of askings)
      if (place(at) === i)
        add(said({ kind: 'command', command: { kind: 'branch', steps, reason: 'to see', by: 'test' } }))
    add(observation)
  }
  return longer
}

const isOfABranch = ({ kind, reason }: Decision): boolean =>
  kind === 'branch' ||
  reason.key.startsWith('noted-branch') ||
  // Records that a refused wish shares with others: there is no other command of these in these logs.
  reason.key === 'noted-annealing' ||
  reason.key === 'noted-ended'

/** Of a record that names another one by its number: which of those that are compared it is. */
const numbered = (decisions: readonly Decision[]): unknown[] => {
  const places = new Map(decisions.map(({ number }, i) => [number, i + 1]))
  const place = (number: number | null | undefined) => (number == null ? number : places.get(number))
  return decisions.map(({ cause: _, summary: __, whyNotYet: ___, ...decision }) => ({
    ...decision,
    number: place(decision.number),
    ...(decision.answers === undefined ? {} : { answers: place(decision.answers) }),
    reason: {
      ...decision.reason,
      values: { ...decision.reason.values, number: place(decision.reason.values.number) ?? null },
    },
  }))
}

/** All that a run is but its branches, and the numbers of its records. */
function trunkOf({ branches, branchCount, decisionCount, person, actions, ...rest }: TunerState): unknown {
  const proposal = person.proposal === null ? null : { ...person.proposal, number: 0 }
  const own = actions.filter(({ kind }) => kind !== 'branch')
  return { ...rest, actions: own, person: { ...person, proposal } }
}

describe('a run with branches', () => {
  it.each(logs)('decides, plans and ends as the same run without: $name', ({ log }) => {
    const plain = foldedLog(log)
    const kinds = new Set<string>()
    fc.assert(
      fc.property(fc.array(asking, { minLength: 1, maxLength: 4 }), (askings) => {
        const longer = foldedLog(withBranches(log, askings))
        expect(trunkOf(longer.state)).toEqual(trunkOf(plain.state))
        const own = longer.decisions.filter((decision) => !isOfABranch(decision))
        expect(numbered(own)).toEqual(numbered(plain.decisions.filter((decision) => !isOfABranch(decision))))
        for (const { kind } of longer.decisions) kinds.add(kind)
      }),
      { numRuns: 12, seed },
    )
    expect(kinds).toContain('branch')
  })

  it.each(logs)(
    'has at most one that is not done, each told at its beginning and its end: $name',
    ({ log }) => {
      fc.assert(
        fc.property(fc.array(asking, { minLength: 1, maxLength: 8 }), (askings) => {
          const { state, decisions } = foldedLog(withBranches(log, askings), (now) => {
            expect(now.branches.filter((one) => one.state === 'asked').length).toBeLessThanOrEqual(1)
            expect(now.branches.length).toBeLessThanOrEqual(branchesMax)
            return now
          })
          const told = decisions.filter(({ kind }) => kind === 'branch')
          const begun = told.filter(({ reason }) => reason.key === 'branch-begun')
          const ended = told.filter(({ reason }) => reason.key !== 'branch-begun')
          const open = state.branches.filter((one) => one.state === 'asked').length
          expect(ended.map(({ reason }) => reason.values.number)).toEqual(
            begun.slice(0, begun.length - open).map(({ number }) => number),
          )
          expect(begun.length).toBe(state.branchCount)
          for (const { fromStep, steps } of state.branches) {
            expect(steps).toBeGreaterThanOrEqual(2)
            // The job may have begun it some steps later than it was asked to.
            expect(steps).toBeLessThanOrEqual(fromStep)
          }
        }),
        { numRuns: 8, seed },
      )
    },
  )

  it('is offered by every job that offers everything', () => {
    expect(allCapabilities).toContain('branch')
  })
})
