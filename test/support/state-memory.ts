import type { StateMemoryOptions } from '../../src/native.ts'

const MiB = 2 ** 20

/** Memory for the few small databases of a test. All that one process acquires must agree, so its tests take these. */
export const smallStateMemory: StateMemoryOptions = {
  blockCacheBytes: 32 * MiB,
  writeBufferBytes: 16 * MiB,
  backgroundThreads: 2,
  readThreads: 2,
  maxOpenFiles: 64,
}
