/** What a versioned store must find: for each key the list of what was valid when, searched from end to end. */
import {
  PUT_RETURN_CODE_NOT_PUT,
  PUT_RETURN_CODE_VALID_TO_UNDEFINED,
  type VersionedRecord,
} from '../../src/state/store.ts'

/** A value, null for a deletion, from a time (included) to another (excluded). */
interface Interval {
  readonly from: number
  readonly to: number
  readonly value: string | null
}

/**
 * What is known of a key: what was valid once, and what is valid now. A deletion of which nothing later and nothing before is known is an empty interval: it marks
 * a time. The one quirk, taken over from Kafka Streams: a deletion at the very time of the latest version leaves no mark but the end of what was valid before.
 */
class History {
  readonly ended: readonly Interval[]
  readonly latest: { readonly from: number; readonly value: string } | null

  constructor(ended: readonly Interval[] = [], latest: History['latest'] = null) {
    this.ended = ended
    this.latest = latest
  }

  /** @returns the history afterwards, and the time until which the version is valid; null for the latest one */
  put(value: string | null, at: number): [History, number | null] {
    const { ended, latest } = this
    const newest = value === null ? null : { from: at, value }
    if (latest !== null && at >= latest.from) {
      const before = { from: latest.from, to: at, value: latest.value }
      return [new History(at === latest.from ? ended : [...ended, before], newest), null]
    }
    const within = ended.find(({ from, to }) => from <= at && at < to)
    if (within !== undefined) {
      const others = ended.filter((interval) => interval !== within)
      const cut = within.from === at ? [] : [{ ...within, to: at }]
      return [new History([...others, ...cut, { from: at, to: within.to, value }], latest), within.to]
    }
    const later = [...ended, ...(latest === null ? [] : [latest])]
      .map(({ from }) => from)
      .filter((from) => from > at)
    if (later.length > 0) {
      const to = Math.min(...later)
      return [new History([...ended, { from: at, to, value }], latest), to]
    }
    return [
      value === null ? new History([...ended, { from: at, to: at, value }]) : new History(ended, newest),
      null,
    ]
  }

  at(time: number): VersionedRecord<string> | null {
    const { latest } = this
    if (latest !== null && latest.from <= time)
      return { value: latest.value, timestamp: latest.from, validTo: null }
    const found = this.ended.find(({ from, to }) => from <= time && time < to)
    if (found === undefined || found.value === null) return null
    return { value: found.value, timestamp: found.from, validTo: found.to }
  }
}

/** What a versioned store finds and answers. A value: what would change is another one. */
export class VersionedModel {
  readonly streamTime: number
  readonly #historyRetentionMs: number
  readonly #keys: ReadonlyMap<string, History>

  constructor(historyRetentionMs: number, streamTime = -1, keys: ReadonlyMap<string, History> = new Map()) {
    this.#historyRetentionMs = historyRetentionMs
    this.streamTime = streamTime
    this.#keys = keys
  }

  put(key: string, value: string | null, at: number): [VersionedModel, number] {
    if (at < this.streamTime - this.#historyRetentionMs) return [this, PUT_RETURN_CODE_NOT_PUT]
    const [history, to] = (this.#keys.get(key) ?? new History()).put(value, at)
    const streamTime = Math.max(this.streamTime, at)
    const model = new VersionedModel(
      this.#historyRetentionMs,
      streamTime,
      new Map(this.#keys).set(key, history),
    )
    return [model, to ?? PUT_RETURN_CODE_VALID_TO_UNDEFINED]
  }

  get(key: string, time = Infinity): VersionedRecord<string> | null {
    const found = this.#keys.get(key)?.at(time) ?? null
    const isBehind = time < this.streamTime - this.#historyRetentionMs
    return found !== null && isBehind && found.validTo !== null ? null : found
  }
}
