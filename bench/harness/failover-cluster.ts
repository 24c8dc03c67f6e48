import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import rdkafka from 'node-rdkafka'

import { answersOk } from '../../test/services/http.ts'
import { repoDir } from './paths.ts'
import { SystemProcess } from './system.ts'

interface LogLine {
  /** When it was written, ms since 1970. */
  readonly atMs: number
  readonly message: string
  /** Of `tasks handed out`: by thread. */
  readonly threads?: Readonly<Record<string, readonly string[]>>
}

/** One worker of the application that is measured, with the lines that it logs. */
export class Worker implements AsyncDisposable {
  readonly startedMs = Date.now()
  readonly #process: SystemProcess
  readonly #lines: LogLine[] = []

  /** @param module of the topology, below the repository */
  constructor(module: string, env: Readonly<Record<string, string>>, port: number, logFile: string) {
    this.#process = new SystemProcess({
      name: 'weir',
      command: join(repoDir, 'scripts/node'),
      args: [join(repoDir, 'src/cli/main.ts'), 'run', join(repoDir, module)],
      logFile,
      env: { ...env, WEIR_HTTP_PORT: String(port), WEIR_LOG_LEVEL: 'info', WEIR_LOG_FORMAT: 'json' },
      isReady: () => answersOk(`http://127.0.0.1:${port}/readyz`, 1_000),
      eventOf: (line) => this.#logged(line),
    })
  }

  get pid(): number {
    return this.#process.pid
  }

  /** When it logged such a line first, or last, ms since 1970. */
  firstMs(message: string): number | null {
    return this.#lines.find((line) => line.message === message)?.atMs ?? null
  }

  lastMs(message: string): number | null {
    return this.#lines.findLast((line) => line.message === message)?.atMs ?? null
  }

  /** The partitions of the tasks that it was given last: all that it has, under the classic protocol. */
  get partitions(): number[] {
    const { threads = {} } = this.#lines.findLast(({ message }) => message === 'tasks handed out') ?? {}
    return Object.values(threads).flatMap((tasks) => tasks.map((task) => Number(task.split('_')[1])))
  }

  /** Lines so far. */
  forget(): void {
    this.#lines.length = 0
  }

  async ready(): Promise<void> {
    await this.until(() => true)
  }

  /** Waits until it runs all its tasks, and something else is true. */
  async until(condition: () => boolean): Promise<void> {
    const reached = async (): Promise<void> => {
      do await this.#process.ready()
      while (!condition() && (await sleep(20, true)))
    }
    await Promise.race([reached(), this.#process.failure(), late('a worker is not ready')])
  }

  /** Rejects when it ends unasked. */
  failure(): Promise<never> {
    return this.#process.failure()
  }

  /** SIGTERM. @returns when it had ended */
  async stop(): Promise<number> {
    await this.#process.stop()
    return Date.now()
  }

  /** SIGKILL. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }

  #logged(line: string): null {
    if (line.startsWith('{')) {
      const { time, ...said } = JSON.parse(line) as { time: string } & Omit<LogLine, 'atMs'>
      this.#lines.push({ ...said, atMs: Date.parse(time) })
    }
    return null
  }
}

const LATE_MS = 300_000

async function late(what: string): Promise<never> {
  await sleep(LATE_MS, undefined, { ref: false })
  throw new Error(`after ${LATE_MS} ms ${what}`)
}

/** Records of one tick at the most: what a pause of this process has left undone is made up for in steps. */
const BURST_MAX = 1_000

/** Writes records steadily, to every partition within a few ms. */
export class Feeder implements AsyncDisposable {
  readonly #producer: rdkafka.Producer
  readonly #timer: NodeJS.Timeout
  #isEnded = false
  /** When each was sent, ms since 1970. */
  readonly sentMs: number[] = []

  private constructor(
    producer: rdkafka.Producer,
    topic: string,
    keyOf: (number: number) => string,
    recordsPerSecond: number,
  ) {
    this.#producer = producer
    const startedMs = performance.now()
    const value = Buffer.alloc(100, 120)
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedMs) * recordsPerSecond) / 1_000
      producer.poll()
      const until = Math.min(due, this.sent + BURST_MAX)
      const nowMs = Date.now()
      while (this.sent < until) {
        producer.produce(topic, null, value, keyOf(this.sent), nowMs)
        this.sentMs.push(nowMs)
      }
    }, 5)
  }

  get sent(): number {
    return this.sentMs.length
  }

  static async start(
    bootstrapServers: string,
    topic: string,
    keyOf: (number: number) => string,
    recordsPerSecond: number,
  ): Promise<Feeder> {
    const producer = new rdkafka.Producer(
      { 'bootstrap.servers': bootstrapServers, 'linger.ms': 1, 'queue.buffering.max.messages': 1_000_000 },
      // As the output's: a partition of both has the same keys.
      { partitioner: 'murmur2_random' },
    )
    await new Promise<void>((resolve, reject) =>
      producer.connect({}, (error) => (error ? reject(error) : resolve())),
    )
    return new Feeder(producer, topic, keyOf, recordsPerSecond)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    clearInterval(this.#timer)
    await new Promise((resolve) => this.#producer.flush(10_000, resolve))
    await new Promise((resolve) => this.#producer.disconnect(resolve))
  }
}

/** Sees what arrives in a topic whose records the broker stamps. A partition of the output is written by the task of the same number. */
export class OutputWatch implements AsyncDisposable {
  readonly #consumer: rdkafka.KafkaConsumer
  readonly #times: number[][]

  private constructor(
    consumer: rdkafka.KafkaConsumer,
    topic: string,
    partitions: number,
    onValue: (value: Buffer) => void,
  ) {
    this.#consumer = consumer
    this.#times = Array.from({ length: partitions }, () => [])
    consumer.on('data', ({ partition, timestamp, value }) => {
      this.#times[partition]!.push(timestamp!)
      onValue(value!)
    })
    consumer.assign(this.#times.map((_, partition) => ({ topic, partition, offset: 0 })))
    consumer.consume()
  }

  static async start(
    bootstrapServers: string,
    topic: string,
    partitions: number,
    onValue: (value: Buffer) => void = () => {},
  ): Promise<OutputWatch> {
    const consumer = new rdkafka.KafkaConsumer(
      {
        'bootstrap.servers': bootstrapServers,
        'group.id': 'failover-watch',
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 10,
      },
      { 'auto.offset.reset': 'earliest' },
    )
    await new Promise<void>((resolve, reject) =>
      consumer.connect({}, (error) => (error ? reject(error) : resolve())),
    )
    return new OutputWatch(consumer, topic, partitions, onValue)
  }

  get count(): number {
    return this.#times.reduce((sum, { length }) => sum + length, 0)
  }

  /** Outputs from a time on. */
  since(fromMs: number): number {
    return this.#times.reduce((sum, times) => sum + times.filter((time) => time >= fromMs).length, 0)
  }

  /** When each output of a partition arrived, ms since 1970. */
  timesOf(partition: number): readonly number[] {
    return this.#times[partition]!
  }

  /** The last output before a time, ms since 1970. */
  lastUntil(untilMs: number): number {
    return this.#times.reduce(
      (last, times) => Math.max(last, times.findLast((time) => time <= untilMs) ?? 0),
      0,
    )
  }

  /** When the first output after a time arrived in each of these partitions. */
  async firstAfter(fromMs: number, partitions: readonly number[]): Promise<number[]> {
    const firsts = (): (number | undefined)[] =>
      partitions.map((partition) => this.#times[partition]!.find((time) => time > fromMs))
    for (const deadlineMs = Date.now() + LATE_MS; Date.now() < deadlineMs; await sleep(10)) {
      const found = firsts()
      if (found.every((time) => time !== undefined)) return found
    }
    throw new Error(`after ${LATE_MS} ms there is no output of partitions ${partitions.join(', ')}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#consumer.disconnect(resolve))
  }
}
