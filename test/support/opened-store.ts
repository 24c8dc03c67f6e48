import { cp, rm } from 'node:fs/promises'
import path from 'node:path'

import {
  type DatabaseOptions,
  MockCluster,
  Producer,
  Restorer,
  StateMemory,
  TaskDatabase,
} from '../../src/native.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { openKeyValueStore, type RocksDbKeyValueStore } from '../../src/state/rocksdb-key-value-store.ts'
import { hasTimestampedRows } from '../../src/state/row-codec.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { smallStateMemory } from './state-memory.ts'

/** A broker, a producer, a restorer and state memory, for stores whose changelogs are real topics. */
export class StoreServices implements AsyncDisposable {
  readonly cluster = new MockCluster({ brokers: 1 })
  readonly memory = StateMemory.acquire(smallStateMemory)
  readonly producer = new Producer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'linger.ms': '0' })
  readonly restorer = Restorer.acquire(
    { 'bootstrap.servers': this.cluster.bootstrapServers, 'fetch.wait.max.ms': '5' },
    1,
    8 << 20,
  )
  readonly folder: string
  #opened = 0

  constructor(folder: string) {
    this.folder = folder
  }

  newName(): string {
    return `s${this.#opened++}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.producer.close()
    this.restorer.close()
    this.memory.close()
    this.cluster.close()
  }
}

/** Where a crash is placed in a commit. */
export type CommitStep = 'begin' | 'drained' | 'written' | 'flushed'

/** A task's only store, which can be committed, evicted, opened again, and lost in a crash. */
export class OpenedStore {
  readonly budget: CacheBudget
  store!: RocksDbKeyValueStore<unknown, unknown>
  database!: TaskDatabase
  overlayBytes = 0
  /** What the store's clock says, ms. */
  now = 0
  readonly #services: StoreServices
  readonly #definition: StoreDefinition
  readonly #changelogTopic: string | null
  readonly #overlayWriter = new OverlayWriter()
  #folder: string

  private constructor(services: StoreServices, definition: StoreDefinition, budgetBytes: number) {
    this.#services = services
    this.#definition = definition
    this.budget = new CacheBudget(budgetBytes)
    const name = services.newName()
    this.#changelogTopic = definition.logging ? `${name}-changelog` : null
    if (this.#changelogTopic !== null) {
      services.cluster.createTopic(this.#changelogTopic, 1)
      services.producer.topic(this.#changelogTopic, 1)
    }
    this.#folder = path.join(services.folder, name)
  }

  static async open(services: StoreServices, definition: StoreDefinition, budgetBytes: number) {
    const opened = new OpenedStore(services, definition, budgetBytes)
    await opened.#open()
    return opened
  }

  async #open(): Promise<void> {
    const { memory, restorer } = this.#services
    const definition = this.#definition
    const options: DatabaseOptions = {
      path: this.#folder,
      partition: 0,
      stores: [
        {
          name: definition.name,
          timestamped: hasTimestampedRows(definition),
          inMemory: definition.inMemory === true,
          changelogTopic: this.#changelogTopic,
        },
      ],
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    }
    this.database = await TaskDatabase.open(memory, options)
    if (this.#changelogTopic !== null) {
      const from = this.database.offsets()[0]!.offset
      const store = { store: 0, topic: this.#changelogTopic, partition: 0, topicId: '', from }
      await restorer.restore(this.database, [store]).done
    }
    this.store = openKeyValueStore(definition, {
      database: this.database,
      index: 0,
      budget: this.budget,
      overlayWriter: this.#overlayWriter,
      recordTimestamp: () => this.now,
      onOverlayBytes: (bytes) => {
        this.overlayBytes = bytes
      },
    })
  }

  /** Commits as a stream thread does, up to and with `last`. */
  async commit(last: CommitStep = 'written'): Promise<void> {
    if (last === 'begin') return
    const { producer } = this.#services
    this.store.flush()
    await this.database.drain(producer)
    await producer.flush(10_000)
    if (last === 'drained') return
    await this.database.commit()
    if (last === 'flushed') await this.database.flush()
  }

  /** Moves every change out of the cache, as memory pressure would. */
  evict(): void {
    this.store.cache.rotate()
    this.store.cache.rotate()
  }

  /** Closes in order and opens again. */
  async reopen(): Promise<void> {
    await this.close()
    await this.#open()
  }

  /** Opens what a process that was killed now would leave: RocksDB has no write-ahead log, so it is what its folder has. */
  async crash(): Promise<void> {
    const left = `${this.#folder}+`
    await cp(this.#folder, left, { recursive: true })
    await this.close()
    await rm(this.#folder, { recursive: true })
    this.#folder = left
    await this.#open()
  }

  async close(): Promise<void> {
    this.store.close()
    await this.database.close()
  }
}
