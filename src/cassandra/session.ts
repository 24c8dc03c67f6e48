import { readFileSync } from 'node:fs'

import type { Client, DseClientOptions, types } from 'cassandra-driver'

import { ConfigError } from '../config/config-error.ts'
import { messageOf, WeirError } from '../errors/weir-error.ts'
import type { CassandraSettings, CassandraSslSettings, ConsistencyLevel } from './cassandra-settings.ts'
import { bytesOf } from './column-types.ts'
import { failureOf } from './failures.ts'
import type { PartitionLimits } from './table-schema.ts'

type Driver = typeof import('cassandra-driver')

/** How soon a node is looked for again that went away, ms; twice as long each time, up to the second. */
const RECONNECT_MS_MIN = 250
const RECONNECT_MS_MAX = 2_000
/** Of the time for a request, for a connection to be made. */
const CONNECT_TIMEOUT_MS_MAX = 5_000
/** The driver prepares no more than so many statements without a warning. */
const PREPARED_MAX = 10_000
/** Of a partition that is read: a page comes whole, however large its values are. */
const PAGE_ROWS = 1_000

export interface Statement {
  readonly query: string
  readonly params: readonly unknown[]
}

/** Columns by their names; 64-bit integers and varints are bigints, collections are lists, sets and maps. */
export type CassandraResultRow = Readonly<Record<string, unknown>>

/**
 * A session with Cassandra: the driver's client with Weir's settings. One for each stream thread, whose event loop its answers arrive in: a row crosses no thread.
 * Requests go to a replica of their partition in the local data centre; a node that does not answer is followed by the next.
 *
 *   open -> connect (until it succeeds) -> { write | read | define }* -> close
 */
export class CassandraSession {
  readonly #driver: Driver
  readonly #options: DseClientOptions
  readonly #settings: CassandraSettings
  #client: Client | null = null
  #isClosed = false

  private constructor(driver: Driver, settings: CassandraSettings) {
    this.#driver = driver
    this.#settings = settings
    this.#options = clientOptions(driver, settings)
  }

  /**
   * Loads the driver; nothing is connected.
   *
   * @throws ConfigError for a certificate or a key that cannot be read
   */
  static async open(settings: CassandraSettings): Promise<CassandraSession> {
    const { default: driver } = await import('cassandra-driver')
    return new CassandraSession(driver as unknown as Driver, settings)
  }

  /**
   * Connects. From then on nodes that went away are looked for by the driver, by their names anew when none answers.
   *
   * @throws WeirError cassandra-unreachable, cassandra-denied; ConfigError for a data centre that there is not
   */
  async connect(): Promise<void> {
    const client = new this.#driver.Client(this.#options)
    // The driver's lines; without a listener for errors one would end the process.
    client.on('error', () => {})
    // When no node answers the driver looks them up anew, and forgets the old ones with their timers and connections.
    client.on('hostRemove', (host: { shutdown(waits: boolean): Promise<void> }) => void host.shutdown(false))
    try {
      await client.connect()
    } catch (error) {
      await client.shutdown().catch(() => {})
      throw wrongDatacenter(this.#settings, error) ?? this.named(error)
    }
    this.#client = client
    if (this.#isClosed) await this.close()
  }

  /**
   * Writes by statements that may be made twice: they carry their timestamps. Several are one unlogged batch, sent to a node that has the first one's partition; of one partition a replica
   * applies it as a whole.
   *
   * @throws what the driver throws: see failureOf
   */
  async write(statements: readonly Statement[]): Promise<void> {
    const options = {
      prepare: true,
      isIdempotent: true,
      consistency: this.#consistency(this.#settings.writeConsistency),
    }
    const [first, ...others] = statements
    if (first === undefined) return
    if (others.length === 0) await this.#connected().execute(first.query, [...first.params], options)
    else
      await this.#connected().batch(
        statements.map(({ query, params }) => ({ query, params: [...params] })),
        { ...options, logged: false },
      )
  }

  /** @throws what the driver throws: see failureOf */
  async read(query: string, params: readonly unknown[] = []): Promise<readonly CassandraResultRow[]> {
    const result = await this.#connected().execute(query, [...params], {
      prepare: true,
      isIdempotent: true,
      consistency: this.#consistency(this.#settings.readConsistency),
    })
    const rows: CassandraResultRow[] = []
    for await (const row of result) rows.push(row as unknown as CassandraResultRow)
    return rows
  }

  /**
   * As `read`, of some partitions, asked of a node that has the first.
   *
   * @param query whose only parameter is the list of their keys
   */
  async readSome(query: string, keys: readonly Buffer[]): Promise<readonly CassandraResultRow[]> {
    const result = await this.#connected().execute(query, [keys], {
      prepare: true,
      isIdempotent: true,
      consistency: this.#consistency(this.#settings.readConsistency),
      routingKey: keys[0]!,
    })
    return result.rows as unknown as readonly CassandraResultRow[]
  }

  /** The first node that has the partition's rows; empty where it is not known, or there is only one. */
  replicaOf(keyspace: string, key: Buffer): string {
    const client = this.#client
    if (client === null || client.hosts.length < 2) return ''
    return client.getReplicas(keyspace, key)?.[0]?.address ?? ''
  }

  /**
   * As `read`, page by page.
   *
   * @returns null when there is more: what is left is not asked for
   */
  async readUpTo(
    query: string,
    params: readonly unknown[],
    { rowsMax, bytesMax }: PartitionLimits,
  ): Promise<readonly CassandraResultRow[] | null> {
    const result = await this.#connected().execute(query, [...params], {
      prepare: true,
      isIdempotent: true,
      consistency: this.#consistency(this.#settings.readConsistency),
      fetchSize: PAGE_ROWS,
    })
    const rows: CassandraResultRow[] = []
    let bytes = 0
    for await (const row of result) {
      for (const value of row.values()) bytes += bytesOf(value)
      if (rows.length === rowsMax || bytes > bytesMax) return null
      rows.push(row as unknown as CassandraResultRow)
    }
    return rows
  }

  /**
   * Changes the schema, and waits until the nodes agree.
   *
   * @param timeoutMs for an answer; default: WEIR_CASSANDRA_REQUEST_TIMEOUT_MS
   * @throws WeirError cassandra-unreachable, cassandra-denied, cassandra-schema
   */
  async define(statement: string, timeoutMs = this.#settings.requestTimeoutMs): Promise<void> {
    try {
      await this.#connected().execute(statement, [], { readTimeout: timeoutMs })
    } catch (error) {
      throw this.named(error)
    }
  }

  /** What the driver threw, in the words of who runs the application. */
  named(error: unknown): WeirError {
    if (error instanceof WeirError) return error
    const { kind, message } = failureOf(error)
    const where = this.#settings.contactPoints.join(', ')
    const texts = {
      passes: [
        'cassandra-unreachable',
        `Cassandra at ${where} (WEIR_CASSANDRA_CONTACT_POINTS) does not answer`,
      ],
      denied: [
        'cassandra-denied',
        `Cassandra at ${where} refuses the credentials, or a permission is missing`,
      ],
      refused: ['cassandra-schema', 'Cassandra refuses a statement'],
      unprepared: ['cassandra-schema', 'Cassandra refuses a statement'],
    } as const
    const [code, text] = texts[kind]
    return new WeirError(code, `${text}: ${message}`, { cause: error })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const client = this.#client
    this.#client = null
    await client?.shutdown().catch(() => {})
  }

  #connected(): Client {
    if (this.#client === null) throw new WeirError('closed', 'the session with Cassandra is not open')
    return this.#client
  }

  #consistency(level: ConsistencyLevel): types.consistencies {
    const name = level.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    return this.#driver.types.consistencies[name as keyof typeof types.consistencies]
  }
}

/** The driver's only error of an argument that is found when nodes have answered. @returns null for another error */
function wrongDatacenter({ localDatacenter }: CassandraSettings, error: unknown): ConfigError | null {
  const { innerErrors } = error as { readonly innerErrors?: Readonly<Record<string, unknown>> | null }
  const wrong = [error, ...Object.values(innerErrors ?? {})].find(
    (one) => (one as Partial<Error> | null)?.name === 'ArgumentError',
  )
  if (wrong === undefined) return null
  return new ConfigError([`WEIR_CASSANDRA_LOCAL_DATACENTER=${localDatacenter}: ${messageOf(wrong)}`])
}

function clientOptions(driver: Driver, settings: CassandraSettings): DseClientOptions {
  const { contactPoints, localDatacenter, username, password, ssl, requestTimeoutMs } = settings
  const { reconnection } = driver.policies
  return {
    contactPoints: [...contactPoints],
    localDataCenter: localDatacenter ?? '',
    ...(username !== null && { credentials: { username, password: password ?? '' } }),
    ...(ssl !== null && { sslOptions: tlsOf(ssl) }),
    policies: {
      reconnection: new reconnection.ExponentialReconnectionPolicy(RECONNECT_MS_MIN, RECONNECT_MS_MAX, false),
      // Writes have their own.
      timestampGeneration: null as never,
    },
    socketOptions: {
      readTimeout: requestTimeoutMs,
      connectTimeout: Math.min(requestTimeoutMs, CONNECT_TIMEOUT_MS_MAX),
    },
    encoding: { map: Map, set: Set, useBigIntAsLong: true, useBigIntAsVarint: true },
    maxPrepared: PREPARED_MAX,
    monitorReporting: { enabled: false },
  }
}

function tlsOf(ssl: CassandraSslSettings): object {
  const { caLocation, certificateLocation, keyLocation, keyPassword, checksHostname } = ssl
  const read = (name: string, location: string): string => {
    try {
      return readFileSync(location, 'utf8')
    } catch (error) {
      throw new ConfigError([
        `WEIR_CASSANDRA_SSL_${name}_LOCATION=${location}: cannot be read: ${messageOf(error)}`,
      ])
    }
  }
  return {
    rejectUnauthorized: true,
    ...(caLocation !== null && { ca: read('CA', caLocation) }),
    ...(certificateLocation !== null && { cert: read('CERTIFICATE', certificateLocation) }),
    ...(keyLocation !== null && { key: read('KEY', keyLocation) }),
    ...(keyPassword !== null && { passphrase: keyPassword }),
    ...(!checksHostname && { checkServerIdentity: () => undefined }),
  }
}
