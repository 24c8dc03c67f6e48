import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { waitUntilConsumed } from '../../examples/support/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { CountLoad, verifyCounts } from './count-load.ts'
import { Random } from './seed.ts'
import { WeirProcess } from './weir-process.ts'

export interface CountApplicationOptions {
  /** The application's id; its topics begin with it. */
  readonly name: string
  readonly records: number
  readonly keys: number
  /** Of the input. */
  readonly partitions: number
  /** Of every process. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * An application of test/support/topologies/count.ts with a load: its processes, their folders and its topics are its own, so that several share a
 * broker at the same time.
 */
export class CountApplication implements Disposable {
  readonly load: CountLoad
  /** For messages. */
  readonly seed: string
  readonly #bootstrapServers: string
  readonly #options: CountApplicationOptions
  readonly #folder: string
  readonly #producing: Disposable & { readonly done: Promise<unknown> }

  private constructor(
    bootstrapServers: string,
    options: CountApplicationOptions,
    load: CountLoad,
    seed: string,
    producing: Disposable & { readonly done: Promise<unknown> },
  ) {
    this.#bootstrapServers = bootstrapServers
    this.#options = options
    this.#folder = makeScratchDir(options.name)
    this.load = load
    this.seed = seed
    this.#producing = producing
  }

  /** Makes its topics, and says the load's seed. Nothing is written before the load is allowed to. */
  static async make(
    test: TestContext,
    bootstrapServers: string,
    options: CountApplicationOptions,
  ): Promise<CountApplication> {
    const random = new Random()
    const seed = `seed ${random.seed}`
    test.diagnostic(seed)
    const load = new CountLoad(options.records, options.keys, random, `${options.name}-`)
    const producing = await load.start(bootstrapServers, options.partitions)
    return new CountApplication(bootstrapServers, options, load, seed, producing)
  }

  [Symbol.dispose](): void {
    this.#producing[Symbol.dispose]()
  }

  /** @param process whose state folder it is */
  stateDir(process = 'one'): string {
    return join(this.#folder, process)
  }

  /** @param env over that of every process */
  start(process = 'one', env: Readonly<Record<string, string>> = {}): Promise<WeirProcess> {
    const { name } = this.#options
    return WeirProcess.start({
      module: 'test/support/topologies/count.ts',
      applicationId: name,
      bootstrapServers: this.#bootstrapServers,
      stateDir: this.stateDir(process),
      env: { COUNT_PREFIX: `${name}-`, ...this.#options.env, ...env },
    })
  }

  /** Records keep coming until the end of the block, so that whatever happens falls between them. */
  drip(): Disposable {
    let allowed = 0
    const timer = setInterval(() => {
      allowed += 50
      this.load.allow(allowed)
    }, 20)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  /** Lets the rest of the load come, and waits until it is committed; fails when one of the workers ends before. */
  async consumed(...workers: readonly WeirProcess[]): Promise<void> {
    this.load.allow(this.load.records)
    await this.#producing.done
    const consumed = waitUntilConsumed(this.#bootstrapServers, this.#options.name, [this.load.input], {
      timeoutMs: 120_000,
    })
    await workers.reduce((wait, worker) => worker.whileRunning(wait), consumed)
  }

  /** Every record was counted once, and every count told once and in order. */
  async assertExact(): Promise<void> {
    const { updates, lost, doubled, notByOne } = await verifyCounts(this.#bootstrapServers, this.load)
    assert.deepEqual(
      { lost, doubled, notByOne, updates },
      { lost: [], doubled: [], notByOne: 0, updates: this.load.records },
      this.seed,
    )
  }
}

/** The sum of a metric's samples whose names, with labels, begin with `prefix`; only those that contain `label`. */
export async function sumOf(worker: WeirProcess, prefix: string, label = ''): Promise<number> {
  let sum = 0
  for (const [name, value] of await worker.metrics())
    if (name.startsWith(prefix) && name.includes(label)) sum += value
  return sum
}

export function runningTasks(worker: WeirProcess): Promise<number> {
  return sumOf(worker, 'weir_process_tasks{', 'state="running"')
}

/** Waits until each of the workers runs so many tasks; fails when one of them ends. */
export async function areRunning(tasks: number, ...workers: readonly WeirProcess[]): Promise<void> {
  await Promise.all(
    workers.map((worker) =>
      worker.until(
        async () => (await Promise.all(workers.map(runningTasks))).every((count) => count === tasks),
        `does not run ${tasks} tasks, or another does not`,
        120_000,
      ),
    ),
  )
}
