import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, forEachRecord, lagOf, produceAll } from '../../examples/support/kafka.ts'
import type { ConfigInput } from '../../src/config/load.ts'
import { configFrom } from '../../src/config/load.ts'
import type { Application } from '../../src/runtime/application.ts'
import { type StartOptions, startApplication } from '../../src/runtime/start-application.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'

export interface LoggedLine extends Record<string, unknown> {
  readonly message: string
}

/** An application of topologies/fragile.ts in this process, with the records that it was given and the counts that they should have. */
export class FragileApplication {
  readonly id: string
  readonly bootstrapServers: string
  /** Where the topology keeps what has failed once. */
  readonly failures: string
  readonly lines: LoggedLine[] = []
  readonly trueCounts = new Map<string, number>()
  readonly #stateDir = makeScratchDir('lifecycle')
  #given = 0

  private constructor(bootstrapServers: string, id: string) {
    this.bootstrapServers = bootstrapServers
    this.id = id
    this.failures = join(this.#stateDir, 'failures')
    mkdirSync(this.failures)
  }

  /** Makes its topics. */
  static async make(bootstrapServers: string, id: string, partitions: number): Promise<FragileApplication> {
    await createTopics(bootstrapServers, {
      [id]: partitions,
      [`${id}-counts`]: partitions,
      [`${id}-ticks`]: 1,
    })
    return new FragileApplication(bootstrapServers, id)
  }

  /** @param process that it is: each has a state folder of its own */
  stateDir(process = 'one'): string {
    return join(this.#stateDir, process)
  }

  async start(
    settings: ConfigInput = {},
    options: Omit<StartOptions, 'topology' | 'config' | 'logger'> = {},
  ): Promise<Application> {
    const url = new URL('./topologies/fragile.ts', import.meta.url)
    url.searchParams.set('input', this.id)
    url.searchParams.set('failures', this.failures)
    const log = (fields: object, message: string): void => {
      this.lines.push({ ...fields, message })
    }
    return await startApplication({
      topology: url,
      config: configFrom({
        applicationId: this.id,
        bootstrapServers: this.bootstrapServers,
        stateDir: this.stateDir(),
        numStreamThreads: 2,
        memoryBytes: 768 * 2 ** 20,
        commitIntervalMs: 100,
        sessionTimeoutMs: 6_000,
        ...settings,
      }),
      logger: { debug: () => {}, info: log, warn: log, error: log },
      ...options,
    })
  }

  /** Writes records `<key> <value>`; the value is `x` when left out. Those of a key are in one partition. */
  async give(records: readonly string[]): Promise<void> {
    await produceAll(
      this.bootstrapServers,
      records.map((record) => {
        const [, key = '', value = 'x'] = /^(\S+)(?: (.*))?$/.exec(record)!
        if (value !== 'poison') this.trueCounts.set(key, (this.trueCounts.get(key) ?? 0) + 1)
        return { topic: this.id, key, value, timestamp: 1_000 + this.#given++ }
      }),
    )
  }

  /** Waits until everything given is committed; fails when the application ends before. */
  async consumed(application: Application, timeoutMs = 120_000): Promise<void> {
    await until(async () => (await this.remaining()) === 0, timeoutMs, application)
  }

  async remaining(): Promise<number> {
    return (await lagOf(this.bootstrapServers, this.id, [this.id])).remaining
  }

  /** Keys whose told counts are not 1, 2, ... up to the true one, each once and in order. */
  async wrongCounts(): Promise<string[]> {
    const told = new Map<string, number[]>()
    await forEachRecord(this.bootstrapServers, `${this.id}-counts`, ({ key, value }) => {
      const name = key!.toString()
      told.set(name, [...(told.get(name) ?? []), Number(value!.readBigInt64BE(0))])
    })
    const names = new Set([...this.trueCounts.keys(), ...told.keys()])
    return [...names].flatMap((name) => {
      const should = Array.from({ length: this.trueCounts.get(name) ?? 0 }, (_, index) => index + 1)
      const is = told.get(name) ?? []
      return is.join() === should.join() ? [] : [`${name}: ${is} instead of ${should}`]
    })
  }

  /** Grows with the punctuations: the offsets that they and their transactions take. */
  async ticks(): Promise<number> {
    return (await lagOf(this.bootstrapServers, `${this.id}-nobody`, [`${this.id}-ticks`])).remaining
  }

  count(message: string): number {
    return this.lines.filter((line) => line.message === message).length
  }
}

/** The error that ends an application; fails when it does not end. */
export async function failure(application: Application, timeoutMs: number): Promise<unknown> {
  let cause: unknown
  application.closed.catch((error: unknown) => {
    cause = error
  })
  try {
    await until(() => cause !== undefined, timeoutMs)
    return cause
  } finally {
    await application.close().catch(() => {})
  }
}

/** Waits for a condition; fails after `timeoutMs`, or when the application ends before. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  application?: Application,
): Promise<void> {
  let ended: unknown = null
  application?.closed.then(
    () => {
      ended = new Error('the application has stopped')
    },
    (error: unknown) => {
      ended = error
    },
  )
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (ended !== null) throw ended
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    await sleep(50)
  }
}
