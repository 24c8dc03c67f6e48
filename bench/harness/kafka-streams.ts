import { peerClassPath, toArguments } from './java.ts'
import { type System, type SystemOptions, SystemProcess } from './system.ts'

// The parallel collector costs the fewest CPU cycles a record; pauses do not matter for throughput.
const jvmFlags = ['-server', '-Xms1g', '-Xmx2g', '-XX:+UseParallelGC']

/** Kafka Streams in one of two set-ups: every update forwarded, or updates held back in a record cache until a commit. */
export function kafkaStreams(hasCache: boolean): System {
  const name = hasCache ? 'kafka-streams-caching' : 'kafka-streams'
  return {
    name,
    family: 'kafka-streams',
    forwardsEveryUpdate: !hasCache,
    describe: () => ({ jvmFlags, caching: hasCache, settings: 'bench/peers/kafka-streams/CountPeer.java' }),
    async start(options: SystemOptions) {
      const args = toArguments({
        bootstrap: options.bootstrapServers,
        applicationId: options.applicationId,
        input: options.inputTopic,
        output: options.outputTopic,
        records: options.records,
        threads: options.threads,
        commitIntervalMs: options.commitIntervalMs,
        cacheBytes: hasCache ? options.stateCacheBytes : 0,
        stateDir: options.stateDir,
      })
      const jvm = [...jvmFlags, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', peerClassPath()]
      return new SystemProcess({
        name,
        command: 'java',
        args: [...jvm, 'weir.bench.CountPeer', ...args],
        logFile: options.logFile,
      })
    },
  }
}
