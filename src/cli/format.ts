/** Numbers for people. */

const count = new Intl.NumberFormat('en-US')

/** 104,322 */
export function formatCount(value: number): string {
  return count.format(Math.round(value))
}

/** 3.2 s */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

/** 0.4 ms, 12 ms, 3.2 s, 4 min 10 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0 s'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return formatSeconds(ms)
  const seconds = Math.round(ms / 1_000)
  const [large, small, largeUnit, smallUnit] =
    seconds < 3_600
      ? [Math.floor(seconds / 60), seconds % 60, 'min', 's']
      : seconds < 86_400
        ? [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), 'h', 'min']
        : [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3_600), 'd', 'h']
  return `${formatCount(large)} ${largeUnit} ${small} ${smallUnit}`
}

/** 97.3 % */
export function formatPercent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}
