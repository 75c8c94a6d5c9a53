// What each address of the HTTP API takes and answers, as data: the schemas that parse requests are those named here, and
// so are the answers' (a test holds every answer to them). openapi.ts makes the contract from it.

import { accessOperations } from './operations/access.ts'
import { adviceOperations } from './operations/advice.ts'
import { controlOperations } from './operations/control.ts'
import type { Operations } from './operations/operation.ts'
import { readOperations } from './operations/reads.ts'
import { runOperations } from './operations/runs.ts'
import { stateOperations } from './operations/states.ts'
import { transferOperations } from './operations/transfer.ts'
import { webhookOperations } from './operations/webhooks.ts'

export { type Method, type Operation, problemsOf, scopesOf } from './operations/operation.ts'

export const operations: Operations = {
  ...runOperations,
  ...transferOperations,
  ...readOperations,
  ...controlOperations,
  ...adviceOperations,
  ...accessOperations,
  ...webhookOperations,
  ...stateOperations,
}
