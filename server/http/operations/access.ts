// Tokens, what they allow, and the audit.

import {
  accessSchema,
  auditPageSchema,
  auditQuery,
  createTokenSchema,
  newTokenSchema,
  rotateTokenSchema,
  tokenListSchema,
} from '../../../protocol/schemas.ts'
import { apiPrefix } from '../../../protocol/version.ts'
import type { Operations } from './operation.ts'

export const accessOperations: Operations = {
  [`${apiPrefix}/access`]: {
    get: {
      id: 'readAccess',
      summary: 'Whether tokens are demanded here, and what the one that comes with this request allows',
      scope: 'open',
      answers: { 200: accessSchema },
      problems: ['token-invalid', 'token-expired', 'token-revoked', 'too-many-attempts'],
    },
  },
  [`${apiPrefix}/audit`]: {
    get: {
      id: 'readAudit',
      summary: 'Who did what to runs and tokens, newest first',
      scope: 'admin',
      query: auditQuery,
      answers: { 200: auditPageSchema },
      problems: ['storage-failed'],
    },
  },
  [`${apiPrefix}/tokens`]: {
    get: {
      id: 'listTokens',
      scope: 'admin',
      summary: 'Tokens, newest first',
      answers: { 200: tokenListSchema },
    },
    post: {
      id: 'createToken',
      summary: 'Make a token; its secret is in this answer alone',
      scope: 'admin',
      body: createTokenSchema,
      answers: { 201: newTokenSchema },
      problems: ['token-exists', 'too-many-tokens', 'storage-failed', 'disk-full'],
    },
  },
  [`${apiPrefix}/tokens/{token}`]: {
    delete: {
      id: 'revokeToken',
      summary: 'Revoke a token, at once',
      scope: 'admin',
      answers: { 204: null },
      problems: ['malformed-request', 'token-not-found', 'token-needed', 'storage-failed', 'disk-full'],
    },
  },
  [`${apiPrefix}/tokens/{token}/rotate`]: {
    post: {
      id: 'rotateToken',
      summary: 'A new secret for the same rights; the old one holds for the grace that is given',
      scope: 'admin',
      body: rotateTokenSchema,
      answers: { 201: newTokenSchema },
      problems: ['token-not-found', 'storage-failed', 'disk-full'],
    },
  },
}
