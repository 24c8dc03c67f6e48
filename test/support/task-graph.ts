import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { StateMemory, TaskDatabase } from '../../src/native.ts'
import { Headers } from '../../src/process/headers.ts'
import { ProcessGraph } from '../../src/process/process-graph.ts'
import { PunctuationQueue } from '../../src/process/punctuation.ts'
import { TaskClock } from '../../src/process/task-clock.ts'
import { CacheBudget } from '../../src/state/cache-budget.ts'
import { openStore } from '../../src/state/open-store.ts'
import { OverlayWriter } from '../../src/state/overlay-writer.ts'
import { hasTimestampedRows } from '../../src/state/row-codec.ts'
import { segmentOptions } from '../../src/state/segments.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import { SUPPRESS_CHANGELOG_VERSION } from '../../src/state/suppress-row.ts'
import type { TopologyDefinition } from '../../src/topology/definition.ts'
import { smallStateMemory } from './state-memory.ts'

/**
 * One task of a topology's only sub-topology, with its real processors and stores and without Kafka: records are handed to its sources by the
 * test. The topology must have no sinks.
 */
export class TaskGraph implements AsyncDisposable {
  /** The wall clock, ms. */
  nowMs = 1_000_000
  readonly clock = new TaskClock(() => this.nowMs)
  readonly processorMetadata = new Map<string, number>()
  readonly stores: ReadonlyMap<string, StateStore>
  /** Records that operators dropped: the processor and why. */
  readonly dropped: { readonly processor: string; readonly reason: string }[] = []
  /** By processor: changes that suppressions forwarded. */
  readonly suppressionEmits = new Map<string, number>()
  readonly #graph: ProcessGraph
  readonly #resources: AsyncDisposableStack

  private constructor(
    { subtopologies }: TopologyDefinition,
    stores: ReadonlyMap<string, StateStore>,
    resources: AsyncDisposableStack,
    emitIntervalMs: number,
  ) {
    this.stores = stores
    this.#resources = resources
    const environment = {
      applicationId: 'test',
      taskId: '0_0',
      partition: 0,
      clock: this.clock,
      streamTimePunctuations: new PunctuationQueue('stream-time'),
      wallClockPunctuations: new PunctuationQueue('wall-clock-time'),
      processorMetadata: this.processorMetadata,
      emitIntervalMs,
      recordDropped: (processor: string, reason: string) => this.dropped.push({ processor, reason }),
      suppressionEmitted: (processor: string) =>
        this.suppressionEmits.set(processor, (this.suppressionEmits.get(processor) ?? 0) + 1),
    }
    const noSinks = (name: string): never => {
      throw new Error(`the topology writes to ${name}; a test of its graph must have no sinks`)
    }
    this.#graph = new ProcessGraph(subtopologies[0]!, environment, stores, noSinks, undefined as never)
    this.#graph.init()
  }

  static async open(topology: TopologyDefinition, emitIntervalMs = 0): Promise<TaskGraph> {
    const [subtopology] = topology.subtopologies
    if (topology.subtopologies.length !== 1) throw new Error('the topology must have one sub-topology')
    const resources = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'weir-graph-'))
    resources.defer(() => rm(folder, { recursive: true, force: true }))
    const definitions = subtopology!.stores
    if (definitions.length === 0) return new TaskGraph(topology, new Map(), resources, emitIntervalMs)
    const memory = StateMemory.acquire(smallStateMemory)
    resources.defer(() => memory.close())
    const database = await TaskDatabase.open(memory, {
      path: join(folder, '0_0'),
      partition: 0,
      stores: definitions.map((definition) => ({
        name: definition.name,
        timestamped: hasTimestampedRows(definition),
        inMemory: definition.inMemory === true,
        changelogTopic: null,
        ...segmentOptions(definition),
        ...(definition.type === 'suppress-buffer' && { changelogVersion: SUPPRESS_CHANGELOG_VERSION }),
      })),
      flushEveryRecords: 1_000_000,
      flushIntervalMs: 3_600_000,
    })
    resources.defer(() => database.close())
    const shared = { database, budget: new CacheBudget(8 << 20), overlayWriter: new OverlayWriter() }
    const recordTimestamp = (): number => graph.clock.timestamp
    const stores = new Map(
      definitions.map((definition, index) => [
        definition.name,
        openStore(definition, { ...shared, index, recordTimestamp, onOverlayBytes: () => {} }),
      ]),
    )
    const graph = new TaskGraph(topology, stores, resources, emitIntervalMs)
    return graph
  }

  keyValueStore(name: string): KeyValueStore<unknown, unknown> {
    return this.stores.get(name) as unknown as KeyValueStore<unknown, unknown>
  }

  /** Processes a record of `topic` to its end. */
  pipe(topic: string, key: unknown, value: unknown, timestamp: number, headers = Headers.empty): void {
    const { clock } = this
    clock.topic = topic
    clock.offset++
    clock.timestamp = timestamp
    clock.streamTimeMs = Math.max(clock.streamTimeMs, timestamp)
    for (const child of this.#graph.source(topic).children) child.process({ key, value, timestamp, headers })
  }

  /** Moves every change out of the caches, as memory pressure would: rows are read back from their bytes. */
  evict(): void {
    for (const store of this.stores.values()) {
      store.flush()
      store.cache.rotate()
      store.cache.rotate()
    }
  }

  /** Tells what caching stores have kept back, as a commit does. */
  flush(): void {
    for (const store of this.stores.values()) store.flushChanges(() => false)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#graph.close()
    for (const store of this.stores.values()) store.close()
    await this.#resources.disposeAsync()
  }
}
