/** Figures as people read them. What is not known is a dash. */

const dash = '–'
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** 1,234,567 @param {number | null | undefined} value */
export function count(value) {
  return isKnown(value) ? whole.format(value) : dash
}

/** 1.23 M @param {number | null | undefined} value */
export function compact(value) {
  if (!isKnown(value)) return dash
  for (const [size, unit] of /** @type {const} */ ([
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (value >= size) return `${short.format(value / size)} ${unit}`
  }
  return short.format(value)
}

/** 1,234/s @param {number | null | undefined} perSecond */
export function rate(perSecond) {
  if (!isKnown(perSecond)) return dash
  return `${perSecond < 10 ? short.format(perSecond) : whole.format(perSecond)}/s`
}

/** 12.3 MiB @param {number | null | undefined} value */
export function bytes(value) {
  if (!isKnown(value)) return dash
  for (const [size, unit] of /** @type {const} */ ([
    [2 ** 40, 'TiB'],
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ])) {
    if (value >= size) return `${short.format(value / size)} ${unit}`
  }
  return `${whole.format(value)} B`
}

/** 12 µs, 3.4 ms, 5 s, 2 min, 3 h 20 min @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (!isKnown(seconds)) return dash
  if (seconds < 0.001) return `${short.format(seconds * 1e6)} µs`
  if (seconds < 1) return `${short.format(seconds * 1e3)} ms`
  if (seconds < 60) return `${short.format(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** 47 % @param {number | null | undefined} part from 0 to 1 */
export function percent(part) {
  return isKnown(part) ? `${Math.floor(part * 100 + 1e-9)} %` : dash
}

/** 15:04:05 @param {number} timeMs */
export function time(timeMs) {
  return clock.format(timeMs)
}

/** @param {number | null | undefined} value @returns {value is number} */
function isKnown(value) {
  return value !== null && value !== undefined && Number.isFinite(value)
}
