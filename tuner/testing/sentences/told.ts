// Records as the sentences of say.ts are made from, for its test: what each case gives, and what it leaves as it is.

import type { Reason } from '../../../protocol/vocabulary.ts'
import type { say } from '../../record/say.ts'

type Told = Parameters<typeof say>[0]
export type Case = readonly [
  key: string,
  values: Reason['values'],
  sentence: string,
  more?: Partial<Told> & { readonly text?: string },
]

export const person = { by: 'somebody', reason: 'to see' }
const plan = {
  version: 3,
  segments: [{ fromStep: 900, toStep: 3_000, shape: 'constant', from: 0.02, to: 0.02 }],
} as const

/** A record of the large phase in auto mode, at step 900, with what a case changes. */
export function told(key: string, values: Reason['values'], more: Case[3] = {}): Told {
  const { text, ...rest } = more
  return {
    kind: 'hold',
    reason: { key, values, ...(text === undefined ? {} : { text }) },
    phase: { from: 'large', to: 'large' },
    status: 'applied',
    mode: 'auto',
    plan,
    step: 900,
    ...rest,
  }
}
