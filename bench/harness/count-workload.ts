import { kafkaStreams } from './kafka-streams.ts'
import { runStreamWorkload, type StreamNumber, type StreamVariant, streamNumbers } from './stream-workload.ts'
import type { System } from './system.ts'
import { weir } from './weir.ts'
import { valueBytes, type Workload } from './workload.ts'

const MiB = 2 ** 20

/** Counts records per key. */
export const count: Workload<StreamNumber | 'keys' | 'hotKeys' | 'valueBytes'> = {
  name: 'count',
  description: 'records counted by key: get, put, changelog, output',
  variants: ['uniform-64MiB', 'uniform-cached', 'hot', 'exactly-once'],
  systems: ['kafka-streams', 'weir'],
  numbers: {
    records: [4_000_000, 'input records'],
    keys: [1_000_000, 'keys of the uniform variants'],
    hotKeys: [50_000, 'keys of the variant hot'],
    valueBytes,
    ...streamNumbers,
  },
  run(options, log) {
    const variant = (name: string, keys: number, stateCacheBytes: number): StreamVariant => ({
      name,
      settings: { keys },
      stateCacheBytes,
      topics: [],
      loader: 'LoadTopic',
      load: { keys, valueBytes: options.valueBytes },
      verifier: 'VerifyCounts',
    })
    const counting = weir('bench/pipeline/count.ts', { WEIR_MEMORY_BYTES: String(options.memoryBytes) })
    const variants = [
      variant('uniform-64MiB', options.keys, 64 * MiB),
      variant('uniform-cached', options.keys, 512 * MiB),
      variant('hot', options.hotKeys, 64 * MiB),
      {
        ...variant('exactly-once', options.hotKeys, 64 * MiB),
        processingGuarantee: 'exactly_once_v2' as const,
        // What the guarantee costs: the same commit interval without it.
        besides: [underAtLeastOnce(counting)],
      },
    ]
    const systems = [
      kafkaStreams({ peer: 'CountPeer', hasCache: false }),
      kafkaStreams({ peer: 'CountPeer', hasCache: true }),
      counting,
    ]
    return runStreamWorkload({ name: 'count', variants, systems }, options, log)
  },
}

function underAtLeastOnce(system: System): System {
  return {
    ...system,
    name: 'weir-at-least-once',
    start: (options) => system.start({ ...options, processingGuarantee: 'at_least_once' }),
  }
}
