import { prefixFrameBytes, prefixOfFrame } from '../serde/prefix-key.ts'
import type { PrefixTier, RowTier, TierChange, TierPrefixRow, TierRow } from '../state/store-tier.ts'
import { type BacklogBudget, TierBacklog } from '../state/tier-backlog.ts'
import type { TierDefinition } from '../topology/definition.ts'
import type { ReadRow, RowReads } from './row-reader.ts'
import type { RowSource, TaskRows } from './row-write.ts'

/** A later start of the task beats all that an earlier one has written, however much that was: so many times its changes may be written. */
const WRITES_BITS = 36n

/** What connects a task's tiered stores with Cassandra. */
export interface TierConnection {
  readonly taskId: string
  /** The rows of its tiered stores alone. */
  readonly rows: TaskRows
  readonly reads: RowReads
  readonly backlog: BacklogBudget
  /** How often the task has started; committed before anything that it processes is written. */
  readonly starts: number
  /** Cassandra has more: a commit is to say so, and there may be room. */
  readonly onWritten: () => void
  readonly onFailed: (error: unknown) => void
}

/** What a task's tiered stores have in common with those of its thread's other tasks, but for the rows. */
export type TierOptions = Omit<TierConnection, 'taskId' | 'starts'>

export interface CassandraTierOptions extends TierConnection {
  /** The store's name. */
  readonly store: string
  readonly tier: TierDefinition
  /** As an earlier owner has committed it; the changelog's begin for the first. */
  readonly watermark: number
}

/**
 * The rows of one task's store in its table in Cassandra. A write's timestamp is
 *
 *   starts * 2^36 + how often changes were written since
 *
 * so that no write of a member that was the partition's owner before takes the place of one by its successor, whatever the order in which they arrive. That is why it is not the
 * place of a record, as rows of sinks have it (WriteClock): there the record that comes later wins, though it be processed by the older member; a row of state is what the
 * later owner has made of all records before.
 */
export class CassandraTier implements RowTier, PrefixTier {
  readonly #options: CassandraTierOptions
  readonly #source: RowSource
  readonly #backlog: TierBacklog
  #timestamp: bigint
  #isClosed = false

  constructor(options: CassandraTierOptions) {
    const { taskId, store, tier, starts, watermark, backlog, onWritten, onFailed } = options
    this.#options = options
    this.#source = { taskId, node: store, table: tier.table.name, asked: null }
    this.#timestamp = BigInt(starts) << WRITES_BITS
    this.#backlog = new TierBacklog(
      watermark,
      (changes) => this.#writeAll(changes),
      backlog,
      onWritten,
      onFailed,
      tier.prefixes === undefined ? null : (key) => key.toString('latin1', 0, prefixFrameBytes(key)),
    )
  }

  get watermark(): number {
    return this.#backlog.watermark
  }

  get changed(): number {
    return this.#backlog.changed
  }

  put(id: string): void {
    this.#backlog.put(id)
  }

  onItsWay(key: Buffer): TierRow | null | undefined {
    return this.#backlog.find(key.toString('latin1'))?.row
  }

  prefixOnItsWay(frame: Buffer): Iterable<readonly [key: string, change: TierChange]> {
    return this.#backlog.ofGroup(frame.toString('latin1'))
  }

  committed(end: number, rowOf: (key: Buffer) => TierRow | null): void {
    this.#backlog.committed(end, rowOf)
  }

  settled(): Promise<void> {
    return this.#backlog.settled()
  }

  discard(): void {
    this.#backlog.discard()
  }

  nodeOf(key: Buffer): string {
    return this.#options.reads.nodeOf(key)
  }

  async readSome(keys: readonly Buffer[]): Promise<readonly (TierRow | null | Error)[]> {
    const { tier, reads } = this.#options
    const onTheirWay = keys.map((key) => this.onItsWay(key))
    const asked = keys.filter((_, index) => onTheirWay[index] === undefined)
    const came = asked.length === 0 ? [] : await reads.readSome(tier.table, asked, () => !this.#isClosed)
    let next = 0
    return onTheirWay.map((row) => (row === undefined ? tierRowOf(came[next++]!) : row))
  }

  async readPrefix(prefix: Buffer): Promise<readonly TierPrefixRow[] | null> {
    const { tier, reads } = this.#options
    const rows = await reads.readPartition(tier.table, [prefix], tier.prefixes!, () => !this.#isClosed)
    if (rows === null) return null
    return rows.map(({ rest, value, ts }) => ({
      rest: rest as Buffer,
      value: value as Buffer,
      timestampMs: Number(ts),
    }))
  }

  close(): void {
    this.#isClosed = true
    this.#backlog.close()
    this.#options.rows.close()
  }

  /** @throws what a row is refused for, which no second attempt would change */
  async #writeAll(changes: Iterable<TierChange>): Promise<void> {
    const { rows } = this.#options
    this.#timestamp++
    for (const change of changes) {
      if (rows.isFull) await rows.written(() => !rows.isFull)
      if (this.#isClosed) return
      this.#add(change)
    }
    await rows.written()
    const [refused] = rows.takeRefused()
    if (refused !== undefined) throw refused.error
  }

  #add({ key, row }: TierChange): void {
    const { tier, rows } = this.#options
    const columns = tier.prefixes === undefined ? [key] : columnsOf(key)
    rows.add({
      table: tier.table,
      partition: columns[0]!.toString('latin1'),
      goesWithOthers: true,
      key: columns,
      values: row === null ? null : [row.value, BigInt(row.timestampMs)],
      ttlSeconds: row === null ? 0 : tier.ttlSeconds,
      timestampUs: this.#timestamp,
      source: this.#source,
    })
  }
}

/** Prefix and rest. */
function columnsOf(key: Buffer): readonly Buffer[] {
  const middle = prefixFrameBytes(key)
  return [prefixOfFrame(key.subarray(0, middle)), key.subarray(middle)]
}

function tierRowOf(row: ReadRow): TierRow | null | Error {
  if (row === null || row instanceof Error) return row
  return { value: row.value as Buffer, timestampMs: Number(row.ts) }
}
