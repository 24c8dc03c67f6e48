import { median } from './results.ts'

/** A straight line through a series, and whether it rises. Times in minutes. */
export interface Trend {
  median: number
  max: number
  slopePerMinute: number
  /** Half the width of the slope's 95 % interval. */
  slopeUncertainty: number
  /** The line does not rise for sure, or by less than 2 % of the median in the time seen. */
  isFlat: boolean
}

const blocks = 10
/** Student's t for 95 % and blocks - 2 degrees of freedom. */
const studentsT = 2.306
const negligibleGrowth = 0.02

/**
 * Least squares through the means of ten blocks: samples close to each other are alike, and would make the slope look surer than it is.
 *
 * @throws Error with less than a sample for each block
 */
export function trendOf(samples: readonly { readonly minute: number; readonly value: number }[]): Trend {
  if (samples.length < blocks) throw new Error(`a trend takes ${blocks} samples, not ${samples.length}`)
  const points = Array.from({ length: blocks }, (_, block) => {
    const start = Math.floor((block * samples.length) / blocks)
    const end = Math.floor(((block + 1) * samples.length) / blocks)
    const ofBlock = samples.slice(start, end)
    return { x: mean(ofBlock.map(({ minute }) => minute)), y: mean(ofBlock.map(({ value }) => value)) }
  })
  const meanX = mean(points.map(({ x }) => x))
  const meanY = mean(points.map(({ y }) => y))
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2))
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread
  const errors = sum(points.map(({ x, y }) => (y - meanY - slope * (x - meanX)) ** 2))
  const uncertainty = studentsT * Math.sqrt(errors / (blocks - 2) / spread)
  const values = samples.map(({ value }) => value)
  const middle = median(values)
  const span = samples.at(-1)!.minute - samples[0]!.minute
  return {
    median: middle,
    max: Math.max(...values),
    slopePerMinute: slope,
    slopeUncertainty: uncertainty,
    isFlat: slope - uncertainty <= 0 || slope * span <= negligibleGrowth * middle,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
