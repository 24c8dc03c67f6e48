import { kafkaStreams } from './kafka-streams.ts'
import { runStreamWorkload, type StreamNumber, streamNumbers } from './stream-workload.ts'
import { weir } from './weir.ts'
import { valueBytes, type Workload } from './workload.ts'

const MiB = 2 ** 20

/** A 1:N join: each record of the left stream is joined to its neighbours among the rows of its key, by a range scan. */
export const rangeJoin: Workload<StreamNumber | 'keys' | 'rowsPerKey' | 'neighbours' | 'valueBytes'> = {
  name: 'range-join',
  description: 'a 1:N join: each record scans about 100 rows of its key between two bounds',
  variants: ['uniform'],
  systems: ['kafka-streams', 'weir'],
  numbers: {
    records: [1_500_000, 'records of the left stream'],
    keys: [2_000, 'keys of both sides'],
    rowsPerKey: [500, 'rows of each key'],
    neighbours: [100, 'rows that a record is joined to, on average'],
    valueBytes,
    ...streamNumbers,
  },
  run(options, log) {
    const { keys, rowsPerKey, neighbours } = options
    const variant = {
      name: 'uniform',
      settings: { keys, rowsPerKey, neighbours },
      stateCacheBytes: 64 * MiB,
      topics: ['rows'],
      loader: 'LoadJoin',
      load: { keys, rowsPerKey, neighbours, valueBytes: options.valueBytes },
      verifier: 'VerifyJoin',
    }
    const systems = [
      kafkaStreams({ peer: 'RangeJoinPeer', hasCache: false }),
      kafkaStreams({ peer: 'RangeJoinPeer', hasCache: true, forwardsEveryUpdate: true }),
      weir('bench/pipeline/range-join.ts', { WEIR_MEMORY_BYTES: String(options.memoryBytes) }),
    ]
    return runStreamWorkload({ name: 'range-join', variants: [variant], systems }, options, log)
  },
}
