// Sample tokens, audit and deleted runs for the gallery: plain ones, and such as are longer than their column.

import type { Access, AuditEntry, RemovedRuns, Token } from '../../protocol/vocabulary.ts'
import { secondsAgo } from './listScenes.ts'

const hour = 3_600
const day = 24 * hour

export const sampleAccess: Access = {
  isRequired: false,
  caller: { name: 'local', scopes: ['admin'], project: null, expiresAt: null },
}

export function sampleTokens(): Token[] {
  const token: Token = {
    id: 'tok_1',
    name: 'gpu-node-3',
    scopes: ['write'],
    project: 'vision',
    state: 'active',
    createdAt: secondsAgo(40 * day),
    expiresAt: secondsAgo(-50 * day),
    lastUsedAt: secondsAgo(20),
    revokedAt: null,
  }
  return [
    { ...token, id: 'tok_0', name: 'first', scopes: ['admin'], project: null, expiresAt: null },
    token,
    {
      ...token,
      id: 'tok_2',
      name: 'notebook of the night shift',
      scopes: ['read', 'write', 'control'],
      lastUsedAt: secondsAgo(3 * day),
    },
    { ...token, id: 'tok_3', name: 'wall-screen', scopes: ['read'], project: null, lastUsedAt: null },
  ]
}

export function sampleAudit(): AuditEntry[] {
  const entry: AuditEntry = {
    number: 41,
    at: secondsAgo(90),
    caller: 'first',
    tokenId: 'tok_0',
    operation: 'revokeToken',
    runId: null,
    detail: 'token "laptop" (tok_wq3jZr7dT0uV)',
    reason: '',
    from: '127.0.0.1',
    requestId: 'q41',
    status: 204,
  }
  const laptop = { ...entry, caller: 'laptop', tokenId: 'tok_4' }
  return [
    entry,
    {
      ...laptop,
      number: 40,
      at: secondsAgo(2 * hour),
      operation: 'override',
      runId: 'fashion-cnn-3',
      detail: 'rate 0.05 until step 900',
      reason: 'the loss of the last epoch rose twice, and the new data come in from step 900 on',
      status: 201,
    },
    {
      ...laptop,
      number: 39,
      at: secondsAgo(3 * hour),
      operation: 'approveDecision',
      runId: 'sweep_lr0.1297_wd0.0005_warmup200_seed42',
      detail: 'decision 99',
      reason: 'sure',
      status: 404,
    },
    {
      ...laptop,
      number: 38,
      at: secondsAgo(day),
      operation: 'command',
      runId: 'text-bytes-11',
      detail: 'pause',
    },
    {
      ...entry,
      number: 37,
      at: secondsAgo(2 * day),
      operation: 'createWebhook',
      detail: 'webhook to platform.example.org: decision, diverged',
      status: null,
    },
  ]
}

export function sampleRemoved(): RemovedRuns['runs'] {
  const run = {
    id: 'text-bytes-7',
    name: 'text-bytes-7',
    project: 'text',
    removedAt: secondsAgo(2 * hour),
    keptUntil: secondsAgo(2 * hour - 7 * day),
  }
  return [
    run,
    {
      ...run,
      id: 'sweep_lr0.1297_wd0.0005_warmup200_seed42',
      name: 'sweep lr=0.1297 wd=0.0005 warmup=200 seed=42',
      project: 'fashion',
      removedAt: secondsAgo(2 * day),
      keptUntil: secondsAgo(-5 * day),
    },
    { ...run, removedAt: secondsAgo(3 * day), keptUntil: secondsAgo(-4 * day) },
  ]
}
