import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { MockCluster, Producer, Restorer, StateMemory } from '../../src/native.ts'
import { smallStateMemory } from './state-memory.ts'

/** Each run has changelogs of its own: the next partition. */
const PARTITIONS = 64
/** Files in memory: a disk takes as long to create and to sync them as all else takes together. */
const MEMORY_FILES = '/dev/shm'

/** What all tasks of a test file share. */
export class ModelServices {
  readonly cluster = new MockCluster({ brokers: 1 })
  /** Some commits keep rows in memory, others are too large for it. */
  readonly memory = StateMemory.acquire({ ...smallStateMemory, keptBytesMax: 64 << 10 })
  readonly restorer = Restorer.acquire(
    { 'bootstrap.servers': this.cluster.bootstrapServers, 'fetch.wait.max.ms': '1' },
    1,
    8 << 20,
  )
  folder = ''

  async start(): Promise<void> {
    this.folder = await mkdtemp(path.join(existsSync(MEMORY_FILES) ? MEMORY_FILES : tmpdir(), 'weir-model-'))
  }

  async stop(): Promise<void> {
    this.restorer.close()
    this.memory.close()
    this.cluster.close()
    await rm(this.folder, { recursive: true })
  }
}

/** The changelogs of one kind's tasks: a topic for each lane, a partition for each task. */
export class ModelChangelogs {
  readonly producer: Producer
  readonly #cluster: MockCluster
  readonly #name: string
  readonly #lanes: number
  #used = 0

  /** @param lanes topics of a task */
  constructor(cluster: MockCluster, name: string, lanes: number) {
    this.#cluster = cluster
    this.#name = name
    this.#lanes = lanes
    this.producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': '0' })
  }

  next(): { readonly topics: readonly string[]; readonly partition: number } {
    const partition = this.#used % PARTITIONS
    const block = Math.floor(this.#used++ / PARTITIONS)
    const topics = Array.from({ length: this.#lanes }, (_, lane) => `${this.#name}-${block}-${lane}`)
    if (partition === 0) {
      for (const topic of topics) {
        this.#cluster.createTopic(topic, PARTITIONS)
        this.producer.topic(topic, PARTITIONS)
      }
    }
    return { topics, partition }
  }
}
