/** An application's life on a real broker: threads that fail, come and go, pauses, and the ways to stop. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { WeirError } from '../../src/errors/weir-error.ts'
import type { Application } from '../../src/runtime/application.ts'
import type { ApplicationState } from '../../src/runtime/application-state.ts'
import type { UncaughtErrorContext } from '../../src/runtime/uncaught-errors.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { runKafkaTool } from '../services/kafka-tools.ts'
import { FragileApplication, failure, until } from '../support/fragile-application.ts'
import { Random } from '../support/seed.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

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

async function runningTasks(worker: WeirProcess): Promise<number> {
  let running = 0
  for (const [name, value] of await worker.metrics())
    if (name.startsWith('weir_process_tasks{') && name.includes('state="running"')) running += value
  return running
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

  test('a record that no thread survives stops the worker after so many threads', async () => {
    const fragile = await make('poison')
    let asked = 0
    const application = await fragile.start(
      { threadReplacementsMax: 3 },
      {
        onUncaughtError: () => {
          asked++
          return 'replace-thread'
        },
      },
    )
    const states: ApplicationState[] = []
    application.on('state', (state) => states.push(state))
    await fragile.give(['a', 'b', 'p poison'])
    const error = (await failure(application, 120_000)) as WeirError
    assert.equal(error.code, 'processing-failed')
    assert.match(error.message, /cannot stand poison/)
    assert.equal(asked, 4)
    assert.deepEqual(states.slice(-2), ['failing', 'failed'])
    assert.deepEqual(await fragile.wrongCounts(), [])
  })

  test('weir run replaces threads by WEIR_UNCAUGHT_ERROR', async () => {
    const fragile = await make('by-env')
    await fragile.give(['a', 'b once env', 'p poison'])
    const { code, stdout, stderr } = await runWeir(['run', 'test/support/topologies/fragile.ts'], {
      WEIR_APPLICATION_ID: fragile.id,
      WEIR_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
      WEIR_STATE_DIR: fragile.stateDir(),
      WEIR_NUM_STREAM_THREADS: '1',
      WEIR_HTTP_PORT: '-1',
      WEIR_LOG_FORMAT: 'json',
      WEIR_UNCAUGHT_ERROR: 'replace-thread',
      WEIR_THREAD_REPLACEMENTS_MAX: '2',
      FRAGILE_INPUT: fragile.id,
      FRAGILE_FAILURES: fragile.failures,
    })
    assert.equal(code, 1)
    assert.equal([...stdout.matchAll(/a stream thread has failed and is replaced/g)].length, 2)
    assert.match(stderr, /^weir: .*cannot stand poison\n$/)
    assert.deepEqual(await fragile.wrongCounts(), [])
  })

  test('a worker that goes down with its thread is not replaced', async () => {
    const fragile = await make('misbehaving')
    const application = await fragile.start(
      {},
      { onUncaughtError: (_, { canReplaceThread }) => (canReplaceThread ? 'stop-worker' : 'replace-thread') },
    )
    await fragile.give(['a', 'b reject'])
    const error = (await failure(application, 120_000)) as WeirError
    assert.equal(error.code, 'thread-ended')
    assert.match(error.message, /nobody awaits this/)
    assert.equal(fragile.count('the thread is not replaced'), 1)
  })

  for (const guarantee of guarantees) {
    test(`stop-application stops every process, and none that starts later, ${guarantee}`, async () => {
      const fragile = await make(`all-${guarantee.replaceAll('_', '-')}`)
      const start = (process: string): Promise<WeirProcess> =>
        WeirProcess.start({
          module: 'test/support/topologies/fragile.ts',
          applicationId: fragile.id,
          bootstrapServers: kafka.bootstrapServers,
          stateDir: fragile.stateDir(process),
          env: {
            FRAGILE_INPUT: fragile.id,
            FRAGILE_FAILURES: fragile.failures,
            WEIR_PROCESSING_GUARANTEE: guarantee,
            WEIR_NUM_STREAM_THREADS: '1',
            WEIR_COMMIT_INTERVAL_MS: '100',
            WEIR_UNCAUGHT_ERROR: 'stop-application',
          },
        })
      {
        await using first = await start('first')
        await using second = await start('second')
        await fragile.give(records(new Random(), 200))
        for (const worker of [first, second]) {
          await worker.ready()
          await worker.until(async () => (await runningTasks(worker)) > 0, 'gets no task')
        }
        await fragile.give(['key-1 once all'])
        await until(() => first.hasEnded && second.hasEnded, 120_000)
        const ends = await Promise.all([first.exited, second.exited])
        assert.deepEqual(
          ends.map(({ code }) => code),
          [1, 1],
        )
        const lines = ends.map(({ stderr }) => stderr).sort()
        assert.match(lines[0]!, /^weir: a process of application .* asked all to stop at /)
        assert.match(lines[1]!, /^weir: .*planned: once all/)
      }
      await using third = await start('third')
      await third.ready()
      await fragile.give(records(new Random(), 200))
      await third.until(async () => (await fragile.remaining()) === 0, 'does not process')
      // Longer than it looks for requests.
      await sleep(6_000)
      await third.stop()
      const wrong = await fragile.wrongCounts()
      assert.deepEqual(wrong, [])
    })
  }

  describe('close', () => {
    /** What Kafka's own tool says of the group. */
    async function members(group: string): Promise<number> {
      const args = ['--bootstrap-server', kafka.bootstrapServers, '--describe', '--group', group, '--members']
      const output = await runKafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', args)
      return output.split('\n').filter((line) => line.startsWith(`${group} `)).length
    }
    const settings = { sessionTimeoutMs: 300_000, maxPollIntervalMs: 300_000 }

    for (const [what, groupInstanceId, leaveGroup, left] of [
      ['a dynamic member leaves', null, undefined, 0],
      ['a static member stays', 'static', undefined, 1],
      ['a static member leaves when it is asked to', 'static', true, 0],
    ] as const) {
      test(what, async () => {
        const fragile = await make(what.replaceAll(' ', '-'))
        await using application = await fragile.start({
          ...settings,
          ...(groupInstanceId !== null && { groupInstanceId }),
        })
        await fragile.give(['a', 'b'])
        await fragile.consumed(application)
        assert.equal(await members(fragile.id), 1)
        await application.close({ ...(leaveGroup !== undefined && { leaveGroup }) })
        assert.equal(await members(fragile.id), left)
      })
    }

    test("a static member's tasks move at once when it leaves", async () => {
      const fragile = await make('static-moves')
      const first = await fragile.start({ ...settings, groupInstanceId: 'first' })
      await fragile.give(['a', 'b'])
      await fragile.consumed(first)
      await first.close({ leaveGroup: true })
      await using second = await fragile.start({
        ...settings,
        groupInstanceId: 'second',
        stateDir: fragile.stateDir('second'),
      })
      await fragile.give(['a', 'b'])
      await fragile.consumed(second)
      assert.deepEqual(await fragile.wrongCounts(), [])
    })

    test('what cannot be followed is refused, and nothing stops', async () => {
      const fragile = await make('refused')
      await using application = await fragile.start({ groupProtocol: 'consumer', groupInstanceId: 'static' })
      await assert.rejects(application.close({ leaveGroup: true }), {
        code: 'config-invalid',
        message: 'close: leaveGroup true: a static member can leave under WEIR_GROUP_PROTOCOL=classic only',
      })
      await fragile.give(['a'])
      await fragile.consumed(application)
    })
  })
})
