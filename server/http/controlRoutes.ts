// A person's hand on a run: overrides and commands. Each is an observation of the run's log, so that a replay
// knows of it.

import type { Router } from 'express'
import { approvalSchema, commandOf, commandRequestSchema, overrideSchema } from '../../protocol/schemas.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { demand } from '../access/caller.ts'
import { ServerError } from '../errors.ts'
import { checkRunning, decisionNotFound } from '../runs/runErrors.ts'
import type { Runs } from '../runs/runs.ts'
import { callerOf } from './admission.ts'
import { parameter } from './answer.ts'
import { noteAction } from './audited.ts'
import { readJson } from './body.ts'
import { reasonQuery } from './queries.ts'
import { route } from './routes.ts'
import { parse } from './validate.ts'

function checkOverride(run: RunSummary, untilStep: number): void {
  checkRunning(run)
  if (untilStep > run.step) return
  throw new ServerError(
    'invalid-request',
    `/untilStep must be above the run's present step ${run.step}, got ${untilStep}`,
    { errors: [{ pointer: '/untilStep', detail: `must be above ${run.step}` }] },
  )
}

/** @throws ServerError unless the decision that the address names waits for a person. */
function checkAwaiting(run: RunSummary, text: string): void {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > run.decisionCount) throw decisionNotFound(run.id, text, run.decisionCount)
  checkRunning(run)
  if (run.awaitingDecision === number) return
  const instead = run.awaitingDecision === null ? 'none does' : `decision ${run.awaitingDecision} does`
  throw new ServerError(
    'decision-not-awaiting',
    `decision ${number} of run "${run.id}" does not await approval; ${instead}`,
  )
}

function addAnswerRoute(router: Router, runs: Runs, kind: 'approve' | 'reject'): void {
  route(router, `/runs/:id/decisions/:number/${kind}`, {
    post: async (request, response) => {
      const { reason } = parse(approvalSchema, await readJson(request))
      const text = parameter(request, 'number')
      noteAction(response, `decision ${text}`, reason)
      const command = { kind, decision: Number(text), reason, by: callerOf(response).name } as const
      const check = (run: RunSummary) => checkAwaiting(run, text)
      response.json(await runs.command(parameter(request, 'id'), command, check))
    },
  })
}

export function addControlRoutes(router: Router, runs: Runs): void {
  route(router, '/runs/:id/commands', {
    post: async (request, response) => {
      const body = parse(commandRequestSchema, await readJson(request))
      noteAction(response, body.kind, body.reason)
      if (body.kind !== 'finish') demand(callerOf(response), 'control')
      response.json(
        await runs.command(parameter(request, 'id'), commandOf(body, callerOf(response).name), checkRunning),
      )
    },
  })
  addAnswerRoute(router, runs, 'approve')
  addAnswerRoute(router, runs, 'reject')
  route(router, '/runs/:id/overrides', {
    post: async (request, response) => {
      const body = parse(overrideSchema, await readJson(request))
      noteAction(response, `rate ${body.learningRate} until step ${body.untilStep}`, body.reason)
      const command = { kind: 'override', ...body, by: callerOf(response).name } as const
      const check = (run: RunSummary) => checkOverride(run, body.untilStep)
      response.status(201).json(await runs.command(parameter(request, 'id'), command, check))
    },
  })
  route(router, '/runs/:id/overrides/current', {
    delete: async (request, response) => {
      const { reason } = parse(reasonQuery, request.query, 'query')
      noteAction(response, 'hand back', reason)
      const check = (run: RunSummary) => {
        if (run.override !== null) return
        throw new ServerError('override-not-found', `run "${run.id}" has no override in force`)
      }
      const command = { kind: 'hand-back', reason, by: callerOf(response).name } as const
      response.json(await runs.command(parameter(request, 'id'), command, check))
    },
  })
}
