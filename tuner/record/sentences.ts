// The number formats, under the name by which the records know them.

export {
  formatEvidence,
  formatNumber,
  formatPair,
  formatPercent,
  formatPlural,
  formatRate,
  formatStep,
} from '../../protocol/numbers.ts'
