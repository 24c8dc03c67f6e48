import type { Config } from '../config/config.ts'
import type { StateMemoryOptions } from '../native.ts'

/** The process's one memory for RocksDB, as configured. Every thread asks for the same. */
export function stateMemoryOptions(config: Config): StateMemoryOptions {
  return {
    blockCacheBytes: config.memory.blockCacheBytes,
    writeBufferBytes: config.memory.writeBufferBytes,
    backgroundThreads: config.rocksdbBackgroundThreads,
    readThreads: config.readThreads,
    maxOpenFiles: config.maxOpenFilesPerTask,
    rateLimitBytesPerSecond: config.rocksdbRateLimitBytesPerSecond,
    keptBytesMax: Math.floor(config.memory.overlayBytes / 8),
  }
}
