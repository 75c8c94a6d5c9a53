// What is read of one run.

import {
  compactSeriesQuerySchema,
  compactSeriesSchema,
  decisionListSchema,
  decisionSchema,
  recommendationSchema,
  scheduleSchema,
  seriesQuerySchema,
  seriesSchema,
  transitionListSchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import { readsAtOnceMax, readsWaitingMax } from '../../runs/readGate.ts'
import { listDecisionsQuery, listTransitionsQuery, scheduleQuery } from '../queries.ts'
import type { Operations } from './operation.ts'

const one = `${apiPrefix}/runs/{id}`
const boundOfReads = `${readsAtOnceMax} such reads are made at once and ${readsWaitingMax} wait; beyond them 503 with Retry-After`

export const readOperations: Operations = {
  [`${one}/series`]: {
    get: {
      id: 'readSeries',
      isConditional: true,
      summary: `Charts: buckets of steps. ${boundOfReads}`,
      query: seriesQuerySchema,
      answers: { 200: seriesSchema },
      problems: ['signal-not-found', 'server-busy'],
    },
  },
  [`${one}/series/compact`]: {
    get: {
      id: 'readCompactSeries',
      isConditional: true,
      summary: 'The same in a fifth of the bytes, as the page loads it',
      query: compactSeriesQuerySchema,
      answers: { 200: compactSeriesSchema },
      problems: ['signal-not-found', 'server-busy'],
    },
  },
  [`${one}/decisions`]: {
    get: {
      id: 'listDecisions',
      isConditional: true,
      summary: 'Decisions in order',
      query: listDecisionsQuery,
      answers: { 200: decisionListSchema },
    },
  },
  [`${one}/transitions`]: {
    get: {
      id: 'listTransitions',
      isConditional: true,
      summary: 'Changes of the measured regime in order, each a decision with its test',
      query: listTransitionsQuery,
      answers: { 200: transitionListSchema },
    },
  },
  [`${one}/decisions/{number}`]: {
    get: {
      id: 'readDecision',
      summary: 'One decision',
      answers: { 200: decisionSchema },
      problems: ['decision-not-found'],
    },
  },
  [`${one}/recommendation`]: {
    get: { id: 'readRecommendation', summary: 'What to do now', answers: { 200: recommendationSchema } },
  },
  [`${one}/schedule`]: {
    get: {
      id: 'readSchedule',
      isConditional: true,
      summary: `The schedule, applied and planned; each step once, the first report of it. Named after a framework: a Python file. ${boundOfReads}`,
      query: scheduleQuery,
      answers: { 200: scheduleSchema },
      otherMedia: ['text/csv', 'text/x-python'],
      problems: ['server-busy'],
    },
  },
}
