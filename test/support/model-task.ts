/**
 * Random command sequences for a kind of store, against a model. A task has a store for each of `LANES` sequences, so that its commits, restarts and
 * crashes, which take a thousand times as long as a command, serve all of them.
 */
import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import fc from 'fast-check'

import { type Producer, TaskDatabase } from '../../src/native.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { openStore } from '../../src/state/open-store.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import type { PrefetchingStore } from '../../src/state/prefetch.ts'
import { hasTimestampedRows } from '../../src/state/row-codec.ts'
import { segmentOptions } from '../../src/state/segments.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { type Processed, type ReadAhead, ReadAheadBatch, readAheads } from './model-read-ahead.ts'
import { ModelChangelogs, ModelServices } from './model-services.ts'
import { Random } from './seed.ts'

/** Sequences for each kind of store. */
const SEQUENCES = Number(process.env.WEIR_TEST_RUNS ?? 2_000)
const LANES = 20
/** Commits, restarts and crashes of a sequence. */
const EVENTS = 4
const COMMANDS_PER_EVENT_MAX = 12
const TIMEOUT_MS = 30_000
/** What a store must hold, by means as simple as can be. */
export interface StoreModel<Store, Command> {
  /** Does the command to both and compares. @param now the timestamp of what is being processed, ms; ascends */
  run(store: Store, command: Command, now: number): void
  /** Compares all rows. */
  verify(store: Store): void
  copy(): StoreModel<Store, Command>
  /** The rows were read anew. */
  restarted?(): void
}

export interface StoreKind<Store, Command> {
  readonly definition: StoreDefinition
  readonly command: fc.Arbitrary<Command>
  /** Of an empty store. */
  readonly model: () => StoreModel<Store, Command>
  /** From one command to the next. */
  readonly stepMs: number
  /** Keys of batches that are read ahead, as their records have them. Default: none are. */
  readonly batchKey?: fc.Arbitrary<string>
}

const evict = fc.constant({ do: 'evict' as const })
const trim = fc.constant({ do: 'trim' as const })

/** Where a crash is placed in a commit: after this step. */
const commitStep = fc.constantFrom('begin', 'drained', 'written', 'flushed')
const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('discard' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('crash' as const), after: commitStep }) },
)
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never

/** A store, its model, and the model as it was at what may come back. */
interface Lane<Store, Command> {
  store: StateStore
  /** Its clock, ms. */
  now: number
  /** Batches read ahead, oldest first. */
  readonly batches: ReadAheadBatch[]
  model: StoreModel<Store, Command>
  /** What the changelog says, what was committed here, and what of it is on disk. */
  logged: StoreModel<Store, Command>
  committed: StoreModel<Store, Command>
  flushed: StoreModel<Store, Command>
}

class ModelTask<Store, Command> {
  readonly #services: ModelServices
  readonly #kind: StoreKind<Store, Command>
  readonly #producer: Producer
  readonly #topics: readonly string[]
  readonly #partition: number
  readonly #budget: CacheBudget
  readonly #overlayWriter = new OverlayWriter()
  readonly #lanes: readonly Lane<Store, Command>[]
  #path: string
  #database!: TaskDatabase

  constructor(
    services: ModelServices,
    kind: StoreKind<Store, Command>,
    changelogs: ModelChangelogs,
    budgetBytes: number,
  ) {
    const { topics, partition } = changelogs.next()
    this.#services = services
    this.#kind = kind
    this.#producer = changelogs.producer
    this.#topics = topics
    this.#partition = partition
    this.#budget = new CacheBudget(budgetBytes)
    this.#path = path.join(services.folder, `${topics[0]}-${partition}`)
    this.#lanes = topics.map(() => {
      const { model } = kind
      // `open` brings the store.
      return {
        store: null!,
        now: 0,
        batches: [],
        model: model(),
        logged: model(),
        committed: model(),
        flushed: model(),
      }
    })
  }

  get usedBytes(): number {
    return this.#budget.usedBytes
  }

  async open(): Promise<void> {
    const { definition } = this.#kind
    const { memory, restorer } = this.#services
    const database = await TaskDatabase.open(memory, {
      path: this.#path,
      partition: this.#partition,
      stores: this.#topics.map((topic, lane) => ({
        name: `${definition.name}-${lane}`,
        timestamped: hasTimestampedRows(definition),
        inMemory: definition.inMemory === true,
        changelogTopic: definition.logging ? topic : null,
        ...segmentOptions(definition),
      })),
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
    this.#database = database
    if (definition.logging) {
      const offsets = database.offsets()
      const restores = this.#topics.map((topic, store) => ({
        store,
        topic,
        partition: this.#partition,
        topicId: '',
        from: offsets[store]!.offset,
      }))
      await restorer.restore(database, restores).done
    }
    for (const [index, lane] of this.#lanes.entries()) {
      lane.store = openStore(definition, {
        database,
        index,
        budget: this.#budget,
        overlayWriter: this.#overlayWriter,
        recordTimestamp: () => lane.now,
        onOverlayBytes: () => {},
      })
    }
  }

  run(
    index: number,
    commands: readonly (Command | ReadAhead | Processed | { readonly do: 'evict' | 'trim' })[],
  ): void {
    const lane = this.#lanes[index]!
    const { store, model, batches } = lane
    for (const command of commands) {
      lane.now += this.#kind.stepMs
      const name = (command as { do: string }).do
      if (name === 'trim') {
        this.#budget.trim(store.cache)
      } else if (name === 'evict') {
        for (let age = 0; age < 2; age++) if (store.cache.canRotate) store.cache.rotate()
      } else if (name === 'readAhead') {
        const { keys } = command as ReadAhead
        // No input has more than the one being processed and the next.
        if (batches.length === 2) batches.shift()!.processed()
        batches.push(new ReadAheadBatch(store as StateStore & PrefetchingStore, this.#database, index, keys))
      } else if (name === 'processed') {
        batches.shift()?.processed()
      } else {
        model.run(store as unknown as Store, command as Command, lane.now)
      }
    }
  }

  verify(): void {
    for (const { store, model } of this.#lanes) model.verify(store as unknown as Store)
  }

  async event(event: Event): Promise<void> {
    for (const { batches } of this.#lanes) for (const batch of batches.splice(0)) batch.processed()
    switch (event.do) {
      case 'commit':
        await this.#commit('written')
        break
      case 'discard':
        for (const { store } of this.#lanes) store.discard()
        this.#database.discard()
        // As a task is closed, and opened anew: its database may have forgotten rows that only the changelog has now.
        await this.close()
        await this.open()
        this.#restart((lane) => lane.committed)
        break
      case 'reopen':
        await this.close()
        await this.open()
        this.#restart((lane) => lane.committed)
        break
      case 'crash':
        await this.#commit(event.after)
        await this.#crash()
        this.#restart((lane) => lane.flushed)
        break
    }
  }

  async close(): Promise<void> {
    for (const { store } of this.#lanes) store.close()
    await this.#database.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.#path, { recursive: true })
  }

  /** Commits as a stream thread does, up to and with the step `last`. */
  async #commit(last: string): Promise<void> {
    if (last === 'begin') return
    for (const { store } of this.#lanes) store.flush()
    await this.#database.drain(this.#producer)
    await this.#producer.flush(TIMEOUT_MS)
    for (const lane of this.#lanes) lane.logged = lane.model.copy()
    if (last === 'drained') return
    await this.#database.commit()
    for (const lane of this.#lanes) lane.committed = lane.model.copy()
    if (last === 'written') return
    await this.#database.flush()
    for (const lane of this.#lanes) lane.flushed = lane.model.copy()
  }

  /** Opens what a process that was killed now would leave: RocksDB has no write-ahead log, so it is what its folder has. */
  async #crash(): Promise<void> {
    const left = `${this.#path}+`
    await cp(this.#path, left, { recursive: true })
    await this.remove()
    this.#path = left
    await this.open()
  }

  /** @param kept what is left on this disk */
  #restart(kept: (lane: Lane<Store, Command>) => StoreModel<Store, Command>): void {
    const { logging, inMemory } = this.#kind.definition
    for (const lane of this.#lanes) {
      const found = kept(lane)
      lane.model = (logging ? lane.logged : inMemory ? this.#kind.model() : found).copy()
      lane.committed = lane.model.copy()
      lane.flushed = found
    }
    this.#restarted()
  }

  #restarted(): void {
    for (const { model } of this.#lanes) model.restarted?.()
  }
}

/** Runs the sequences of each kind, as tests of one suite: stores that differ in their definitions only. */
export function testAgainstModels<Store, Command>(
  suite: string,
  definitions: Readonly<Record<string, StoreDefinition>>,
  kindOf: (definition: StoreDefinition) => StoreKind<Store, Command>,
): void {
  describe(suite, { concurrency: 3 }, () => {
    let services: ModelServices
    before(async () => {
      services = new ModelServices()
      await services.start()
    })
    after(() => services.stop())

    for (const [index, [name, definition]] of Object.entries(definitions).entries()) {
      const kind = kindOf(definition)
      test(name, async (t) => {
        const { seed } = new Random()
        t.diagnostic(`seed ${seed}`)
        const changelogs = new ModelChangelogs(services.cluster, `kind-${index}`, LANES)
        try {
          await fc.assert(property(services, kind, changelogs), {
            seed,
            numRuns: Math.ceil(SEQUENCES / LANES),
          })
        } finally {
          await changelogs.producer.close()
        }
      })
    }
  })
}

function property<Store, Command>(
  services: ModelServices,
  kind: StoreKind<Store, Command>,
  changelogs: ModelChangelogs,
): fc.IAsyncProperty<unknown> {
  const command = fc.oneof(
    { weight: 100, arbitrary: kind.command },
    { weight: 6, arbitrary: evict },
    { weight: 6, arbitrary: trim },
    ...(kind.batchKey === undefined ? [] : readAheads(kind.batchKey)),
  )
  // Without a size sequences have hardly ten commands.
  const commands = fc.array(command, { maxLength: COMMANDS_PER_EVENT_MAX, size: 'max' })
  const rounds = fc.tuple(...times(EVENTS, fc.record({ event, lanes: fc.tuple(...times(LANES, commands)) })))
  const budgetBytes = fc.constantFrom(800 * LANES, 1 << 20)
  return fc.asyncProperty(rounds, budgetBytes, async (rounds, budgetBytes) => {
    const task = new ModelTask(services, kind, changelogs, budgetBytes)
    await task.open()
    try {
      for (const { event, lanes } of rounds) {
        for (const [lane, commands] of lanes.entries()) task.run(lane, commands)
        await task.event(event)
        task.verify()
      }
    } finally {
      await task.remove()
    }
    assert.equal(task.usedBytes, 0)
  })
}

function times<T>(count: number, value: T): T[] {
  return new Array<T>(count).fill(value)
}
