import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, type OutgoingRecord, produceAll } from '../../examples/support/kafka.ts'
import { partitionOfKey } from '../../src/produce/partition-of-key.ts'
import type { Random } from './seed.ts'

/** The input of test/support/topologies/migrated.ts. Customers have more partitions than orders: the tasks that join them are others. */
export const inputTopics = { clicks: 2, views: 2, orders: 2, customers: 3 } as const

const partitions = 2
const usersOfPartition = 16
/** Among them: they click, and view nothing. */
const idleUsers = 4
const customers = 60
const recordsPerSecond = 200
/** Of the records' time, between two records; a record is at most `jitterMs` older than the one before it. */
const stepMs = 10
const jitterMs = 1_000
/** How far records may be ahead of those that the slowest application has committed: a restart has no more to catch up with. */
const aheadMs = 30_000
/** Records of this long after all others close every window. */
const closingMs = 300_000
/** Results that wait are told once a second. */
const closingRounds = 3

/** What becomes of an order that never changes: the rows of its customer from some moment on. */
export interface FixedOrder {
  readonly value: string
  /** null: it names none. */
  readonly customer: string | null
}

/**
 * A load for test/support/topologies/migrated.ts, at an even pace, whose results do not depend on how partitions and topics are interleaved: all
 * clicks of a team are in one partition, no record is later than a window's grace, and most orders never change.
 */
export class MigrationLoad {
  readonly fixedOrders = new Map<string, FixedOrder>()
  /** By customer, oldest first: `null` before the first and after a deletion. */
  readonly customers = new Map<string, (string | null)[]>()
  readonly #random: Random
  readonly #users: readonly User[]
  readonly #viewers: readonly User[]
  /** How many clicks the slowest application has committed. */
  readonly #committedClicks: () => number
  readonly #sentClicksAt: number[] = []
  /** Keys of clicks and views with their timestamps. */
  readonly #taken = new Set<string>()
  // By now, so that the brokers' own retention leaves the changelogs alone.
  #now = Date.now() - 7_200_000
  #sent = 0
  #isPaused = false
  #isEnding = false
  #isAbandoned = false

  constructor(random: Random, committedClicks: () => number) {
    this.#random = random
    this.#committedClicks = committedClicks
    const users = Array.from({ length: partitions }, (_, partition) => usersIn(partition))
    this.#users = users.flat()
    this.#viewers = users.flatMap((some) => some.slice(idleUsers))
    for (let index = 0; index < customers; index++) this.customers.set(`customer-${index}`, [null])
  }

  /** Makes the topics, and begins to write. Under `await using` it writes no more at the end of the block. */
  async start(bootstrapServers: string): Promise<AsyncDisposable & { readonly done: Promise<unknown> }> {
    await createTopics(bootstrapServers, inputTopics)
    const done = produceAll(bootstrapServers, this.#records())
    // A failure is met by who waits for the end.
    done.catch(() => {})
    return {
      done,
      [Symbol.asyncDispose]: async () => {
        this.#isAbandoned = true
        await done.catch(() => {})
      },
    }
  }

  /** Of the newest record, ms since 1970. */
  get nowMs(): number {
    return this.#now
  }

  /** Writes nothing until `end`; resolves a moment later. */
  async pause(): Promise<void> {
    this.#isPaused = true
    await sleep(500)
  }

  /** Closes every window, and ends. */
  end(): void {
    this.#isEnding = true
  }

  async *#records(): AsyncGenerator<OutgoingRecord> {
    const startedMs = performance.now()
    let pausedMs = 0
    while (!this.#isEnding && !this.#isAbandoned) {
      const due = ((performance.now() - startedMs - pausedMs) / 1_000) * recordsPerSecond
      while (this.#sent < due) yield this.#next()
      const beforeMs = performance.now()
      await sleep(10)
      if (this.#mustWait()) {
        while (this.#mustWait() && !this.#isEnding && !this.#isAbandoned) await sleep(50)
        pausedMs += performance.now() - beforeMs
      }
    }
    for (let round = 0; round < closingRounds && !this.#isAbandoned; round++) {
      await sleep(1_500)
      this.#now += round === 0 ? closingMs : 100
      for (const topic of ['clicks', 'views'] as const) {
        for (let partition = 0; partition < partitions; partition++) {
          const [user] = usersIn(partition, 'closing')
          yield {
            topic,
            partition,
            key: user!.name,
            value: `closing-${partition}|1`,
            timestamp: this.#now + round,
          }
        }
      }
    }
  }

  #mustWait(): boolean {
    return this.#isPaused || this.#now - (this.#sentClicksAt[this.#committedClicks()] ?? this.#now) > aheadMs
  }

  #next(): OutgoingRecord {
    const random = this.#random
    const number = this.#sent++
    this.#now += stepMs
    const timestamp = this.#now - random.below(jitterMs)
    const kind = random.below(20)
    if (kind < 11) {
      const user = random.below(this.#users.length)
      const { name: key, partition } = this.#users[user]!
      this.#sentClicksAt.push(this.#now)
      const value = `team-${partition}-${user % 2}|${number}`
      return { topic: 'clicks', partition, key, value, timestamp: this.#free('clicks', key, timestamp) }
    }
    if (kind < 17) {
      const { name: key, partition } = random.pick(this.#viewers)
      const value = `v${number}`
      return { topic: 'views', partition, key, value, timestamp: this.#free('views', key, timestamp) }
    }
    if (kind < 19) return { topic: 'orders', ...this.#order(number), timestamp }
    return { topic: 'customers', ...this.#customer(number), timestamp }
  }

  /** Records of a key at the same time are numbered in a join's stores; Kafka Streams begins at 1 again after a restart, and puts one over another. */
  #free(topic: string, key: string, from: number): number {
    let timestamp = from
    while (this.#taken.has(`${topic} ${key} ${timestamp}`)) timestamp++
    this.#taken.add(`${topic} ${key} ${timestamp}`)
    return timestamp
  }

  #order(number: number): { key: string; value: string | null } {
    const random = this.#random
    const customer = random.below(10) === 0 ? null : random.pick([...this.customers.keys()])
    const value = `${customer ?? ''}|${number}`
    if (random.below(5) === 0) {
      // Never deleted, and never without a customer: what is left when they are back before that was answered depends on the moment.
      const moving = random.pick([...this.customers.keys()])
      return { key: `moving-${random.below(20)}`, value: `${moving}|${number}` }
    }
    const key = `order-${number}`
    this.fixedOrders.set(key, { value, customer })
    return { key, value }
  }

  #customer(number: number): { key: string; value: string | null } {
    const random = this.#random
    const key = random.pick([...this.customers.keys()])
    const rows = this.customers.get(key)!
    const value = rows.at(-1) !== null && random.below(8) === 0 ? null : `c${number}`
    rows.push(value)
    return { key, value }
  }
}

interface User {
  readonly name: string
  readonly partition: number
}

/** Users whose records are in a partition, as the key's hash has it. */
function usersIn(partition: number, prefix = 'user'): User[] {
  const users: User[] = []
  for (let number = 0; users.length < usersOfPartition; number++) {
    const bytes = Buffer.from(`${prefix}-${number}`)
    if (partitionOfKey(bytes, bytes.length, partitions) === partition)
      users.push({ name: bytes.toString(), partition })
  }
  return users
}
