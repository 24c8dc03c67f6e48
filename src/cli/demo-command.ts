import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'

import { adminConfig, consumerConfig, producerConfig } from '../config/clients.ts'
import type { Config } from '../config/config.ts'
import { Console } from '../console/console.ts'
import { Admin, MockCluster } from '../native.ts'
import { startHttpServer } from '../observe/http-server.ts'
import { createLogger } from '../observe/logger.ts'
import { RecentLines } from '../observe/recent-lines.ts'
import { queryRoutes } from '../query/http-routes.ts'
import type { Application } from '../runtime/application.ts'
import { FORWARDED_PATH } from '../runtime/queries/forwarding.ts'
import { startApplication } from '../runtime/start-application.ts'
import { mockTopicAdmin } from '../runtime/topic-admin.ts'
import { loadTopology } from '../topology/load-topology.ts'
import { topologyGraph } from '../topology/topology-graph.ts'
import { reportConfig } from './config-command.ts'
import { SegmentChanges } from './demo-changes.ts'
import { demoConfig, demoEnvironment } from './demo-config.ts'
import { EventGenerator } from './demo-generator.ts'
import { DemoMeter } from './demo-meter.ts'
import { DemoSchemas, type ExampleSchemas } from './demo-schemas.ts'
import { DemoScreen } from './demo-screen.ts'
import { TopicTail } from './demo-tail.ts'
import { renderSummary } from './demo-view.ts'
import { onStopSignals } from './stop-signals.ts'

export interface DemoOptions {
  /** Stops by itself after this many events; null runs until it is stopped. */
  readonly records: number | null
  /** null: as many as there are cores. */
  readonly threads: number | null
  /** null: as fast as they are processed. */
  readonly eventsPerSecond: number | null
  /** Progress lines instead of a live view. */
  readonly plain: boolean
}

const topics = { events: 'events', rules: 'rules', changes: 'segment-changes' } as const

/** How often the threads are asked how far they are; what the generator may do depends on it. */
const statusIntervalMs = 50

/** How long the view waits for the last segment changes at the end. */
const lastChangesTimeoutMs = 2_000

/**
 * `weir demo`: the segmentation example on brokers inside this process. Nothing is kept: it starts empty, at-least-once, and takes its state
 * folder away at the end.
 *
 * @throws WeirError with one line
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const stop = new AbortController()
  const screen = new DemoScreen(options.plain)
  await using resources = new AsyncDisposableStack()
  resources.defer(onStopSignals(() => stop.abort()))
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-demo-'))
  resources.defer(() => rm(stateDir, { recursive: true, force: true }))
  const cluster = new MockCluster({ brokers: 1 })
  resources.defer(() => cluster.close())
  const own = { ...options, bootstrapServers: cluster.bootstrapServers, stateDir }
  const config = demoConfig(own, process.env)
  const partitions = Math.max(4, config.numStreamThreads * 2)
  for (const topic of Object.values(topics)) cluster.createTopic(topic, partitions)
  screen.print(
    `Weir demo: segmentation of users on an embedded broker (at-least-once, started empty, nothing is kept), ` +
      `events in Avro of two schemas, with a stand-in for a schema registry; ` +
      `${config.numStreamThreads} stream threads, ${partitions} partitions`,
  )
  try {
    const schemas = new DemoSchemas((await import(exampleFile('schemas').href)) as ExampleSchemas, topics)
    const recent = new RecentLines()
    const application = await startApplication({
      topology: exampleFile('topology'),
      config,
      schemaRegistry: schemas.registry,
      logger: createLogger(config, pino.destination({ dest: 2, sync: true }), recent),
      topicAdmin: mockTopicAdmin(new Admin(adminConfig(config)), (name, count) =>
        cluster.createTopic(name, count),
      ),
    })
    resources.defer(() => application.close().catch(() => {}))
    const definition = await loadTopology(exampleFile('topology').href, config.topologyOptimization)
    const page = new Console({
      config,
      topology: topologyGraph(definition),
      application: () => application,
      recent,
      settings: () => reportConfig({ json: true }, demoEnvironment(own, process.env)).text,
    })
    await follow(application, config, schemas, partitions, screen, options, page, stop.signal)
  } finally {
    screen.done()
  }
}

/** A module of the example, in the sources and in the package. */
function exampleFile(name: string): URL {
  const inSources = import.meta.url.endsWith('.ts')
  return new URL(
    inSources ? `../../examples/segmentation/${name}.ts` : `../examples/segmentation/${name}.js`,
    import.meta.url,
  )
}

/** Feeds the application and shows what it does, until there were enough events, or the signal, or its failure. */
async function follow(
  application: Application,
  config: Config,
  schemas: DemoSchemas,
  partitions: number,
  screen: DemoScreen,
  options: DemoOptions,
  page: Console,
  signal: AbortSignal,
): Promise<void> {
  const meter = new DemoMeter()
  const changes = new SegmentChanges(schemas.changes)
  const failed = Promise.withResolvers<never>()
  application.closed.catch(failed.reject)
  // Waited for below, with everything else; a failure before that is not lost.
  failed.promise.catch(() => {})
  const ended = new AbortController()

  await using resources = new AsyncDisposableStack()
  const http = await startHttpServer({
    host: config.httpHost,
    port: Math.max(0, config.httpPort),
    token: config.httpToken,
    limits: { requestsPerSecondMax: config.httpRequestsPerSecondMax },
    metrics: () => application.metrics(),
    health: () => application.health(),
    ready: () => application.ready(),
    routes: [
      queryRoutes(() => application, FORWARDED_PATH),
      ...(config.console === 'on' ? [page.routes] : []),
    ],
    pages: config.console === 'on' ? [page.pages] : [],
  })
  resources.defer(() => http.close())
  const consoleUrl = config.console === 'on' ? `${http.url}/console/` : null
  if (options.plain) screen.print(`Metrics at ${http.url}/metrics`)
  if (options.plain && consoleUrl !== null) screen.print(`Console at ${consoleUrl}`)
  const tail = new TopicTail({
    client: {
      ...consumerConfig(config, partitions),
      'group.id': 'weir-demo-view',
      'client.id': 'weir-demo-view',
    },
    topic: topics.changes,
    onRecords: (batch) => changes.add(batch, Date.now()),
    onError: failed.reject,
  })
  resources.defer(() => tail.close())
  const generator = new EventGenerator({
    client: { ...producerConfig(config, 0), 'client.id': 'weir-demo-events' },
    topic: topics.events,
    partitions,
    serdes: [schemas.events, schemas.events, schemas.firstEvents],
    eventsMax: options.records,
    eventsPerSecond: options.eventsPerSecond,
    progress: () => meter,
    signal: ended.signal,
  })
  const generating = generator.run().catch(failed.reject)
  resources.defer(async () => {
    ended.abort()
    await generating
  })

  const show = (): void =>
    screen.show({
      elapsedMs: meter.firstMs === null ? 0 : performance.now() - meter.firstMs,
      processed: meter.processed,
      target: options.records,
      recordsPerSecond: meter.recordsPerSecond,
      latency: changes.latencies.takeRecent(),
      threads: meter.threads,
      stateBytes: meter.stateBytes,
      changes: changes.count,
      latestChanges: changes.latest,
      metricsUrl: `${http.url}/metrics`,
      consoleUrl,
    })
  const watch = async (): Promise<void> => {
    let shownMs = performance.now()
    let shown = 0
    while (!signal.aborted && meter.processed < (options.records ?? Number.POSITIVE_INFINITY)) {
      await sleep(statusIntervalMs)
      meter.update(await application.status(), performance.now())
      if (performance.now() - shownMs < screen.intervalMs) continue
      shownMs = performance.now()
      shown = meter.processed
      show()
    }
    if (meter.processed > shown) show()
  }
  await Promise.race([watch(), failed.promise])

  ended.abort()
  await application.close()
  const deadlineMs = performance.now() + lastChangesTimeoutMs
  while (changes.count < meter.recordsProduced && performance.now() < deadlineMs) await sleep(20)
  screen.done()
  screen.print(
    renderSummary({
      processed: meter.processed,
      processingMs: meter.lastMs - (meter.firstMs ?? meter.lastMs),
      firstRecordMs: meter.firstMs ?? 0,
      changes: changes.count,
      latency: changes.latencies.total,
      stateBytes: meter.stateBytes,
      threads: config.numStreamThreads,
    }),
  )
}
