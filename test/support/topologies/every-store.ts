/**
 * A store of each kind, changed by the records of a topic (`<store> <words>`) and told to another when one says `tell`. What
 * test/oracle/changelogs/StoresPeer.java does with Kafka Streams' stores.
 */
import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type SessionStore,
  type StoreIterator,
  type StreamRecord,
  serdes,
  stores,
  type TimestampedKeyValueStore,
  type TimestampedWindowStore,
  Topology,
  type ValueAndTimestamp,
  type VersionedKeyValueStore,
  type Windowed,
  type WindowStore,
} from '../../../src/index.ts'

type StoreDefinition = ReturnType<typeof stores.keyValue>

/** How a kind of store is made, how a command's words change it, what it holds. */
interface Kind {
  readonly definition: StoreDefinition
  readonly change: (store: never, words: readonly string[], timestamp: number) => void
  readonly rows: (store: never) => string[]
}

function kind<Store>(
  definition: StoreDefinition,
  change: (store: Store, words: readonly string[], timestamp: number) => void,
  rows: (store: Store) => string[],
): Kind {
  return { definition, change, rows } as Kind
}

const orNull = (word: string | undefined): string | null => (word === '-' ? null : word!)
const stamped = (word: string | undefined, timestamp: number): ValueAndTimestamp<string> | null =>
  word === '-' ? null : { value: word!, timestamp }

function told<V>(rows: StoreIterator<string | Windowed<string>, V>, shown: (value: V) => string): string[] {
  return [...rows].map(({ key, value }) => {
    const at = typeof key === 'string' ? key : `${key.key}@${key.window.start}-${key.window.end}`
    return `${at}=${shown(value)}`
  })
}
const plain = (value: string): string => value
const withTimestamp = ({ value, timestamp }: ValueAndTimestamp<string>): string => `${value}#${timestamp}`

/** A versioned store has no scan: what it finds of these keys, at times up to the newest version. */
const versionedKeys = ['a', 'aa', 'ab', 'b', 'ba', 'cé']
function versionsOf(store: VersionedKeyValueStore<string, string>): string[] {
  const newest = Math.max(0, ...versionedKeys.map((key) => store.get(key)?.timestamp ?? 0))
  return versionedKeys.flatMap((key) =>
    Array.from({ length: 130 }, (_, index) => newest - index * 1_000)
      .map((time) => store.get(key, time))
      .map((found) => `${key}=${found === null ? null : `${found.value}#${found.timestamp}`}`)
      .filter((row, index, rows) => row !== rows[index - 1]),
  )
}

const serdesOfAll = { key: serdes.string, value: serdes.string }
const common = { ...serdesOfAll, inMemory: process.env.STORES_IN_MEMORY === 'true' }
const segmented = { ...common, retentionMs: 120_000 }
const windows = { ...segmented, windowSizeMs: 10_000 }

const kinds: readonly Kind[] = [
  kind<KeyValueStore<string, string>>(
    stores.keyValue({ name: 'plain', ...common }),
    (store, [key, value]) => store.put(key!, orNull(value)),
    (store) => told(store.all(), plain),
  ),
  kind<TimestampedKeyValueStore<string, string>>(
    stores.timestampedKeyValue({ name: 'timestamped', ...common }),
    (store, [key, value], timestamp) => store.put(key!, stamped(value, timestamp)),
    (store) => told(store.all(), withTimestamp),
  ),
  kind<WindowStore<string, string>>(
    stores.window({ name: 'window', ...windows }),
    (store, [key, start, value]) => store.put(key!, orNull(value), Number(start)),
    (store) => told(store.all(), plain),
  ),
  kind<WindowStore<string, string>>(
    stores.window({ name: 'duplicates', ...windows, retainDuplicates: true }),
    (store, [key, start, value]) => store.put(key!, orNull(value), Number(start)),
    (store) => told(store.all(), plain),
  ),
  kind<TimestampedWindowStore<string, string>>(
    stores.timestampedWindow({ name: 'timestamped-window', ...windows }),
    (store, [key, start, value], timestamp) => store.put(key!, stamped(value, timestamp), Number(start)),
    (store) => told(store.all(), withTimestamp),
  ),
  kind<SessionStore<string, string>>(
    stores.session({ name: 'session', ...segmented }),
    (store, [key, start, end, value]) =>
      store.put({ key: key!, window: { start: Number(start), end: Number(end) } }, orNull(value)),
    (store) => told(store.fetch(null, null), plain),
  ),
  kind<VersionedKeyValueStore<string, string>>(
    stores.versioned({ name: 'versioned', ...serdesOfAll, historyRetentionMs: 120_000 }),
    (store, [key, time, value]) => store.put(key!, orNull(value), Number(time)),
    versionsOf,
  ),
]

class Commands implements Processor<string, string, string, string> {
  process(
    { key, value, timestamp, headers }: StreamRecord<string, string>,
    context: ProcessorContext<string, string>,
  ): void {
    if (value === 'tell') {
      const rows = kinds.map(({ definition: { name }, rows }) => [name, rows(context.stateStore(name))])
      context.forward({ key, value: JSON.stringify(Object.fromEntries(rows)), timestamp, headers })
      return
    }
    const [name, ...words] = value.split(' ')
    const { change } = kinds.find(({ definition }) => definition.name === name)!
    change(context.stateStore(name!), words, timestamp)
  }
}

const applicationId = process.env.WEIR_APPLICATION_ID!

const topology = new Topology()
  .addSource('source', { topics: `commands-${applicationId}`, ...serdesOfAll })
  .addProcessor('commands', () => new Commands(), { parents: 'source' })
for (const { definition } of kinds) topology.addStateStore(definition, 'commands')
topology.addSink('sink', { parents: 'commands', topic: `answers-${applicationId}`, ...serdesOfAll })

export default topology
