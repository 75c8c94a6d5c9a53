// What the server says of itself.

import { healthSchema, versionSchema } from '../../../protocol/schemas.ts'
import type { Operations } from './operation.ts'

export const stateOperations: Operations = {
  '/healthz': {
    get: { id: 'readHealth', scope: 'open', summary: 'Is the process alive', answers: { 200: healthSchema } },
  },
  '/readyz': {
    get: {
      id: 'readReadiness',
      scope: 'open',
      summary: 'Is the storage writable',
      answers: { 200: healthSchema },
      problems: ['not-ready', 'server-ending'],
    },
  },
  '/version': {
    get: { id: 'readVersion', keepsToProject: true, summary: 'Versions', answers: { 200: versionSchema } },
  },
}
