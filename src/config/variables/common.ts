/** What several groups of variables need. */
import { integer, text } from '../value-type.ts'

export const MiB = 2 ** 20
export const DAY_MS = 86_400_000

export const name = text({
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,200}$/,
  allowed: 'up to 200 letters, digits, dots, underscores and hyphens',
})
export const milliseconds = integer({ min: 0, max: DAY_MS })
