import {
  defineTopology,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  type WindowStore,
} from '../../src/index.ts'
import { topic } from './topic.ts'

/**
 * What wears: each event joins its user's profile, is kept among the user's latest events, which one scan counts and another trims, is counted in
 * a window that expires, and in a store that holds the users seen last. Now and then a punctuator looks at everything. One record is put out
 * for each. The workload `soak` of the benches.
 */
const EVENTS_KEPT = 40
const WINDOW_MS = 10_000
const RETENTION_MS = 60_000
const RECENT_USERS = 2_000
const INSPECTION_MS = 10_000
const INSPECTED_ROWS = 2_000

class Wearer implements Processor<string, Buffer, string, string> {
  #events!: KeyValueStore<string, Buffer>
  #profiles!: KeyValueStore<string, { events: number }>
  #recent!: KeyValueStore<string, number>
  #windows!: WindowStore<string, number>

  init(context: ProcessorContext<string, string>): void {
    this.#events = context.stateStore('events')
    this.#profiles = context.stateStore('profiles')
    this.#recent = context.stateStore('recent')
    this.#windows = context.stateStore('windows')
    context.schedule({ intervalMs: INSPECTION_MS, type: 'stream-time' }, (now) => this.#inspect(now))
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<string, Buffer>,
    context: ProcessorContext<string, string>,
  ): void {
    const profile = { events: (this.#profiles.get(key)?.events ?? 0) + 1 }
    this.#profiles.put(key, profile)
    this.#recent.put(key, timestamp)
    this.#events.put(`${key}/${String(profile.events).padStart(12, '0')}`, value)
    const kept = this.#trim(key)
    const windowStart = timestamp - (timestamp % WINDOW_MS)
    const inWindow = (this.#windows.fetch(key, windowStart) ?? 0) + 1
    this.#windows.put(key, inWindow, windowStart)
    let windows = 0
    using fetched = this.#windows.fetch(key, timestamp - RETENTION_MS, timestamp)
    for (const _ of fetched) windows++
    context.forward({ key, value: `${profile.events} ${kept} ${inWindow} ${windows}`, timestamp, headers })
  }

  /** Deletes a user's events but the latest. @returns how many are kept */
  #trim(key: string): number {
    let kept = 0
    using latest = this.#events.reverseRange(`${key}/`, `${key}/9`)
    for (const event of latest.keys()) {
      if (kept < EVENTS_KEPT) kept++
      else this.#events.delete(event)
    }
    return kept
  }

  #inspect(now: number): void {
    using all = this.#events.all()
    let rows = 0
    for (const _ of all) if (++rows === INSPECTED_ROWS) break
    using windows = this.#windows.fetchAll(now - WINDOW_MS, now)
    for (const _ of windows) rows++
  }
}

export default defineTopology((builder) => {
  builder
    .addStateStore(stores.keyValue({ name: 'events', key: serdes.string, value: serdes.bytes }))
    .addStateStore(
      stores.keyValue({ name: 'profiles', key: serdes.string, value: serdes.json<{ events: number }>() }),
    )
    .addStateStore(
      stores.keyValue({
        name: 'recent',
        key: serdes.string,
        value: serdes.float64,
        entriesMax: RECENT_USERS,
      }),
    )
    .addStateStore(
      stores.window({
        name: 'windows',
        key: serdes.string,
        value: serdes.float64,
        windowSizeMs: WINDOW_MS,
        retentionMs: RETENTION_MS,
      }),
    )
  builder
    .stream(topic('input'), { key: serdes.string, value: serdes.bytes })
    .process(() => new Wearer(), {
      stores: ['events', 'profiles', 'recent', 'windows'],
      readsByKey: ['profiles', 'recent'],
    })
    .to(topic('output'), { key: serdes.string, value: serdes.string })
})
