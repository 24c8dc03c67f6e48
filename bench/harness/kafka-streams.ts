import { javaProperties, peerClassPath, toArguments } from './java.ts'
import { type System, type SystemOptions, SystemProcess } from './system.ts'

// The parallel collector costs the fewest CPU cycles a record; pauses do not matter for throughput.
const jvmFlags = ['-server', '-Xms1g', '-Xmx2g', '-XX:+UseParallelGC']

export interface KafkaStreamsSetup {
  /** Of bench/peers/kafka-streams/: `CountPeer`. */
  peer: string
  /** Whether stores have a record cache before them. */
  hasCache: boolean
  /** Default: without a cache. A cache under the DSL holds updates back until a commit; under the Processor API it does not. */
  forwardsEveryUpdate?: boolean
  /** What only this peer is given. */
  args?: Readonly<Record<string, string | number>>
  /** RocksDB's, for the process. Default 1 GiB, a quarter of it for write buffers. */
  blockCacheBytes?: number
  writeBufferBytes?: number
}

const MiB = 2 ** 20

/** Kafka Streams, tuned as bench/README.md says. */
export function kafkaStreams(setup: KafkaStreamsSetup): System {
  const { peer, hasCache, blockCacheBytes = 1024 * MiB, writeBufferBytes = 256 * MiB } = setup
  const name = hasCache ? 'kafka-streams-caching' : 'kafka-streams'
  return {
    name,
    family: 'kafka-streams',
    forwardsEveryUpdate: setup.forwardsEveryUpdate ?? !hasCache,
    describe: () => ({
      jvmFlags,
      caching: hasCache,
      blockCacheBytes,
      writeBufferBytes,
      settings: `bench/peers/kafka-streams/${peer}.java`,
    }),
    async start(options: SystemOptions) {
      const args = toArguments({
        bootstrap: options.bootstrapServers,
        applicationId: options.applicationId,
        ...options.topics,
        ...setup.args,
        records: options.records,
        threads: options.threads,
        commitIntervalMs: options.commitIntervalMs,
        guarantee: options.processingGuarantee,
        cacheBytes: hasCache ? options.stateCacheBytes : 0,
        stateDir: options.stateDir,
      })
      const jvm = [
        ...jvmFlags,
        ...javaProperties,
        `-Dbench.blockCacheBytes=${blockCacheBytes}`,
        `-Dbench.writeBufferBytes=${writeBufferBytes}`,
        '-cp',
        peerClassPath(),
      ]
      return new SystemProcess({
        name,
        command: 'java',
        args: [...jvm, `weir.bench.${peer}`, ...args],
        logFile: options.logFile,
      })
    },
  }
}
