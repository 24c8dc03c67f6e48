import { failureOf } from './failures.ts'
import type { CassandraResultRow } from './session.ts'
import type { WrittenTable } from './table-schema.ts'

/** Rows of one request: fewer than any limit of Cassandra's guardrails, and a quick answer all the same. */
const LOOKUP_KEYS_MAX = 16

/** What rows are looked up through. */
export interface LookupSession {
  /** The rows of some partitions that have one row each, with their key. @throws what the driver throws: see failureOf */
  readSome(table: WrittenTable, keys: readonly Buffer[]): Promise<readonly CassandraResultRow[]>
  /** A node that has the key's row: equal for keys that one node has. */
  replicaOf(key: Buffer): string
}

interface Lookup {
  readonly key: Buffer
  readonly resolve: (row: CassandraResultRow | null) => void
  readonly reject: (error: unknown) => void
}

/**
 * Rows by single keys. Those that are asked for in one turn of the event loop, and that the same node has, go together, up to a bound; one that is asked for alone goes alone. So when rows
 * come slower than they are asked for, a request brings more of them: most of what a row costs, here and in Cassandra, is its request.
 */
export class RowLookups {
  readonly #session: LookupSession
  readonly #asked = new Map<WrittenTable, Lookup[]>()
  #isScheduled = false

  constructor(session: LookupSession) {
    this.#session = session
  }

  /** @param key of a table whose key is one column. @returns null when there is no such row. @throws as LookupSession.readSome */
  read(table: WrittenTable, key: Buffer): Promise<CassandraResultRow | null> {
    return new Promise((resolve, reject) => {
      const lookup = { key, resolve, reject }
      const others = this.#asked.get(table)
      if (others === undefined) this.#asked.set(table, [lookup])
      else others.push(lookup)
      if (this.#isScheduled) return
      this.#isScheduled = true
      setImmediate(() => this.#send())
    })
  }

  #send(): void {
    this.#isScheduled = false
    for (const [table, lookups] of this.#asked) {
      const byReplica = Map.groupBy(lookups, ({ key }) => this.#session.replicaOf(key))
      for (const together of byReplica.values())
        for (let from = 0; from < together.length; from += LOOKUP_KEYS_MAX)
          void this.#ask(table, together.slice(from, from + LOOKUP_KEYS_MAX))
    }
    this.#asked.clear()
  }

  /** Never rejects. */
  async #ask(table: WrittenTable, lookups: readonly Lookup[]): Promise<void> {
    try {
      const rows = await this.#session.readSome(
        table,
        lookups.map(({ key }) => key),
      )
      const column = table.schema.partitionKey[0]!.name
      const found = new Map(rows.map((row) => [(row[column] as Buffer).toString('latin1'), row]))
      for (const { key, resolve } of lookups) resolve(found.get(key.toString('latin1')) ?? null)
    } catch (error) {
      if (lookups.length > 1 && failureOf(error).kind === 'refused') {
        // One of them is to blame.
        for (const lookup of lookups) void this.#ask(table, [lookup])
        return
      }
      for (const { reject } of lookups) reject(error)
    }
  }
}
