// What a person does to a run.

import {
  approvalSchema,
  commandRequestSchema,
  controlAnswerSchema,
  overrideSchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import { reasonQuery } from '../queries.ts'
import type { Operation, Operations } from './operation.ts'

const one = `${apiPrefix}/runs/{id}`

const answering = (id: string, summary: string): Operation => ({
  id,
  summary,
  scope: 'control',
  body: approvalSchema,
  answers: { 200: controlAnswerSchema },
  problems: ['decision-not-found', 'decision-not-awaiting', 'run-finished'],
})

export const controlOperations: Operations = {
  [`${one}/decisions/{number}/approve`]: {
    post: answering('approveDecision', 'Approve a decision that waits'),
  },
  [`${one}/decisions/{number}/reject`]: { post: answering('rejectDecision', 'Reject a decision that waits') },
  [`${one}/overrides`]: {
    post: {
      id: 'override',
      summary: 'Take over the learning rate',
      scope: 'control',
      body: overrideSchema,
      answers: { 201: controlAnswerSchema },
      problems: ['run-finished'],
    },
  },
  [`${one}/overrides/current`]: {
    delete: {
      id: 'handBack',
      summary: 'Hand back',
      scope: 'control',
      query: reasonQuery,
      answers: { 200: controlAnswerSchema },
      problems: ['override-not-found'],
    },
  },
  [`${one}/commands`]: {
    post: {
      id: 'command',
      summary: 'Pause, resume, switch now, undo the switch, finish, or anneal a copy beside the run',
      // A job ends its own run.
      scope: ['control', 'write'],
      body: commandRequestSchema,
      answers: { 200: controlAnswerSchema },
      problems: ['run-finished'],
    },
  },
}
