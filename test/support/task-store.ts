/** One store over a real database, with a changelog on the mock cluster: to be committed, reopened, crashed and restored by tests. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { MockCluster, Producer, Restorer, StateMemory, TaskDatabase } from '../../src/native.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { openStore } from '../../src/state/open-store.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { segmentOptions } from '../../src/state/segments.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import { SUPPRESS_CHANGELOG_VERSION } from '../../src/state/suppress-row.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { smallStateMemory } from './state-memory.ts'

const MiB = 2 ** 20

/** What the stores of one test file share. */
export class StoreLaboratory {
  readonly cluster = new MockCluster({ brokers: 1 })
  readonly memory = StateMemory.acquire(smallStateMemory)
  readonly producer = new Producer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'linger.ms': '0' })
  readonly restorer = Restorer.acquire(
    { 'bootstrap.servers': this.cluster.bootstrapServers, 'fetch.wait.max.ms': '5' },
    1,
    MiB,
  )
  folder = ''
  #opened = 0

  async start(): Promise<void> {
    this.folder = await mkdtemp(path.join(tmpdir(), 'weir-store-'))
  }

  async stop(): Promise<void> {
    this.restorer.close()
    await this.producer.close()
    this.memory.close()
    this.cluster.close()
    await rm(this.folder, { recursive: true })
  }

  /** @param budgetBytes of the cache: a tiny one evicts at each `trim` */
  async open(definition: StoreDefinition, budgetBytes: number): Promise<TaskStore> {
    const name = `store-${this.#opened++}`
    if (definition.logging) {
      this.cluster.createTopic(name, 1)
      this.producer.topic(name, 1)
    }
    const store = new TaskStore(this, definition, budgetBytes, name)
    await store.open()
    return store
  }
}

export class TaskStore {
  /** The timestamp of what is being processed. */
  recordTimestamp = 7
  expired = 0
  readonly topic: string
  readonly #laboratory: StoreLaboratory
  readonly #definition: StoreDefinition
  readonly #budget: CacheBudget
  readonly #path: string
  #hasSnapshot = false
  #database: TaskDatabase | null = null
  #store: StateStore | null = null

  constructor(laboratory: StoreLaboratory, definition: StoreDefinition, budgetBytes: number, name: string) {
    this.#laboratory = laboratory
    this.#definition = definition
    this.#budget = new CacheBudget(budgetBytes)
    this.#path = path.join(laboratory.folder, name)
    this.topic = name
  }

  get database(): TaskDatabase {
    return this.#database!
  }

  store<S>(): S {
    return this.#store as unknown as S
  }

  get state(): StateStore {
    return this.#store!
  }

  async open(): Promise<void> {
    const { name, type, logging, inMemory = false } = this.#definition
    this.#database = await TaskDatabase.open(this.#laboratory.memory, {
      path: this.#path,
      partition: 0,
      stores: [
        {
          name,
          timestamped: type.startsWith('timestamped'),
          inMemory,
          changelogTopic: logging ? this.topic : null,
          ...segmentOptions(this.#definition),
          ...(type === 'suppress-buffer' && { changelogVersion: SUPPRESS_CHANGELOG_VERSION }),
        },
      ],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
      // A snapshot copies the folder while the database is open: no file must go meanwhile.
      rocksdb: { disable_auto_compactions: 'true' },
    })
    this.#store = openStore(this.#definition, {
      database: this.#database,
      index: 0,
      budget: this.#budget,
      overlayWriter: new OverlayWriter(),
      recordTimestamp: () => this.recordTimestamp,
      onOverlayBytes: () => {},
      onExpired: () => this.expired++,
    })
  }

  async commit(): Promise<void> {
    this.state.flush()
    await this.database.drain(this.#laboratory.producer)
    await this.#laboratory.producer.flush(30_000)
    await this.database.commit()
  }

  /** The records reach the changelog, the rows do not reach RocksDB: a crash in the middle of a commit. */
  async commitHalf(): Promise<void> {
    this.state.flush()
    await this.database.drain(this.#laboratory.producer)
    await this.#laboratory.producer.flush(30_000)
  }

  /** Between batches: rows leave a cache that is over its budget. */
  trim(): void {
    this.#budget.trim(this.state.cache)
  }

  /** An abort: what was not committed goes. */
  discard(): void {
    this.state.discard()
    this.database.discard()
  }

  /** Flushes, and keeps the folder as it is for the next crash. */
  async snapshot(): Promise<void> {
    await this.database.flush()
    await rm(this.#snapshotPath, { recursive: true, force: true })
    await cp(this.#path, this.#snapshotPath, { recursive: true })
    this.#hasSnapshot = true
  }

  async close(): Promise<void> {
    this.state.close()
    await this.database.close()
  }

  async reopen(): Promise<void> {
    await this.close()
    await this.open()
  }

  /** What a crash leaves is what the last flush wrote, or nothing. The changelog brings the rest. */
  async crash(): Promise<void> {
    await this.close()
    await rm(this.#path, { recursive: true })
    if (this.#hasSnapshot) await cp(this.#snapshotPath, this.#path, { recursive: true })
    await this.open()
    await this.restore()
  }

  async restore(): Promise<void> {
    const [offset] = this.database.offsets()
    await this.#laboratory.restorer.restore(this.database, [
      { store: 0, topic: this.topic, partition: 0, topicId: '', from: offset!.offset },
    ]).done
  }

  get #snapshotPath(): string {
    return `${this.#path}-snapshot`
  }
}
