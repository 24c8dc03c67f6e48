import { defineTopology } from '../../../src/dsl/define-topology.ts'
import { Headers } from '../../../src/process/headers.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type {
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyWindowStore,
  Store,
} from '../../../src/state/store.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import type { TopologyModule } from '../../../src/topology/topology-module.ts'
import type { Description, InputEvent, OutputRow, Result } from './description.ts'
import { operators } from './operators.ts'
import { shownWindow } from './window-operators.ts'

const bytes = { key: serdes.bytes, value: serdes.bytes }
const text = { key: serdes.string, value: serdes.string }

export function topologyOf({ steps, caching, optimized }: Description): TopologyModule {
  return defineTopology(
    (builder) => {
      const built: unknown[] = []
      for (const step of steps) {
        const inputs = step.in.map((index) => built[index])
        const types = step.in.map((index) => steps[index]!.type)
        built.push(operators[step.op]!.build({ builder, step, inputs, types, caching }))
      }
    },
    { optimization: optimized ? 'all' : 'none' },
  )
}

/** What Weir makes of a description. @param cacheBytes of the driver; 0: every row is read back from its bytes */
export async function runInWeir(description: Description, cacheBytes: number): Promise<Result> {
  const topology = topologyOf(description)
  const definition = (() => {
    try {
      return topology.build()
    } catch (error) {
      return (error as Error).message
    }
  })()
  if (typeof definition === 'string') return { refused: definition }
  try {
    await using driver = await TopologyTestDriver.open(topology, {
      applicationId: 'oracle',
      initialWallClockTimeMs: description.startMs,
      statestoreCacheMaxBytes: cacheBytes,
    })
    const rounds: Record<string, OutputRow[]>[] = []
    for (const event of description.events) {
      await feed(driver, event)
      rounds.push(takeOutputs(driver))
    }
    const definitions = [
      ...definition.subtopologies.flatMap((subtopology) => subtopology.stores),
      ...(definition.globalStores ?? []).map(({ store }) => store),
    ]
    const stores: Record<string, unknown[][]> = {}
    for (const { name, type } of definitions)
      stores[name] = rowsOf(driver.stateStore(name), type, description.caching)
    return { rounds, stores }
  } catch (error) {
    return { failed: (error as Error).message }
  }
}

async function feed(driver: TopologyTestDriver, event: InputEvent): Promise<void> {
  if ('advanceMs' in event) {
    await driver.advanceWallClockTime(event.advanceMs)
    return
  }
  const { topic, key, value, timestamp } = event
  let headers = Headers.empty
  for (const [name, content] of event.headers) headers = headers.with(name, content)
  await driver.createInputTopic(topic, text).pipeRecord({ key, value, timestamp, headers })
}

function takeOutputs(driver: TopologyTestDriver): Record<string, OutputRow[]> {
  const round: Record<string, OutputRow[]> = {}
  for (const topic of driver.producedTopicNames()) {
    const records = driver.createOutputTopic(topic, bytes).readRecordsToList()
    if (records.length === 0) continue
    round[topic] = records.map(({ key, value, timestamp, headers }) => [
      hex(key),
      hex(value),
      timestamp,
      Array.from(headers, (header) => `${header.key}=${hex(header.value)}`),
    ])
  }
  return round
}

/** With a cache Kafka Streams shows windows that have expired for as long as they are cached: then windows are left out. */
function rowsOf(store: Store, type: string, caching: boolean): unknown[][] {
  if (type.endsWith('key-value')) {
    using all = (store as ReadOnlyKeyValueStore<unknown, unknown>).all()
    // Rows of an outer join's own store are left out.
    return Array.from(all).flatMap(({ key, value }) =>
      typeof key === 'string' ? [[key, ...shownRow(value)]] : [],
    )
  }
  if (type === 'versioned' || type === 'suppress-buffer' || caching) return []
  using all =
    type === 'session'
      ? (store as ReadOnlySessionStore<unknown, unknown>).fetch(null, null)
      : (store as ReadOnlyWindowStore<unknown, unknown>).all()
  return Array.from(all, ({ key, value }) => [shownWindow(key), ...shownRow(value)])
}

/** A value, and its timestamp where it has one. */
function shownRow(value: unknown): unknown[] {
  if (typeof value === 'object' && value !== null && 'timestamp' in value) {
    const stamped = value as { readonly value: unknown; readonly timestamp: number }
    return [String(stamped.value), stamped.timestamp]
  }
  return [String(value)]
}

function hex(value: Buffer | null): string | null {
  return value === null ? null : value.toString('hex')
}
