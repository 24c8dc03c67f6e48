import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { ClassArchive } from './class-archive.ts'
import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'
import { classPath, serviceDir } from './toolchain.ts'

export interface CassandraOptions {
  /** A folder for the node's data, kept by `stop()`. Default: temporary. */
  dataDir?: string | undefined
  /** Heap. Default 1024. */
  heapMegabytes?: number
  /** More of cassandra.yaml. */
  config?: Readonly<Record<string, unknown>>
  /** For a node that is started again and again: no optimised code, and an archive of its classes, which the first such call on a machine makes. Default false. */
  quickStart?: boolean
  /** What it has said yes to is on the disk, also when it is killed just then. Default false: the writes of a tenth of a second may be gone. */
  durable?: boolean
}

export interface CassandraService extends Service {
  readonly host: '127.0.0.1'
  /** CQL's native protocol. */
  readonly port: number
  /** What drivers ask for beside the address. */
  readonly localDataCenter: 'datacenter1'
}

const quickStartFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Starts one Cassandra 5.0.5 node, without authentication unless the options say so, on free ports of 127.0.0.1. Takes about 20 s. */
export async function startCassandra(options: CassandraOptions = {}): Promise<CassandraService> {
  return await startWith(options.quickStart === true ? await quickStart() : [], options)
}

async function quickStart(): Promise<string[]> {
  const archive = new ClassArchive(serviceDir('cassandra'))
  if (!archive.exists) {
    await archive.make(async (options) => {
      await using cassandra = await startWith([...quickStartFlags, ...options], {})
      await cassandra.shutDown()
    })
  }
  return [...quickStartFlags, ...archive.options]
}

/** @param flags of the JVM */
async function startWith(flags: readonly string[], options: CassandraOptions): Promise<CassandraService> {
  const [port, storagePort] = (await freePorts(2)) as [number, number]
  const heap = options.heapMegabytes ?? 1024
  const service = await startService({
    name: 'cassandra',
    dataDir: options.dataDir,
    async prepare(dir) {
      mkdirSync(dir, { recursive: true })
      const configFile = join(dir, 'cassandra.yaml')
      const logbackFile = join(dir, 'logback.xml')
      writeFileSync(configFile, nodeConfig(dir, port, storagePort, options))
      writeFileSync(logbackFile, logbackConfig)
      return {
        command: 'java',
        args: [
          `-Xmx${heap}m`,
          `-Xms${Math.min(heap, 256)}m`,
          '-Xss512k',
          ...flags,
          ...moduleOptions,
          `-Dcassandra.config=${pathToFileURL(configFile)}`,
          `-Dcassandra.storagedir=${dir}`,
          `-Dlogback.configurationFile=${logbackFile}`,
          '-Dcassandra-foreground=yes',
          // One node has nobody to wait for.
          '-Dcassandra.skip_wait_for_gossip_to_settle=0',
          '-Dcassandra.ring_delay_ms=100',
          '-Dcassandra.superuser_setup_delay_ms=0',
          '-Djdk.attach.allowAttachSelf=true',
          '-Dio.netty.tryReflectionSetAccessible=true',
          '-Djava.awt.headless=true',
          '-cp',
          classPath('cassandra'),
          'org.apache.cassandra.service.CassandraDaemon',
        ],
        logFile: join(dir, 'server.log'),
        isReady: (log) => log.includes('Startup complete'),
        startTimeoutMs: 180_000,
      }
    },
  })
  const address = { host: '127.0.0.1', port, localDataCenter: 'datacenter1' }
  return Object.defineProperties(address, Object.getOwnPropertyDescriptors(service)) as CassandraService
}

function nodeConfig(
  dir: string,
  port: number,
  storagePort: number,
  { config: more, durable = false }: CassandraOptions,
): string {
  // JSON is YAML.
  const config = {
    cluster_name: 'weir-test',
    num_tokens: 1,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: `127.0.0.1:${storagePort}` }],
      },
    ],
    listen_address: '127.0.0.1',
    rpc_address: '127.0.0.1',
    storage_port: storagePort,
    start_native_transport: true,
    native_transport_port: port,
    data_file_directories: [join(dir, 'data')],
    commitlog_directory: join(dir, 'commitlog'),
    hints_directory: join(dir, 'hints'),
    saved_caches_directory: join(dir, 'saved_caches'),
    cdc_raw_directory: join(dir, 'cdc_raw'),
    ...(durable
      ? { commitlog_sync: 'batch' }
      : { commitlog_sync: 'periodic', commitlog_sync_period: '1000ms' }),
    memtable_heap_space: '128MiB',
    memtable_offheap_space: '128MiB',
    file_cache_size: '64MiB',
    concurrent_compactors: 1,
    auto_snapshot: false,
    // A machine under test load answers slowly; a test means to see errors, not the machine's.
    read_request_timeout: '20s',
    write_request_timeout: '20s',
    range_request_timeout: '20s',
    request_timeout: '20s',
    ...more,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

const logbackConfig = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{HH:mm:ss.SSS} %logger{20} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`

/** What Cassandra reaches into of the JDK from version 17 on. */
const moduleOptions = [
  ...[
    'java.base/java.lang.ref',
    'java.base/jdk.internal.misc',
    'java.base/jdk.internal.ref',
    'java.base/sun.nio.ch',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.rmi/sun.rmi.transport.tcp',
    'java.sql/java.sql',
    'jdk.unsupported/sun.misc',
    'jdk.attach/sun.tools.attach',
  ].map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...[
    'java.base/java.io',
    'java.base/java.lang',
    'java.base/java.lang.module',
    'java.base/java.lang.reflect',
    'java.base/java.math',
    'java.base/java.net',
    'java.base/java.nio',
    'java.base/java.util',
    'java.base/java.util.concurrent',
    'java.base/java.util.concurrent.atomic',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.util.jar',
    'java.base/sun.nio.ch',
    'jdk.compiler/com.sun.tools.javac',
    'jdk.management/com.sun.management.internal',
  ].map((name) => `--add-opens=${name}=ALL-UNNAMED`),
]
