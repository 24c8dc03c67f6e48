/**
 * A counting worker on a real broker that is killed (SIGKILL) again and again, at random moments of its life: while it starts, restores, processes and
 * commits. After every kill its topics are judged by a verifier that knows nothing of Weir: no acknowledged update may be missing.
 *
 * `npm run test:kill-loop` is the long form, of 50 kills; it writes test/faults/results/kill-loop.json.
 */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { describeMachine } from '../../bench/harness/machine.ts'
import {
  createTopics,
  type OutgoingRecord,
  produceAll,
  waitUntilConsumed,
} from '../../examples/support/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { Random } from '../support/seed.ts'
import { TopicVerifier } from '../support/topic-verifier.ts'
import { sameMember, WeirProcess } from '../support/weir-process.ts'

const full = process.env.WEIR_TEST_KILL_LOOP === 'full'
const kills = full ? 50 : 3
const keys = full ? 200_000 : 20_000
/** Counted before the first kill, so that there is something to restore. */
const recordsBefore = full ? 600_000 : 60_000
const recordsPerSecond = full ? 15_000 : 5_000
const partitions = 4

/** Where a kill was aimed at, and where it hit. */
type Moment = 'starting' | 'restoring' | 'processing'

/** Writes `recordsBefore` records at once, then so many a second until it is stopped. */
class Load implements Disposable {
  written = 0
  readonly done: Promise<number>
  #stopped = false
  readonly #random: Random

  constructor(bootstrapServers: string, topic: string, random: Random) {
    this.#random = random
    this.done = produceAll(bootstrapServers, this.#records(topic))
    // A failure is met by who waits for the end.
    this.done.catch(() => {})
  }

  stop(): void {
    this.#stopped = true
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  async *#records(topic: string): AsyncGenerator<OutgoingRecord> {
    const value = Buffer.alloc(20, 120)
    const perTick = Math.ceil(recordsPerSecond / 50)
    while (!this.#stopped) {
      // Half of the records go to a hundredth of the keys.
      const key =
        this.#random.below(2) === 0 ? this.#random.below(Math.ceil(keys / 100)) : this.#random.below(keys)
      yield { topic, key: `key-${key}`, value, timestamp: 1_000_000 + this.written }
      this.written++
      if (this.written > recordsBefore && this.written % perTick === 0) await sleep(20)
    }
  }
}

function count(text: string, part: string): number {
  return text.split(part).length - 1
}

/** Restores that have begun and not ended, by the worker's own lines. */
function isRestoring({ output }: WeirProcess): boolean {
  return count(output, '"restoring a store"') > count(output, '"a store is restored"')
}

test(`${kills} kills at random moments, restores included: no acknowledged update is missing`, {
  timeout: full ? 900_000 : 240_000,
}, async (t) => {
  const random = new Random()
  t.diagnostic(`seed ${random.seed}`)
  const startedMs = Date.now()
  await using kafka = await startKafka()
  const { bootstrapServers } = kafka
  const group = 'kill-loop'
  const [source, output] = ['loop-input', 'loop-counts']
  await createTopics(bootstrapServers, { [source]: partitions, [output]: partitions })
  const stateDir = makeScratchDir('kill-loop')
  const start = (): Promise<WeirProcess> =>
    WeirProcess.start({
      module: 'test/support/topologies/count.ts',
      applicationId: group,
      bootstrapServers,
      stateDir,
      env: {
        COUNT_PREFIX: 'loop-',
        WEIR_NUM_STREAM_THREADS: '2',
        WEIR_COMMIT_INTERVAL_MS: random.pick(['0', '20', '200']),
        ...sameMember,
        // From hardly anything on the disk to nearly all of it.
        WEIR_FLUSH_EVERY_RECORDS: random.pick(['2000', '20000', '1000000']),
        WEIR_RESTORE_THREADS: random.pick(['1', '2']),
      },
    })
  using load = new Load(bootstrapServers, source, random)
  {
    await using worker = await start()
    await worker.until(
      async () => (await worker.recordsProcessed()) >= recordsBefore,
      `has not processed ${recordsBefore} records`,
      120_000,
    )
    await worker.kill9()
  }
  const topics = { group, source, changelog: `${group}-counts-changelog`, output, partitions, keys }
  await using verifier = await TopicVerifier.open(bootstrapServers, topics)
  const verify = async (what: string): Promise<void> => {
    await verifier.check()
    const { lost, wentBack, resumedBelow } = verifier.violations
    assert.deepEqual(
      { lost, wentBack, resumedBelow },
      { lost: [], wentBack: [], resumedBelow: [] },
      `seed ${random.seed}, after ${what}`,
    )
  }
  await verify('the first life')

  const hits: Record<Moment, number> = { starting: 0, restoring: 0, processing: 0 }
  let deleted = 0
  for (let kill = 1; kill <= kills; kill++) {
    const aim = random.pick<Moment>(['starting', 'restoring', 'restoring', 'processing', 'processing'])
    if (aim === 'restoring') {
      rmSync(join(stateDir, group), { recursive: true, force: true })
      deleted++
    }
    await using worker = await start()
    if (aim === 'starting') await sleep(random.below(1_500))
    else if (aim === 'restoring') {
      const begins = (): boolean => isRestoring(worker) || worker.output.includes('application running')
      await worker.until(begins, 'does not restore', 60_000, 1)
      await sleep(random.below(300))
    } else {
      await worker.until(async () => (await worker.recordsProcessed()) > 0, 'processes nothing', 60_000, 5)
      await sleep(random.below(1_500))
    }
    const processed = aim === 'starting' ? 0 : await worker.recordsProcessed()
    await worker.kill9()
    const hit = isRestoring(worker) ? 'restoring' : processed > 0 ? 'processing' : 'starting'
    hits[hit]++
    await verify(`kill ${kill}, aimed at ${aim}, hit ${hit}`)
  }
  load.stop()
  const records = await load.done
  {
    await using worker = await start()
    await worker.whileRunning(waitUntilConsumed(bootstrapServers, group, [source], { timeoutMs: 120_000 }))
    await worker.stop()
  }
  await verify('the last life')
  assert.equal(verifier.acknowledged, records)
  const { outputs, changelogRecords, surplus } = verifier
  const result = {
    what: 'kill -9 in a loop, at-least-once: test/faults/kill-loop.test.ts',
    seed: random.seed,
    machine: describeMachine(),
    kills,
    hits,
    stateFoldersDeleted: deleted,
    partitions,
    keys,
    records,
    acknowledgedRecords: verifier.acknowledged,
    changelogRecords,
    outputs,
    lost: 0,
    wentBack: 0,
    resumedBelow: 0,
    countedTwice: surplus,
    seconds: Math.round((Date.now() - startedMs) / 1000),
  }
  t.diagnostic(JSON.stringify(result))
  if (full) {
    assert.ok(hits.restoring > 0, 'no kill hit a restore')
    const file = new URL('./results/kill-loop.json', import.meta.url)
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
  }
})
