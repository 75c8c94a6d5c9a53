// What a person can do with a run: when it is possible, what is said before and after.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ControlAnswer, Decision, RunSummary, Scope, WhatIfAnswer } from '../../protocol/vocabulary.ts'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { access } from '../state/access.ts'
import { checkWishes, withWish } from '../state/wishes.ts'
import { expiryWords, waitingCost } from './approvalForm.tsx'
import { examples, isOurs } from './connect/examples.ts'
import { branchSteps } from './control/branchForm.tsx'
import { budgetOf, budgetWords } from './control/budgetForm.tsx'
import { detailsChange, tagsOf } from './control/detailsForm.tsx'
import { clampedTo, sliderDecades } from './control/overrideFields.ts'
import { undoUntilOf, whyNot } from './control/possible.ts'
import { annealFromNow, switchWords } from './control/switchForms.tsx'
import { outcomeOf } from './formParts.tsx'
import { divergedNote, driftCost } from './notes.ts'
import { formatFor } from './saveReport.ts'
import { fileName } from './schedulePanel.tsx'
import { fateWords, isHeard, sentOf } from './sentFate.ts'
import { headline, measuresOf } from './whatIf/differences.ts'
import { fateWords as endWords, fateOf } from './words.ts'

const { run, decisions, series } = syntheticRun({ id: 'a', step: 3120, budgetSteps: 6000 })
const annealing = syntheticRun({ id: 'b', step: 4500, budgetSteps: 6000 }).run

describe('what is possible now', () => {
  test('nothing, with a token that can read only; until it is known, everything', () => {
    const holding = (...scopes: Scope[]) => {
      access.value = { isRequired: true, caller: { name: 't', scopes, project: null, expiresAt: null } }
      return whyNot(annealing, 'undo-switch')
    }
    expect(holding('read', 'write')).toBe('Your token can read only.')
    expect(holding('control')).toBeNull()
    expect(holding('admin')).toBeNull()
    access.value = null
    expect(whyNot(annealing, 'undo-switch')).toBeNull()
  })

  test('a switch is undone while a fifth of the budget is left, and only where there is one', () => {
    expect(undoUntilOf(run)).toBe(4800)
    expect(whyNot(run, 'undo-switch')).toBe('There is no switch to undo.')
    expect(whyNot(annealing, 'undo-switch')).toBeNull()
    expect(whyNot({ ...annealing, step: 4801 }, 'undo-switch')).toMatch(/^Too late to undo/)
    expect(undoUntilOf({ ...run, budgetSteps: null })).toBeNull()
  })

  test('copies need a job that offers them, in the large step, one at a time', () => {
    const offering: RunSummary = { ...run, options: { ...run.options, capabilities: ['branch'] } }
    const open = { number: 9, fromStep: 100, steps: 50, state: 'asked', loss: null, promised: null } as const
    expect(whyNot(run, 'branch')).toBe('The job does not offer to anneal copies.')
    expect(whyNot(offering, 'branch')).toBeNull()
    expect(whyNot({ ...offering, branches: [open] }, 'branch')).toMatch(/already/)
    expect(whyNot({ ...offering, phase: 'anneal' }, 'branch')).toMatch(/anneal/)
  })

  test('advice steers nothing, but pausing, the mode and the end reach every job that has not ended', () => {
    const advised = { ...run, mode: 'advisory' as const }
    for (const wish of ['override', 'switch-now', 'branch'] as const)
      expect(whyNot(advised, wish)).toMatch(/advisory/)
    for (const wish of ['pause', 'finish', 'mode', 'budget'] as const) {
      expect(whyNot(advised, wish)).toBeNull()
      expect(whyNot({ ...advised, state: 'finished' }, wish)).toBe('The run has ended.')
    }
  })
})

describe('what is said before it is sent', () => {
  test('a switch: where it ends, what it is expected to cost, until when it can be undone', () => {
    const words = switchWords(run, decisions.at(-1)!).join(' ')
    expect(words).toContain('ends at step 6,000 at the latest')
    expect(words).toMatch(/Expected final loss [\d.]+ instead of [\d.]+\./)
    expect(words).toContain('You can undo it until step 4,800.')
    expect(switchWords(run, null).join(' ')).toContain('not known yet')
    expect(annealFromNow(run)).toMatchObject([{ fromStep: 3120, toStep: 6000, from: 0.1, to: 0 }])
  })

  test('a budget that lies behind the present step ends the run, and says so', () => {
    expect(budgetWords(run, 2000)).toMatch(/^Step 2,000 is over: the run ends/)
    expect(budgetWords(run, 8000)).toBe('The run ends at step 8,000, and the plan is made anew for that.')
    expect([budgetOf('8,000'), budgetOf('none'), budgetOf('12'), budgetOf('')]).toEqual([
      8000,
      null,
      undefined,
      undefined,
    ])
  })

  test('a rate outside of the limits is the limit, and the slider ends there', () => {
    expect(clampedTo(run, 0.9)).toBe(0.3)
    expect(10 ** sliderDecades(run).high).toBeCloseTo(0.3, 12)
    const free = {
      ...run,
      options: { ...run.options, learningRate: { initial: null, min: null, max: null } },
    }
    expect(clampedTo(free, 7)).toBe(7)
    expect(sliderDecades(free)).toEqual({ low: Math.log10(0.001), high: Math.log10(1) })
  })

  test('a copy takes from 2 steps up to as many as the run has taken', () => {
    expect([
      branchSteps('', run),
      branchSteps('500', run),
      branchSteps('1', run),
      branchSteps('9,999', run),
    ]).toEqual([null, 500, undefined, undefined])
  })

  test('name, project and tags send what differs alone', () => {
    const { name, project, tags } = run.options
    const same = { name, project, tags: tags.join(', ') }
    expect(detailsChange(same, run)).toEqual({})
    expect(detailsChange({ ...same, name: ' b ', tags: 'x, y,x' }, run)).toEqual({
      name: 'b',
      tags: ['x', 'y'],
    })
    expect(tagsOf(' , a,')).toEqual(['a'])
  })
})

describe('what became of it', () => {
  const answer: ControlAnswer = { run, plan: run.plan, actions: [], decisions: [decisions.at(-1)!] }
  const sent = sentOf(answer, true)
  test('sent, then heard of, then applied from the step at which the reported rates are the plan’s', () => {
    expect(isHeard(sent, run)).toBe(false)
    expect(fateWords(sent, null, run, series.signals.learningRate)).toMatch(/^Sent\./)
    const later = {
      ...run,
      step: 3150,
      plan: {
        version: 7,
        segments: [
          {
            ...run.plan.segments[0]!,
            fromStep: 3120,
            toStep: 4000,
            shape: 'constant' as const,
            from: 0.03,
            to: 0.03,
          },
        ],
      },
    }
    expect(isHeard(sent, later)).toBe(true)
    const rates = (last: number[]) => ({
      step: last.map((_, i) => 3120 + 10 * i),
      min: last,
      max: last,
      last,
      count: last.map(() => 10),
      nonFinite: last.map(() => 0),
    })
    expect(fateWords(sent, 3150, later, rates([0.1, 0.03, 0.03]))).toBe('Applied at step 3,130.')
    expect(fateWords(sent, 3150, later, rates([0.1, 0.1, 0.1]))).toMatch(/its rates do not show it yet/)
    expect(fateWords(sent, 3150, { ...later, learningRate: null }, undefined)).toMatch(/reports no rate/)
  })

  test('a command without sense now is told as not done, in the record’s words', () => {
    const noted: Decision = {
      ...decisions.at(-1)!,
      summary: 'Nothing done: the run is not paused.',
      reason: { key: 'noted-not-paused', values: {} },
    }
    expect(outcomeOf({ ok: true, value: { ...answer, decisions: [noted] } }, false)).toEqual({
      ok: false,
      words: 'Nothing done: the run is not paused.',
    })
  })

  test('a question that has ended tells how, and one that waits until when', () => {
    const asked: Decision = {
      ...decisions.at(-1)!,
      kind: 'switch',
      status: 'awaiting-approval',
      reason: { key: 'x', values: { expiresAtStep: 3300 } },
    }
    const ended: Decision = {
      ...asked,
      number: asked.number + 3,
      step: 3300,
      status: 'expired',
      answers: asked.number,
    }
    expect(fateOf(asked, [asked])).toBeUndefined()
    expect(endWords(fateOf(asked, [asked, ended])!)).toBe('It expired at step 3,300:')
    const slow = { ...run, stepsPerSecond: 0.5, state: 'waiting' as const }
    expect(expiryWords(asked, slow)).toBe('Expires at step 3,300: in 180 steps, about 6 min.')
    expect(waitingCost({ ...asked, alternatives: [] }, asked)).toMatch(/not known/)
    const now = {
      kind: 'now',
      switchStep: 3120,
      finalLoss: 0.286,
      standardError: 0.0001,
      low: 0,
      high: 1,
    } as const
    const later = {
      ...asked,
      number: asked.number + 1,
      step: 3240,
      alternatives: [{ ...now, finalLoss: 0.287 }],
    }
    expect(waitingCost({ ...asked, step: 3120, alternatives: [now] }, later)).toBe(
      'Begun at step 3,120 it was to end at a loss of 0.286, from step 3,240 at 0.287.',
    )
  })
})

describe('what must be said first', () => {
  const losses = (nonFinite: number[]) => ({
    step: nonFinite.map((_, i) => 3000 + 10 * i),
    min: nonFinite.map(() => null),
    max: nonFinite.map(() => null),
    last: nonFinite.map(() => null),
    count: nonFinite.map((bad) => (bad > 0 ? 0 : 10)),
    nonFinite,
  })
  test('a loss that is not finite any more, and a guard that has just acted', () => {
    expect(divergedNote(run, decisions, losses([0, 10, 10]))).toBe(
      'The loss is NaN or infinite since step 3,010.',
    )
    expect(divergedNote(run, [], losses([10, 10, 0]))).toBeNull()
    expect(divergedNote(run, [], losses([0, 0, 2]))).toBeNull()
    const guard = decisions.find(({ kind }) => kind === 'guard')!
    expect(divergedNote(run, [guard, { ...guard, kind: 'hold' }], undefined)).toContain(guard.summary)
    expect(divergedNote({ ...run, state: 'diverged' }, [guard], undefined)).toBeNull()
  })

  test('an anneal that is not applied: what that costs, where a forecast knows it', () => {
    const drift = { sinceStep: 4000, applied: 0.1, planned: 0.03 }
    const told = { ...decisions.at(-1)!, step: 3960 }
    const loss = (kind: 'now' | 'never', finalLoss: number) =>
      ({ kind, switchStep: null, finalLoss, standardError: 0.0001, low: 0, high: 1 }) as const
    const both = { ...told, alternatives: [loss('now', 0.28), loss('never', 0.31)] }
    expect(driftCost({ ...annealing, drift }, [both])).toBe(
      'Without the anneal a final loss of 0.31 was expected at step 3,960, with it 0.28.',
    )
    expect(driftCost({ ...annealing, drift }, [])).toBeNull()
    expect(driftCost({ ...run, drift }, [both])).toBeNull()
  })
})

describe('what if', () => {
  test('only what differs is asked, and what is no setting has its sentence', () => {
    const wishes = withWish(withWish({}, run, 'budget', '4000'), run, 'mode', run.mode)
    expect(wishes).toEqual({ budget: '4000' })
    expect(checkWishes(wishes, run)).toEqual({ request: { budgetSteps: 4000 }, errors: {}, sound: true })
    expect(checkWishes({ budget: '3', max: '-1', mode: 'x' }, run).sound).toBe(false)
    expect(checkWishes({ max: 'none', warmup: '0' }, run).request).toEqual({
      learningRate: { max: null },
      warmupSteps: 0,
    })
    const offered = {
      ...run,
      options: { ...run.options, capabilities: ['checkpoint', 'heldOutLoss'] as const },
    }
    expect(checkWishes({ without: 'heldOutLoss' }, offered).request).toEqual({ capabilities: ['checkpoint'] })
  })

  test('the answer says where the courses part', () => {
    const whatIf = {
      version: 1,
      segments: run.plan.segments.map((segment) =>
        segment.phase === 'anneal' ? { ...segment, fromStep: 3300 } : segment,
      ),
    }
    const answer: WhatIfAnswer = {
      run,
      plan: { real: run.plan, whatIf },
      decisions: [],
      decisionCount: { real: 5, whatIf: 4 },
      differsFrom: 3,
      observations: 10,
      commandsLeftOut: 0,
      runId: run.id,
      note: '',
    }
    expect(headline(run, answer)).toBe('Differs at: switch planned at step 3,960 → planned at step 3,300.')
    expect(headline(run, { ...answer, differsFrom: null })).toMatch(/^The same decisions/)
    expect(measuresOf(run, answer).at(-1)).toEqual({ name: 'Decisions', real: '5', whatIf: '4' })
  })
})

test('examples are the repository’s own, with Twostep’s lines marked and not its comments', () => {
  for (const { file, install } of Object.values(examples)) {
    if (install === null) continue
    const lines = readFileSync(new URL(`../../python/examples/${file}`, import.meta.url), 'utf8').split('\n')
    expect(lines.filter(isOurs).length).toBeGreaterThanOrEqual(2)
  }
  expect(isOurs('import twostep')).toBe(true)
  expect(isOurs('    run.step(loss)')).toBe(true)
  expect(isOurs('"""A loop that Twostep steers."""')).toBe(false)
  expect(isOurs('loss.backward()')).toBe(false)
})

test('files are named so that their framework can import them', () => {
  expect(fileName('my-run.1', 'pytorch')).toBe('schedule_my_run_1.py')
  expect(fileName('my-run', 'csv')).toBe('my-run-schedule.csv')
  expect(['Keras 3', 'jax', 'torch', 'transformers'].map(formatFor)).toEqual([
    'keras',
    'optax',
    'pytorch',
    'transformers',
  ])
})
