/** Counts each user's visits per window and per session, and tells all that it has when asked to. */
import {
  type Processor,
  type ProcessorContext,
  type SessionStore,
  type StreamRecord,
  serdes,
  stores,
  type TimestampedWindowStore,
  Topology,
  type WindowStore,
} from '../../../src/index.ts'

export const WINDOW_MS = 10_000
export const GAP_MS = 5_000
export const RETENTION_MS = 120_000

const common = { key: serdes.string, value: serdes.int64, retentionMs: RETENTION_MS }

class Visits implements Processor<string, string, string, string> {
  #windows!: TimestampedWindowStore<string, number>
  #visits!: WindowStore<string, string>
  #sessions!: SessionStore<string, number>

  init(context: ProcessorContext<string, string>): void {
    this.#windows = context.stateStore('windows')
    this.#visits = context.stateStore('visits')
    this.#sessions = context.stateStore('sessions')
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<string, string>,
    context: ProcessorContext<string, string>,
  ): void {
    if (value === 'tell') {
      context.forward({ key: String(context.partition), value: this.#tell(), timestamp, headers })
      return
    }
    const start = timestamp - (timestamp % WINDOW_MS)
    const count = (this.#windows.fetch(key, start)?.value ?? 0) + 1
    this.#windows.put(key, { value: count, timestamp }, start)
    this.#visits.put(key, value, timestamp)
    const session = { start: timestamp, end: timestamp }
    let visits = 1
    const merged = [...this.#sessions.findSessions(key, timestamp - GAP_MS, timestamp + GAP_MS)]
    for (const { key: found, value } of merged) {
      session.start = Math.min(session.start, found.window.start)
      session.end = Math.max(session.end, found.window.end)
      visits += value
      this.#sessions.remove(found)
    }
    this.#sessions.put({ key, window: session }, visits)
  }

  #tell(): string {
    return JSON.stringify({
      windows: [...this.#windows.all()],
      visits: [...this.#visits.all()],
      sessions: [...this.#sessions.fetch(null, null)],
    })
  }
}

export default new Topology()
  .addSource('source', { topics: 'visits', key: serdes.string, value: serdes.string })
  .addProcessor('count', () => new Visits(), { parents: 'source' })
  .addStateStore(stores.timestampedWindow({ name: 'windows', ...common, windowSizeMs: WINDOW_MS }), 'count')
  .addStateStore(
    stores.window({
      name: 'visits',
      ...common,
      value: serdes.string,
      windowSizeMs: 1,
      retainDuplicates: true,
    }),
    'count',
  )
  .addStateStore(stores.session({ name: 'sessions', ...common }), 'count')
  .addSink('answers', { parents: 'count', topic: 'answers', key: serdes.string, value: serdes.string })
