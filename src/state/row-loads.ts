import type { RowTier, TierRow } from './store-tier.ts'

/** Rows of one request: fewer than any limit of Cassandra's guardrails, and a quick answer all the same. */
const GROUP_ROWS_MAX = 16

/** A row on its way from the second tier. */
export interface LoadingRow {
  readonly key: Buffer
  /** What a cached row may keep of the key. */
  readonly sharedKey: unknown
  /** Resolves when the rows that are asked for with it have come, or cannot. */
  readonly done: Promise<void>
  /** The key was put meanwhile, or everything forgotten: what comes is not to be kept. */
  isOvertaken: boolean
  /** What has come. */
  value: unknown
  /** Why it cannot come; null: it can. */
  error: Error | null
}

interface Group {
  readonly rows: LoadingRow[]
  readonly done: Promise<void>
  readonly end: () => void
}

/**
 * The rows of a store that are on their way here, each once. Those that are asked for in one turn of the event loop, and that one node has, are asked for together, up to a bound: most of
 * what a row costs, here and in Cassandra, is its request.
 */
export class RowLoads {
  readonly #tier: RowTier
  readonly #arrive: (row: LoadingRow, came: TierRow | null) => Promise<void> | null
  /** By their keys, as latin1. */
  readonly #loading = new Map<string, LoadingRow>()
  /** Not asked for yet, by node. */
  readonly #groups = new Map<string, Group>()
  #isScheduled = false

  /** @param arrive takes a row in, and sets its value. @returns what that waits for; null: it is done */
  constructor(tier: RowTier, arrive: (row: LoadingRow, came: TierRow | null) => Promise<void> | null) {
    this.#tier = tier
    this.#arrive = arrive
  }

  get isEmpty(): boolean {
    return this.#loading.size === 0
  }

  /** Brings a row here. REQUIRES that it is not, and that the bytes stay as they are. */
  load(key: Buffer, sharedKey: unknown): LoadingRow {
    const id = key.toString('latin1')
    const present = this.#loading.get(id)
    if (present !== undefined) return present
    const node = this.#tier.nodeOf(key)
    const group = this.#groupOf(node)
    const row = { key, sharedKey, done: group.done, isOvertaken: false, value: null, error: null }
    this.#loading.set(id, row)
    group.rows.push(row)
    if (group.rows.length === GROUP_ROWS_MAX) {
      this.#groups.delete(node)
      void this.#ask(group)
    }
    return row
  }

  /** A row was put. @param id its key as latin1 */
  overtake(id: string): void {
    const row = this.#loading.get(id)
    if (row !== undefined) row.isOvertaken = true
  }

  /** What was not committed is gone, and with it what is on its way. */
  forget(): void {
    for (const row of this.#loading.values()) row.isOvertaken = true
    this.#loading.clear()
  }

  #groupOf(node: string): Group {
    const open = this.#groups.get(node)
    if (open !== undefined) return open
    const { promise, resolve } = Promise.withResolvers<void>()
    const group = { rows: [], done: promise, end: resolve }
    this.#groups.set(node, group)
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => this.#askRest())
    }
    return group
  }

  #askRest(): void {
    this.#isScheduled = false
    for (const group of this.#groups.values()) void this.#ask(group)
    this.#groups.clear()
  }

  /** Never rejects. */
  async #ask({ rows, end }: Group): Promise<void> {
    try {
      const came = await this.#tier.readSome(rows.map(({ key }) => key))
      for (const [index, row] of rows.entries()) {
        const settling = this.#settle(row, came[index]!)
        if (settling !== null) await settling
      }
    } catch (error) {
      for (const row of rows) row.error ??= error as Error
    }
    for (const row of rows) {
      const id = row.key.toString('latin1')
      if (this.#loading.get(id) === row) this.#loading.delete(id)
    }
    end()
  }

  #settle(row: LoadingRow, came: TierRow | null | Error): Promise<void> | null {
    const failed = (error: unknown): void => {
      row.error = error as Error
    }
    if (came instanceof Error) {
      failed(came)
      return null
    }
    try {
      return this.#arrive(row, came)?.catch(failed) ?? null
    } catch (error) {
      failed(error)
      return null
    }
  }
}
