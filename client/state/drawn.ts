// Which signals the page draws, and therefore asks for: those of the panels that are open, and those that a person has
// added. A run may have hundreds of others.

import { type PanelId, panelIds } from '../charts/spec.ts'
import type { RunAddress } from './address.ts'

const signalsOfPanel: Readonly<Record<PanelId, readonly string[]>> = {
  loss: ['loss', 'lossSmoothed', 'averagedLoss', 'forecastLoss', 'forecastLossLow', 'forecastLossHigh'],
  gains: ['stayingGain', 'stayingGainError', 'annealingGain', 'annealingGainError'],
  rate: ['learningRate'],
  regime: ['regimeIndex', 'regimeIndexLow', 'regimeIndexHigh'],
  noise: ['noiseScale', 'noiseScaleError', 'batchSize'],
  ratio: ['rateRatio', 'criticalLearningRate'],
}

/** Of the usual panels; every other signal is a line of its last values. A signal that a person adds is drawn with them. */
const drawnWithExtremes: readonly string[] = ['loss', 'learningRate']

/** Those of the drawn signals whose least and most of each bucket are drawn. */
export const extremeSignals = (address: Pick<RunAddress, 'signals' | 'closed'>): readonly string[] =>
  drawnSignals(address).filter((name) => drawnWithExtremes.includes(name) || address.signals.includes(name))

/** Without repeats, in order of the panels. */
export function drawnSignals({ signals, closed }: Pick<RunAddress, 'signals' | 'closed'>): readonly string[] {
  const open = panelIds.filter((id) => id === 'loss' || !closed.includes(id))
  return [...new Set([...open.flatMap((id) => signalsOfPanel[id]), ...signals])]
}
