import { createRequire } from 'node:module'

import type * as Zod from 'zod'

const load = createRequire(import.meta.url)

/** zod, loaded when a setting is checked first: every stream thread imports the public face, and with it the settings, and none of them checks any. */
export function zod(): typeof Zod.z {
  return (load('zod') as typeof Zod).z
}
