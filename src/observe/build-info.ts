import { createRequire } from 'node:module'

import { ioUringProblem, versions } from '../native.ts'

/** How blocks that a look-up needs, and that are not in memory, are read. */
export type ColdReads =
  /** Those of one look-up at the same time. */
  | { readonly by: 'io_uring' }
  /** One after the other; look-ups of very many keys are divided over WEIR_READ_THREADS. */
  | { readonly by: 'read-threads'; readonly reason: string }

/** What runs here, as the log, `/healthz` and `Application.health` tell it. */
export interface BuildInfo {
  readonly versions: { readonly weir: string; readonly librdkafka: string; readonly rocksdb: string }
  readonly coldReads: ColdReads
}

/** @throws NativeError for an addon with another librdkafka than it was built for */
export function buildInfo(): BuildInfo {
  const reason = ioUringProblem()
  return {
    versions: { weir: packageVersion(), ...versions() },
    coldReads: reason === null ? { by: 'io_uring' } : { by: 'read-threads', reason },
  }
}

/** The package's own, two folders up in the sources as in the package. */
function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
  return version
}
