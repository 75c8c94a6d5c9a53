// The part of an exported file that all formats share: the run's rates as data, and learning_rate(step), which needs
// Python's standard library alone. It evaluates the shapes by the same operations in the same order as protocol/plan.ts.

import { pythonFloat, pythonLines } from './literals.ts'
import type { Precision } from './precision.ts'
import type { Stretch } from './stretches.ts'

export type Rates = {
  /** The run's first step, from which a framework's counter counts. */
  readonly firstStep: number
  readonly applied: readonly Stretch[]
  readonly planned: readonly Stretch[]
  readonly precision: Precision
}

function stretchText(stretch: Stretch): string {
  const { firstStep } = stretch
  if (stretch.kind === 'held') return `    (${firstStep}, 1, "held", (${pythonFloat(stretch.rate)},)),`
  const { every } = stretch
  if (stretch.kind === 'listed') {
    const rates = pythonLines(stretch.rates.map(pythonFloat), ' '.repeat(8))
    return `    (${firstStep}, ${every}, "listed", (\n${rates}\n    )),`
  }
  const { shape, fromStep, toStep, from, to } = stretch.segment
  const numbers = `${fromStep}, ${toStep}, ${pythonFloat(from)}, ${pythonFloat(to)}`
  return `    (${firstStep}, ${every}, "${shape}", (${numbers})),`
}

const tuple = (name: string, stretches: readonly Stretch[]) =>
  stretches.length === 0 ? `${name} = ()` : `${name} = (\n${stretches.map(stretchText).join('\n')}\n)`

/** What becomes of a rate by a formula so that it is the one that was reported. */
function rounding(precision: Precision): { readonly imports: readonly string[]; readonly text: string } {
  if (precision.kind === 'single')
    return {
      imports: ['struct'],
      text: `    # As the job has reported it: of a 32-bit number nine digits.
    return float(f"{struct.unpack('<f', struct.pack('<f', rate))[0]:.9g}")`,
    }
  if (precision.kind === 'relative') return { imports: [], text: '    return rate' }
  const { digits } = precision
  return {
    imports: [],
    text: `    # As the job has reported it: ${digits} digits.\n    return float(f"{rate:.${digits}g}")`,
  }
}

const shapes = `def _shaped(shape, step, from_step, to_step, start, end):
    if step >= to_step:
        return end
    if step <= from_step:
        return start
    z = (step - from_step) / (to_step - from_step)
    if shape == "linear":
        return start + (end - start) * z
    if shape == "cosine":
        return end + ((start - end) * (1 + math.cos(math.pi * z))) / 2
    if shape == "oneMinusSqrt":
        return end + (start - end) * (1 - math.sqrt(z))
    return start * (end / start) ** z  # exponential`

/** `modules`: of the standard library, needed besides. */
export function ratesText(
  { firstStep, applied, planned, precision }: Rates,
  modules: readonly string[] = [],
): string {
  const { imports, text } = rounding(precision)
  const imported = ['bisect', 'math', ...imports, ...modules].sort().map((name) => `import ${name}`)
  return `${imported.join('\n')}

#: The run's first step. A framework's counter begins at 0: its k-th step has the rate of FIRST_STEP + k.
FIRST_STEP = ${firstStep}

# One entry a stretch of steps, which holds until the next begins: its first step, how many steps a rate holds, and
#   "held" (rate), "listed" (one rate after the other),
#   or a shape of the plan (from_step, to_step, rate at the one, rate at the other), of which the steps may be a part.
# fmt: off
${tuple('APPLIED', applied)}
${tuple('PLANNED', planned)}
# fmt: on

_STRETCHES = APPLIED + PLANNED
_FIRST_STEPS = [stretch[0] for stretch in _STRETCHES]


def learning_rate(step: int) -> float:
    """The rate of a step, by the run's own numbers; before the first step the first rate, after the last the last."""
    index = max(0, bisect.bisect_right(_FIRST_STEPS, step) - 1)
    first, every, shape, numbers = _STRETCHES[index]
    place = max(0, step - first) // every
    if shape == "held":
        return numbers[0]
    if shape == "listed":
        return numbers[min(place, len(numbers) - 1)]
    rate = _shaped(shape, first + place * every, *numbers)
    return _as_reported(rate) if index < len(APPLIED) else rate


${shapes}


def _as_reported(rate):
${text}
`
}
