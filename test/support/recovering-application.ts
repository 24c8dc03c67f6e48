import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { createTopics, produceAll, readToEnd, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { configFrom } from '../../src/config/load.ts'
import type { Application } from '../../src/runtime/application.ts'
import type { RestoreListener } from '../../src/runtime/restore-listener.ts'
import { startApplication } from '../../src/runtime/start-application.ts'
import type { UncaughtErrorHandler } from '../../src/runtime/uncaught-errors.ts'
import { parseMetrics } from '../unit/observe/parse-metrics.ts'

/** How an application of test/support/topologies/recovery.ts keeps its counts. */
export interface RecoveryOptions {
  readonly store?: 'plain' | 'memory' | 'timestamped' | 'window'
  readonly value?: 'int64' | 'float64'
  readonly logging?: 'false'
  /** Settings of the changelog topic. */
  readonly changelog?: Readonly<Record<string, string>>
  readonly restoreListener?: RestoreListener
  readonly onUncaughtError?: UncaughtErrorHandler
}

export interface LogLine extends Record<string, unknown> {
  readonly message: string
}

/**
 * An application that counts the records of each key on one partition, in this process, that is started, stopped and started again while its
 * state, or its changelog, is tampered with.
 */
export class RecoveringApplication {
  readonly id: string
  readonly changelog: string
  /** Of its one task. */
  readonly taskFolder: string
  readonly stateDir: string
  /** What it logged since it was started last. */
  lines: LogLine[] = []
  readonly #bootstrapServers: string
  #told = 0
  #starts = 0

  private constructor(bootstrapServers: string, stateDir: string, id: string) {
    this.#bootstrapServers = bootstrapServers
    this.stateDir = stateDir
    this.id = id
    this.changelog = `${id}-counts-changelog`
    this.taskFolder = join(stateDir, id, '0_0')
  }

  /** Makes its topics. */
  static async make(bootstrapServers: string, stateDir: string, id: string): Promise<RecoveringApplication> {
    await createTopics(bootstrapServers, { [id]: 1, [`${id}-told`]: 1 })
    return new RecoveringApplication(bootstrapServers, stateDir, id)
  }

  start(options: RecoveryOptions = {}): Promise<Application> {
    const { store = 'plain', value = 'int64', logging, changelog, restoreListener, onUncaughtError } = options
    const url = new URL('./topologies/recovery.ts', import.meta.url)
    // A module is imported once for each URL.
    const parameters = { input: this.id, store, value, start: String(this.#starts++) }
    for (const [name, text] of Object.entries(parameters)) url.searchParams.set(name, text)
    if (logging !== undefined) url.searchParams.set('logging', logging)
    if (changelog !== undefined) url.searchParams.set('changelog', JSON.stringify(changelog))
    this.lines = []
    const log = (fields: object, message: string): void => {
      this.lines.push({ ...fields, message })
    }
    return startApplication({
      topology: url,
      config: configFrom({
        applicationId: this.id,
        bootstrapServers: this.#bootstrapServers,
        stateDir: this.stateDir,
        numStreamThreads: 1,
        memoryBytes: 512 * 2 ** 20,
        commitIntervalMs: 50,
        flushEveryRecords: 100,
        sessionTimeoutMs: 6_000,
      }),
      logger: { debug: () => {}, info: log, warn: log, error: log },
      ...(restoreListener === undefined ? {} : { restoreListener }),
      ...(onUncaughtError === undefined ? {} : { onUncaughtError }),
    })
  }

  /** Starts it, lets it process these records (`key` or `key value`), and stops it. */
  async run(records: readonly string[], options: RecoveryOptions = {}): Promise<void> {
    await using application = await this.start(options)
    while (application.state !== 'running') await sleep(10)
    await this.process(application, records)
  }

  async process(application: Application, records: readonly string[]): Promise<void> {
    await produceAll(
      this.#bootstrapServers,
      records.map((record) => {
        const [key = '', value = 'count'] = record.split(' ')
        return { topic: this.id, partition: 0, key, value, timestamp: Date.now() }
      }),
    )
    const abort = new AbortController()
    const failed = application.closed.then(
      () => {},
      (error: unknown) => {
        abort.abort(error)
        throw error
      },
    )
    const consumed = waitUntilConsumed(this.#bootstrapServers, this.id, [this.id], {
      timeoutMs: 60_000,
      signal: abort.signal,
    })
    await Promise.race([consumed, failed])
  }

  /** The counts of these keys, in the application's own words. */
  async counts(application: Application, keys: readonly string[]): Promise<Record<string, number>> {
    await this.process(
      application,
      keys.map((key) => `${key} tell`),
    )
    const answers = (await readToEnd(this.#bootstrapServers, `${this.id}-told`)).slice(this.#told)
    this.#told += answers.length
    return Object.fromEntries(
      answers.map(({ key, value }) => [key!.toString(), Number(value!.readBigInt64BE(0))]),
    )
  }

  /** `weir_restore_resets_total`, by reason. */
  async resets(application: Application): Promise<Record<string, number>> {
    const resets: Record<string, number> = {}
    for (const [series, value] of parseMetrics(await application.metrics())) {
      const reason = /^weir_restore_resets_total\{.*reason="([^"]+)"/.exec(series)?.[1]
      if (reason !== undefined) resets[reason] = value
    }
    return resets
  }

  /** Keeps what the task's folder has now. */
  keepState(): void {
    cpSync(this.taskFolder, `${this.taskFolder}-kept`, { recursive: true })
  }

  /** Puts back what was kept. */
  putStateBack(): void {
    rmSync(this.taskFolder, { recursive: true, force: true })
    cpSync(`${this.taskFolder}-kept`, this.taskFolder, { recursive: true })
  }

  /** The database's files with such a name. */
  files(pattern: RegExp): string[] {
    return readdirSync(this.taskFolder)
      .filter((name) => pattern.test(name))
      .map((name) => join(this.taskFolder, name))
  }

  get hasDamagedFolder(): boolean {
    return existsSync(`${this.taskFolder}.damaged`)
  }
}
