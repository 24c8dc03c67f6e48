import { prefixFrameBytes, prefixOfFrame } from '../serde/prefix-key.ts'
import type { PrefixTier, TierPrefixRow, TierRow } from '../state/store-tier.ts'
import type { TierDefinition } from '../topology/definition.ts'
import type { RowReads } from './row-reader.ts'
import type { RowSource, TaskRows } from './row-write.ts'

/** A later start of the task beats all that an earlier one has written, however much that was: so many times its changes may be written out. */
const WRITES_BITS = 36n

export interface CassandraTierOptions {
  readonly taskId: string
  /** The store's name. */
  readonly store: string
  readonly tier: TierDefinition
  readonly rows: TaskRows
  readonly reads: RowReads
  /** How often the task has started; committed before it processes anything. */
  readonly starts: number
}

/**
 * The rows of one task's store in its table in Cassandra. A write's timestamp is
 *
 *   starts * 2^36 + how often changes were written out since
 *
 * so that no write of a member that was the partition's owner before takes the place of one by its successor, whatever the order in which they arrive. That is why it is not the
 * place of a record, as rows of sinks have it (WriteClock): there the record that comes later wins, though it be processed by the older member; a row of state is what the
 * later owner has made of all records before.
 */
export class CassandraTier implements PrefixTier {
  readonly #options: CassandraTierOptions
  readonly #source: RowSource
  #timestamp: bigint
  #isClosed = false

  constructor(options: CassandraTierOptions) {
    const { taskId, store, tier, starts } = options
    this.#options = options
    this.#source = { taskId, node: store, table: tier.table.name, asked: null }
    this.#timestamp = BigInt(starts) << WRITES_BITS
  }

  beginWrites(): void {
    this.#timestamp++
  }

  write(key: Buffer, value: Buffer | null, timestampMs: number): void {
    const { tier, rows } = this.#options
    const columns = tier.prefixes === undefined ? [key] : columnsOf(key)
    rows.add({
      table: tier.table,
      partition: columns[0]!.toString('latin1'),
      key: columns,
      values: value === null ? null : [value, BigInt(timestampMs)],
      ttlSeconds: value === null ? 0 : tier.ttlSeconds,
      timestampUs: this.#timestamp,
      source: this.#source,
    })
  }

  async read(key: Buffer): Promise<TierRow | null> {
    const { tier, reads } = this.#options
    const row = await reads.read(tier.table, [key], () => !this.#isClosed)
    return row === null ? null : { value: row.value as Buffer, timestampMs: Number(row.ts) }
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
  }
}

/** Prefix and rest. */
function columnsOf(key: Buffer): readonly Buffer[] {
  const middle = prefixFrameBytes(key)
  return [prefixOfFrame(key.subarray(0, middle)), key.subarray(middle)]
}
