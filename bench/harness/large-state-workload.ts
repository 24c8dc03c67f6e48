import { kafkaStreams } from './kafka-streams.ts'
import { runStreamWorkload, type StreamNumber, streamNumbers } from './stream-workload.ts'
import { weir } from './weir.ts'
import type { Workload } from './workload.ts'

const MiB = 2 ** 20
/** Of a row besides the value: the key, the store's timestamp, the count. */
const rowOverheadBytes = 15 + 8 + 8

/** State that grows to many times the block cache: each record reads its key's row and writes it anew. */
export const largeState: Workload<StreamNumber | 'blockCacheBytes' | 'timesTheCache' | 'valueBytes'> = {
  name: 'large-state',
  description:
    'each record reads and writes the row of its key, in state ten times larger than the block cache',
  variants: ['uniform'],
  systems: ['kafka-streams', 'weir'],
  numbers: {
    ...streamNumbers,
    records: [3_000_000, 'input records'],
    blockCacheBytes: [
      64 * MiB,
      "RocksDB's block cache, half of which may be write buffers; the same for both",
    ],
    timesTheCache: [10, 'how many times the block cache the rows of all keys take'],
    valueBytes: [500, 'bytes of a value'],
    memoryBytes: [1024 * MiB, 'WEIR_MEMORY_BYTES'],
  },
  run(options, log) {
    const { blockCacheBytes, timesTheCache, valueBytes, memoryBytes } = options
    const keys = Math.ceil((timesTheCache * blockCacheBytes) / (valueBytes + rowOverheadBytes))
    const writeBufferBytes = blockCacheBytes / 2
    const variant = {
      name: 'uniform',
      settings: { keys, blockCacheBytes, writeBufferBytes },
      stateCacheBytes: 64 * MiB,
      topics: [],
      loader: 'LoadTopic',
      load: { keys, valueBytes },
      verifier: 'VerifyCounts',
    }
    const peer = { peer: 'LargeStatePeer', blockCacheBytes, writeBufferBytes }
    const systems = [
      kafkaStreams({ ...peer, hasCache: false }),
      kafkaStreams({ ...peer, hasCache: true }),
      weir('bench/pipeline/large-state.ts', {
        WEIR_MEMORY_BYTES: String(memoryBytes),
        WEIR_ROCKSDB_BLOCK_CACHE_BYTES: String(blockCacheBytes),
        WEIR_ROCKSDB_WRITE_BUFFER_BYTES: String(writeBufferBytes),
      }),
    ]
    return runStreamWorkload({ name: 'large-state', variants: [variant], systems }, options, log)
  },
}
