// A message that was too large for the server, as two smaller ones that say the same in the same order. Where it cannot be
// divided, its one step is given up for what else it says.

import type { Message } from './messageQueue.ts'

type Events = {
  readonly probes?: readonly { readonly step: number }[]
  readonly acknowledgements?: readonly { readonly step: number }[]
}

/** Two; undefined where it has too few steps to be divided. */
function halvesOf(message: Message): readonly [Message, Message] | undefined {
  const { steps, ...rest } = message
  const { probes, acknowledgements, ...head } = rest as typeof rest & Events
  const middle = Math.ceil((steps?.step.length ?? 0) / 2)
  if (steps === undefined || middle < 1 || steps.step.length < 2) return undefined
  const border = steps.step[middle]!
  const half = (
    from: number,
    to: number | undefined,
    isIn: (event: { step: number }) => boolean,
  ): Message => {
    const columns = Object.entries(steps).map(([name, column]) => [name, column.slice(from, to)])
    const kept = Object.entries({ probes, acknowledgements }).flatMap(([name, events]) => {
      const some = events?.filter(isIn) ?? []
      return some.length === 0 ? [] : [[name, some]]
    })
    return { ...head, steps: Object.fromEntries(columns), ...Object.fromEntries(kept) }
  }
  return [half(0, middle, ({ step }) => step < border), half(middle, undefined, ({ step }) => step >= border)]
}

/** What to send instead of a message that is too large; undefined where nothing smaller says anything of it. */
export function smallerOf(
  message: Message,
): { readonly messages: readonly Message[]; readonly droppedSteps: number } | undefined {
  const halves = halvesOf(message)
  if (halves !== undefined) return { messages: halves, droppedSteps: 0 }
  const { steps, ...rest } = message
  const { planVersion: _version, ...events } = rest as typeof rest & { planVersion?: number }
  const hasEvents = 'probes' in events || 'acknowledgements' in events
  return steps !== undefined && hasEvents
    ? { messages: [events], droppedSteps: steps.step.length }
    : undefined
}
