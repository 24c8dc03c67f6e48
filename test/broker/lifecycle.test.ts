/** An application's life on a real broker: threads that fail, come and go, and pauses. How it ends: lifecycle-ends.test.ts. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Application } from '../../src/runtime/application.ts'
import type { ApplicationState } from '../../src/runtime/application-state.ts'
import type { UncaughtErrorContext } from '../../src/runtime/uncaught-errors.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { FragileApplication, until } from '../support/fragile-application.ts'
import { Random } from '../support/seed.ts'

const partitions = 6
const keys = 40
const guarantees = ['at_least_once', 'exactly_once_v2'] as const

/** Records of random keys. */
function records(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => `key-${random.below(keys)}`)
}

/** Tasks of each thread, those that run. */
async function tasksByThread(application: Application): Promise<Record<number, number>> {
  const { threads } = await application.status()
  return Object.fromEntries(
    threads.map(({ threadIndex, tasks }) => [
      threadIndex,
      tasks.filter(({ state }) => state === 'running').length,
    ]),
  )
}

describe('the life of an application', () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  const make = (id: string, count = partitions): Promise<FragileApplication> =>
    FragileApplication.make(kafka.bootstrapServers, id, count)

  for (const processingGuarantee of guarantees) {
    describe(processingGuarantee, () => {
      const name = (what: string): string => `${what}-${processingGuarantee.replaceAll('_', '-')}`

      test('threads that fail are replaced, and nothing is lost or doubled', async (t) => {
        const random = new Random()
        t.diagnostic(`seed ${random.seed}`)
        const fragile = await make(name('replaced'))
        const told: [string, UncaughtErrorContext][] = []
        await using application = await fragile.start(
          { processingGuarantee },
          {
            onUncaughtError: (error, context) => {
              told.push([error.code, context])
              return 'replace-thread'
            },
          },
        )
        await until(() => application.state === 'running', 60_000, application)
        const states: ApplicationState[] = []
        application.on('state', (state) => states.push(state))
        const load = records(random, 4_000)
        const failing = 4
        for (let failure = 0; failure < failing; failure++)
          load.splice(random.below(load.length), 0, `key-${random.below(keys)} once ${failure}`)
        await fragile.give(load)
        await fragile.consumed(application)
        await until(() => application.state === 'running', 60_000, application)
        assert.deepEqual(await fragile.wrongCounts(), [], `seed ${random.seed}`)
        // Two that fail at the same moment are two failures.
        assert.equal(told.length, failing)
        for (const [index, [code, context]] of told.entries()) {
          assert.equal(code, 'processing-failed')
          assert.deepEqual([context.canReplaceThread, context.replacements], [true, index])
        }
        assert.ok(states.includes('rebalancing'))
        assert.deepEqual(Object.keys(await tasksByThread(application)), ['0', '1'])
        assert.ok(application.health().ok)
        await application.close()
        assert.deepEqual(states.slice(-2), ['stopping', 'stopped'])
      })

      test('threads are added and removed under load, within the group', async (t) => {
        const random = new Random()
        t.diagnostic(`seed ${random.seed}`)
        const fragile = await make(name('resized'))
        await using application = await fragile.start({
          processingGuarantee,
          numStreamThreads: 1,
          streamThreadsMax: 3,
        })
        await until(() => application.state === 'running', 60_000, application)
        const assigned = fragile.count('partitions assigned')
        const spread = async (...counts: number[]): Promise<void> => {
          const expected = Object.fromEntries(counts.entries())
          await until(
            async () => JSON.stringify(await tasksByThread(application)) === JSON.stringify(expected),
            60_000,
            application,
          )
        }
        const giving = (async () => {
          for (let part = 0; part < 6; part++) await fragile.give(records(random, 1_000))
        })()
        await spread(6)
        assert.equal(await application.addStreamThread(), 1)
        await spread(3, 3)
        assert.equal(await application.addStreamThread(), 2)
        await spread(2, 2, 2)
        await assert.rejects(application.addStreamThread(), {
          code: 'config-invalid',
          message: /there are 3 already.*WEIR_STREAM_THREADS_MAX/,
        })
        assert.equal(await application.removeStreamThread(), 2)
        await spread(3, 3)
        assert.equal(await application.removeStreamThread({ timeoutMs: 60_000 }), 1)
        await spread(6)
        await assert.rejects(application.removeStreamThread(), { code: 'config-invalid' })
        assert.equal(await application.addStreamThread(), 1)
        await giving
        await fragile.consumed(application)
        assert.deepEqual(await fragile.wrongCounts(), [], `seed ${random.seed}`)
        assert.equal(fragile.count('partitions assigned'), assigned)
        await application.close()
        await assert.rejects(application.addStreamThread(), { code: 'closed' })
      })

      test('a paused application restores, commits and stays a member; resumed it goes on', async (t) => {
        const random = new Random()
        t.diagnostic(`seed ${random.seed}`)
        const fragile = await make(name('paused'))
        // A member that is not heard of for this long would be out of the group.
        const settings = {
          processingGuarantee,
          sessionTimeoutMs: 6_000,
          maxPollIntervalMs: 6_000,
          transactionTimeoutMs: 5_000,
        }
        {
          await using application = await fragile.start(settings)
          await fragile.give(records(random, 500))
          await fragile.consumed(application)
          await application.pause()
          assert.ok(application.isPaused)
          await fragile.give(records(random, 500))
          // What was processed before is committed, and nothing after it is processed.
          const ticks = await fragile.ticks()
          const assigned = fragile.count('partitions assigned')
          await sleep(8_000)
          assert.equal(await fragile.remaining(), 500)
          assert.equal(await fragile.ticks(), ticks)
          assert.equal(application.state, 'running')
          assert.equal(fragile.count('partitions assigned'), assigned)
          await application.resume()
          assert.ok(!application.isPaused)
          await fragile.consumed(application)
          await until(async () => (await fragile.ticks()) > ticks, 60_000, application)
        }
        rmSync(fragile.stateDir(), { recursive: true })
        await fragile.give(records(random, 500))
        let restored = 0
        await using application = await fragile.start(settings, {
          paused: true,
          restoreListener: {
            onRestoreEnd: (_partition, _store, total) => {
              restored += total
            },
          },
        })
        assert.ok(application.isPaused)
        await until(() => application.state === 'running', 60_000, application)
        assert.ok(restored >= keys, `${restored} records restored`)
        assert.equal(await fragile.remaining(), 500)
        await application.resume()
        await fragile.consumed(application)
        assert.deepEqual(await fragile.wrongCounts(), [], `seed ${random.seed}`)
      })

      test('a thread that is replaced, or added, while the application is paused is paused, too', async () => {
        const fragile = await make(name('paused-threads'), 4)
        await using application = await fragile.start(
          { processingGuarantee, numStreamThreads: 1, streamThreadsMax: 2 },
          { onUncaughtError: () => 'replace-thread' },
        )
        await fragile.give(['a', 'b', 'c once paused'])
        await until(
          () => fragile.count('a stream thread has failed and is replaced') === 1,
          60_000,
          application,
        )
        await application.pause()
        await until(() => application.state === 'running', 60_000, application)
        await application.addStreamThread()
        await until(() => application.state === 'running', 60_000, application)
        await fragile.give(['a', 'b', 'c', 'd'])
        await sleep(1_000)
        assert.ok((await fragile.remaining()) >= 4)
        await application.resume()
        await fragile.consumed(application)
        assert.deepEqual(await fragile.wrongCounts(), [])
      })
    })
  }
})
