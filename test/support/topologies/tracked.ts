/**
 * Follows every record through two sub-topologies. The records of a key carry the numbers 1, 2, 3, ...; each stage keeps for each key what it has
 * seen, and tells it with each record, so that what was lost, doubled or out of order shows in the outputs and in the state:
 *
 *   <prefix>input --> track (store `tracks`) --> <prefix>tracked
 *                       `--> by group --> repartition topic --> track (store `group-tracks`) --> <prefix>group-tracked
 *                                                           `--> count (store `group-counts`) --> <prefix>group-counts
 *
 * FAULTS_PREFIX comes before the names; FAULTS_LIFE names the process; FAULTS_STORES is `persistent`, `memory` or `tiered`. Tiered are the stores of the
 * first stage: `tracks`, in FAULTS_TABLE_tracks, and another, `marks`, in FAULTS_TABLE_marks, which is only written: the last number of each key, and
 * nothing when that is a multiple of four. FAULTS_LOCAL_BYTES is what a task keeps of each here.
 */
import {
  defineTopology,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type Serde,
  type StreamRecord,
  serdes,
  stores,
  type TieredKeyValueStore,
} from '../../../src/index.ts'

const { FAULTS_PREFIX: prefix = '', FAULTS_LIFE: life = '', FAULTS_STORES, FAULTS_LOCAL_BYTES } = process.env
const inMemory = FAULTS_STORES === 'memory'
const isTiered = FAULTS_STORES === 'tiered'
const GROUPS = 16

/** What a stage has seen of a key. */
interface Track {
  /** Records. */
  readonly count: number
  /** The highest number. */
  readonly last: number
  /** Numbers that were skipped: what should have been seen before was not, or was forgotten. */
  readonly gaps: number
  /** Records whose number was no higher than one before. */
  readonly repeats: number
  /** Of the numbers in their order. */
  readonly checksum: number
}

const nothing: Track = { count: 0, last: 0, gaps: 0, repeats: 0, checksum: 0 }

function after(track: Track, number: number): Track {
  const { count, last, gaps, repeats, checksum } = track
  return {
    count: count + 1,
    last: Math.max(last, number),
    gaps: gaps + Math.max(0, number - last - 1),
    repeats: repeats + (number <= last ? 1 : 0),
    checksum: (Math.imul(checksum, 31) + number) | 0,
  }
}

/** Tells `<life> <partition> <offset> <ms since 1970> <key> <number> <count> <last> <gaps> <repeats> <checksum>` for each record. */
class Tracker implements Processor<string, string, string, string> {
  readonly #storeName: string
  readonly #numbered: (record: StreamRecord<string, string>) => readonly [key: string, number: number]
  readonly #marksName: string | null
  #store!: KeyValueStore<string, Track>
  #marks: TieredKeyValueStore<string, number> | null = null

  constructor(
    storeName: string,
    numbered: (record: StreamRecord<string, string>) => readonly [key: string, number: number],
    marksName: string | null = null,
  ) {
    this.#storeName = storeName
    this.#numbered = numbered
    this.#marksName = marksName
  }

  init(context: ProcessorContext<string, string>): void {
    this.#store = context.stateStore<KeyValueStore<string, Track>>(this.#storeName)
    if (this.#marksName !== null) this.#marks = context.stateStore(this.#marksName)
  }

  process(record: StreamRecord<string, string>, context: ProcessorContext<string, string>): void {
    const [key, number] = this.#numbered(record)
    const track = after(this.#store.get(key) ?? nothing, number)
    this.#store.put(key, track)
    this.#marks?.put(key, number % 4 === 0 ? null : number)
    const { partition, offset } = context.recordMetadata()!
    const { count, last, gaps, repeats, checksum } = track
    const told = [life, partition, offset, Date.now(), key, number, count, last, gaps, repeats, checksum]
    context.forward({
      key: record.key,
      value: told.join(' '),
      timestamp: record.timestamp,
      headers: record.headers,
    })
  }
}

function trackStore(name: string): ReturnType<typeof stores.keyValue<string, Track>> {
  return stores.keyValue({ name, key: serdes.string, value: serdes.json<Track>(), inMemory })
}

function tieredStore<V>(name: string, value: Serde<V>): ReturnType<typeof stores.tieredKeyValue<string, V>> {
  const table = process.env[`FAULTS_TABLE_${name}`]!
  return stores.tieredKeyValue({
    name,
    key: serdes.string,
    value,
    table,
    localBytesMax: Number(FAULTS_LOCAL_BYTES),
  })
}

const strings = { key: serdes.string, value: serdes.string }

export default defineTopology((builder) => {
  builder.addStateStore(isTiered ? tieredStore('tracks', serdes.json<Track>()) : trackStore('tracks'))
  if (isTiered) builder.addStateStore(tieredStore('marks', serdes.int64))
  builder.addStateStore(trackStore('group-tracks'))
  const tracked = builder
    .stream(`${prefix}input`, strings)
    .process(
      () => new Tracker('tracks', ({ key, value }) => [key, Number(value)], isTiered ? 'marks' : null),
      isTiered ? { stores: ['tracks', 'marks'], readsByKey: ['tracks'] } : { stores: ['tracks'] },
    )
  tracked.to(`${prefix}tracked`, strings)
  const grouped = tracked
    .selectKey(({ key }) => `group-${Number(key.slice('key-'.length)) % GROUPS}`)
    .repartition({ name: 'groups', ...strings })
  grouped
    .process(
      () =>
        new Tracker('group-tracks', ({ value }) => {
          const fields = value.split(' ')
          return [fields[4]!, Number(fields[5])]
        }),
      { stores: ['group-tracks'] },
    )
    .to(`${prefix}group-tracked`, strings)
  grouped.groupByKey(strings).count({ store: 'group-counts' }).toStream().to(`${prefix}group-counts`)
})
