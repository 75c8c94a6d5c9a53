// Logs of runs as files.

import { importAnswerSchema, logLineSchema } from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import { streamsAtOnceMax } from '../../runs/readGate.ts'
import { logMedia } from '../body.ts'
import { importQuery } from '../queries.ts'
import type { Operations } from './operation.ts'

const runs = `${apiPrefix}/runs`
const one = `${runs}/{id}`
const boundOfFiles = `${streamsAtOnceMax} such files are sent at once; beyond them 503 with Retry-After`

export const transferOperations: Operations = {
  [`${one}/export`]: {
    get: {
      id: 'exportRun',
      summary: `The log of a run as a file: a header, its observations, an end. ${boundOfFiles}`,
      answers: { 200: logLineSchema },
      answerLines: logMedia,
      problems: ['server-busy'],
    },
  },
  [`${runs}/import`]: {
    post: {
      id: 'importRun',
      summary: 'Make a run of an exported log',
      keepsToProject: true,
      scope: 'write',
      query: importQuery,
      body: logLineSchema,
      bodyLines: logMedia,
      answers: { 201: importAnswerSchema },
      problems: [
        'project-not-allowed',
        'run-exists',
        'run-busy',
        'server-busy',
        'too-many-metrics',
        'storage-failed',
        'storage-damaged',
        'disk-full',
      ],
    },
  },
}
