import { prefixOfFrame } from '../serde/prefix-key.ts'
import type { RawRow } from './merged-scan.ts'
import type { PrefixRows } from './prefix-rows.ts'
import type { PrefixTier, TierPrefixRow } from './store-tier.ts'
import { localRow } from './tiered-rows.ts'

/** A row that says that its key is not there has no more bytes. */
const ABSENT_BYTES = localRow(null).length

/** A prefix on its way from the second tier. */
interface Loading {
  /** All rows of the prefix, in the order of their keys. */
  readonly done: Promise<readonly RawRow[]>
  /** What of it was put here before it was asked for, and since then, by their keys as latin1: what comes may be older. */
  readonly put: Map<string, RawRow>
  /** What was put is not: what comes is not to be kept. */
  isForgotten: boolean
}

export interface PrefixLoadsOptions {
  /** Of the store's errors. */
  readonly name: string
  readonly rows: PrefixRows
  readonly tier: PrefixTier
  readonly rowsMax: number
  readonly bytesMax: number
  /** What has to arrive before a row can be read; null: nothing. */
  readonly awaits: (row: RawRow) => Promise<unknown> | null
  /** A prefix has come. */
  readonly onLoaded: () => void
}

/** The prefixes of a store that are on their way here, each once. */
export class PrefixLoads {
  readonly #options: PrefixLoadsOptions
  /** By their frames, as latin1. */
  readonly #loading = new Map<string, Loading>()
  /** Of prefixes that cannot come, as long as somebody may read them. */
  readonly #problems = new Map<string, Error>()

  constructor(options: PrefixLoadsOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#loading.size === 0
  }

  /**
   * Brings a prefix here. REQUIRES that it is not, and a moment in which the database may be used.
   *
   * @returns its rows. Rejects with a RangeError when there are too many; when the tier is closed; with what the tier throws
   */
  load(frame: Buffer): Promise<readonly RawRow[]> {
    const id = frame.toString('latin1')
    const present = this.#loading.get(id)
    if (present !== undefined) return present.done
    const { rows, tier } = this.#options
    const put = new Map<string, RawRow>()
    for (const [at, { key, row }] of tier.prefixOnItsWay(frame)) put.set(at, { key, value: localRow(row) })
    for (const row of rows.written(frame)) put.set(row.key.toString('latin1'), row)
    const loading: Loading = {
      put,
      isForgotten: false,
      done: this.#arrival(frame, put, () => loading.isForgotten),
    }
    const { done } = loading
    this.#loading.set(id, loading)
    this.#problems.delete(id)
    // Not in a finally of the arrival: that could come before it is in the map.
    const ended = (): void => {
      if (this.#loading.get(id) === loading) this.#loading.delete(id)
    }
    done.then(ended, (error: Error) => {
      ended()
      this.#problems.set(id, error)
    })
    return done
  }

  /** A row was put. @param key with its prefix. The bytes of `row` are kept */
  put(frame: Buffer, key: Buffer, row: () => Buffer): void {
    const loading = this.#loading.get(frame.toString('latin1'))
    if (loading !== undefined)
      loading.put.set(key.toString('latin1'), { key: Buffer.from(key), value: row() })
  }

  /** What was not committed is gone, and with it what is on its way. */
  forget(): void {
    for (const loading of this.#loading.values()) loading.isForgotten = true
    this.#loading.clear()
  }

  /** Why a prefix did not come. */
  problemOf(frame: Buffer): Error | undefined {
    return this.#problems.size === 0 ? undefined : this.#problems.get(frame.toString('latin1'))
  }

  /** @param isRead whether a prefix may still be read, by its frame as latin1 */
  forgetProblems(isRead: (id: string) => boolean): void {
    for (const id of this.#problems.keys()) if (!isRead(id)) this.#problems.delete(id)
  }

  async #arrival(
    frame: Buffer,
    put: Map<string, RawRow>,
    isForgotten: () => boolean,
  ): Promise<readonly RawRow[]> {
    const { name, rows, tier, rowsMax, bytesMax, awaits, onLoaded } = this.#options
    const prefix = prefixOfFrame(frame)
    const came = await tier.readPrefix(prefix)
    if (came === null)
      throw new RangeError(
        `store ${name}: prefix 0x${prefix.toString('hex')} has more than ${rowsMax} rows (prefixRowsMax) or ${bytesMax} bytes (prefixBytesMax): it is not loaded`,
      )
    onLoaded()
    const loaded = came.map((row) => rawRowOf(frame, row))
    for (const row of loaded) await awaits(row)
    const whole = put.size === 0 ? loaded : merged(loaded, put)
    if (!isForgotten()) rows.arriveWhole(frame, whole)
    return whole
  }
}

function rawRowOf(frame: Buffer, row: TierPrefixRow): RawRow {
  return { key: Buffer.concat([frame, row.rest]), value: localRow(row) }
}

function merged(loaded: readonly RawRow[], put: ReadonlyMap<string, RawRow>): readonly RawRow[] {
  return [
    ...loaded.filter(({ key }) => !put.has(key.toString('latin1'))),
    ...[...put.values()].filter(({ value }) => value.length > ABSENT_BYTES),
  ].sort((a, b) => Buffer.compare(a.key, b.key))
}
