/**
 * What a client must not do with fetched records, tried on the native consumer against real brokers:
 *
 *   scripts/node test/support/consumer-traps.ts <trap> <bootstrap servers>
 *
 * A child process of the tests. Prints one line of JSON; what it has to be is said by
 * test/broker/traps.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, type OutgoingRecord, produceAll } from '../../examples/support/kafka.ts'
import { CONSUME_COLUMNS, Consumer, type TopicPartition } from '../../src/native.ts'

const capacity = 1_000

/**
 * A consumer that answers the group itself: every partition is read from the beginning, or from where
 * `positions` says.
 */
class GroupReader {
  readonly consumer: Consumer
  readonly assigned = new Set<string>()
  readonly positions = new Map<string, number>()
  readonly #attached: Consumer
  readonly #slots = new Map<string, number>()
  readonly #arena = Buffer.alloc(4 << 20)
  readonly #columns = new ArrayBuffer(
    capacity * (8 * CONSUME_COLUMNS.float64.length + 4 * CONSUME_COLUMNS.int32.length),
  )
  readonly #offsets = new Float64Array(this.#columns, 0, capacity)

  constructor(bootstrapServers: string, group: string, settings: Record<string, string> = {}) {
    this.consumer = new Consumer(
      {
        'bootstrap.servers': bootstrapServers,
        'group.id': group,
        'partition.assignment.strategy': 'range',
        'enable.auto.commit': 'false',
        'enable.auto.offset.store': 'false',
        'auto.offset.reset': 'error',
        'session.timeout.ms': '10000',
        'heartbeat.interval.ms': '200',
        'fetch.queue.backoff.ms': '10',
        ...settings,
      },
      (event) => {
        if (event.type === 'assign') this.#assign(event.partitions)
        else if (event.type === 'revoke') this.#revoke(event.partitions)
        else if (event.type === 'stray')
          throw new Error(`a record in the main queue: ${JSON.stringify(event)}`)
      },
    )
    this.#attached = Consumer.attach(this.consumer.id)
  }

  #assign(partitions: readonly TopicPartition[]): void {
    this.consumer.assign(
      partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: this.positions.get(`${topic}-${partition}`) ?? 0,
      })),
    )
    for (const { topic, partition } of partitions) {
      const name = `${topic}-${partition}`
      this.#slots.set(name, this.#attached.open(topic, partition, this.positions.get(name) ?? 0))
      this.assigned.add(name)
    }
  }

  #revoke(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = `${topic}-${partition}`
      const slot = this.#slots.get(name)
      if (slot !== undefined) this.#attached.closeSlot(slot)
      this.#slots.delete(name)
      this.assigned.delete(name)
    }
    this.consumer.unassign(partitions)
  }

  async untilAssigned(count: number): Promise<void> {
    await until(() => this.assigned.size === count, `${count} partitions are not assigned`)
  }

  /** The offsets that are there now. */
  poll(name: string): number[] {
    const slot = this.#slots.get(name)
    if (slot === undefined) return []
    const count = this.#attached.poll(slot, this.#arena, this.#columns, capacity)
    if (count < 0) throw new Error(`a record of ${-count} bytes`)
    const offsets = [...this.#offsets.subarray(0, count)]
    if (count > 0) this.positions.set(name, offsets.at(-1)! + 1)
    return offsets
  }

  /** Everything up to `count` records; fails when no more come for 20 s. */
  async read(name: string, count: number): Promise<number[]> {
    const offsets: number[] = []
    await until(() => {
      offsets.push(...this.poll(name))
      return offsets.length >= count
    }, `${name} gave ${offsets.length} of ${count} records`)
    return offsets
  }

  pause(name: string): void {
    this.#attached.pause(this.#slots.get(name)!)
  }

  resume(name: string): void {
    this.#attached.resume(this.#slots.get(name)!, this.positions.get(name) ?? 0)
  }

  async close(): Promise<void> {
    this.#slots.clear()
    this.#attached.detach()
    await this.consumer.close()
  }
}

async function until(condition: () => boolean, otherwise: string, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(otherwise)
    await sleep(5)
  }
}

function* recordsOf(topic: string, partition: number, count: number, bytes = 10): Iterable<OutgoingRecord> {
  const value = Buffer.alloc(bytes, 120)
  for (let index = 0; index < count; index++)
    yield { topic, partition, key: String(index), value, timestamp: 1_000 + index }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)
const isEqual = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i])

const traps = {
  /** Read to the end, paused, more is written, resumed: all of it comes, each record once. */
  async 'paused-after-end'(bootstrapServers: string): Promise<unknown> {
    const topic = 'paused-after-end'
    await createTopics(bootstrapServers, { [topic]: 1 })
    const reader = new GroupReader(bootstrapServers, 'paused-after-end')
    reader.consumer.subscribe([topic])
    await reader.untilAssigned(1)
    const name = `${topic}-0`
    const rounds = 12
    const wrong: number[] = []
    let written = 0
    for (let round = 0; round < rounds; round++) {
      // An empty poll after the last record: the partition is at its end.
      await until(() => reader.poll(name).length === 0, 'records that nobody wrote')
      await sleep(round % 3 === 0 ? 0 : 50)
      reader.pause(name)
      await produceAll(bootstrapServers, recordsOf(topic, 0, 10))
      await sleep(round % 2 === 0 ? 0 : 100)
      reader.resume(name)
      const offsets = await reader.read(name, 10)
      if (!isEqual(offsets, range(written, written + 10))) wrong.push(round)
      written += 10
    }
    await reader.close()
    return { rounds, wrong }
  },

  /** A second member takes partitions away and leaves again: the first reads on where it stood, once. */
  async 'leaves-and-returns'(bootstrapServers: string): Promise<unknown> {
    const topic = 'leaves-and-returns'
    const partitions = 4
    await createTopics(bootstrapServers, { [topic]: partitions })
    const stays = new GroupReader(bootstrapServers, 'leaves-and-returns')
    stays.consumer.subscribe([topic])
    await stays.untilAssigned(partitions)
    const names = range(0, partitions).map((partition) => `${topic}-${partition}`)
    const rounds = 3
    const seen = new Map<string, number[]>(names.map((name) => [name, []]))
    const write = async (): Promise<void> => {
      await produceAll(
        bootstrapServers,
        range(0, partitions).flatMap((partition) => [...recordsOf(topic, partition, 500)]),
      )
    }
    const drain = async (owned: readonly string[], total: number): Promise<void> => {
      for (const name of owned)
        seen.get(name)!.push(...(await stays.read(name, total - seen.get(name)!.length)))
    }
    for (let round = 0; round < rounds; round++) {
      await write()
      const visitor = new GroupReader(bootstrapServers, 'leaves-and-returns')
      visitor.consumer.subscribe([topic])
      await until(
        () => stays.assigned.size === partitions / 2 && visitor.assigned.size === partitions / 2,
        'the partitions are not shared',
      )
      // What the visitor owns meanwhile is polled by it, and not for good: it commits nothing.
      for (const name of visitor.assigned) visitor.poll(name)
      await drain([...stays.assigned], 500 * (round + 1))
      await visitor.close()
      await stays.untilAssigned(partitions)
      await drain(names, 500 * (round + 1))
    }
    const wrong = names.filter((name) => !isEqual(seen.get(name)!, range(0, 500 * rounds)))
    await stays.close()
    return { rounds, wrong }
  },

  /** A partition that nobody polls is full; the other one on the same broker flows. */
  async 'full-partition'(bootstrapServers: string): Promise<unknown> {
    const topic = 'full-partition'
    await createTopics(bootstrapServers, { [topic]: 2 })
    await produceAll(bootstrapServers, recordsOf(topic, 0, 20_000, 2_000))
    const reader = new GroupReader(bootstrapServers, 'full-partition', {
      'queued.max.messages.kbytes': '1024',
    })
    reader.consumer.subscribe([topic])
    await reader.untilAssigned(2)
    // Long enough for the queue of the full one to reach its limit.
    await sleep(1_000)
    let flowed = 0
    for (let round = 0; round < 20; round++) {
      await produceAll(bootstrapServers, recordsOf(topic, 1, 1_000))
      flowed += (await reader.read(`${topic}-1`, 1_000)).length
    }
    const full = await reader.read(`${topic}-0`, 20_000)
    await reader.close()
    return { flowed, full: isEqual(full, range(0, 20_000)) }
  },
} satisfies Record<string, (bootstrapServers: string) => Promise<unknown>>

const [trap, bootstrapServers] = process.argv.slice(2) as [keyof typeof traps, string]
console.log(JSON.stringify(await traps[trap](bootstrapServers)))
