/** How an application ends on a real broker: by a record that no thread survives, by a request to all of its processes, and when it is closed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { WeirError } from '../../src/errors/weir-error.ts'
import type { ApplicationState } from '../../src/runtime/application-state.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { runKafkaTool } from '../services/kafka-tools.ts'
import { runningTasks } from '../support/count-application.ts'
import { FragileApplication, failure, until } from '../support/fragile-application.ts'
import { Random } from '../support/seed.ts'
import { runWeir, WeirProcess } from '../support/weir-process.ts'

const keys = 40
const guarantees = ['at_least_once', 'exactly_once_v2'] as const

/** Records of random keys. */
function records(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => `key-${random.below(keys)}`)
}

// Each has topics of its own, and waits for most of its time.
describe('the end of an application', { concurrency: 3 }, () => {
  let kafka: KafkaService
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  const make = (id: string): Promise<FragileApplication> =>
    FragileApplication.make(kafka.bootstrapServers, id, 6)

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

  // A process has the memory of one application.
  describe('in this process', { concurrency: 1 }, () => {
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

    test('a worker that goes down with its thread is not replaced', async () => {
      const fragile = await make('misbehaving')
      const application = await fragile.start(
        {},
        {
          onUncaughtError: (_, { canReplaceThread }) => (canReplaceThread ? 'stop-worker' : 'replace-thread'),
        },
      )
      await fragile.give(['a', 'b reject'])
      const error = (await failure(application, 120_000)) as WeirError
      assert.equal(error.code, 'thread-ended')
      assert.match(error.message, /nobody awaits this/)
      assert.equal(fragile.count('the thread is not replaced'), 1)
    })

    describe('close', () => {
      /** What Kafka's own tool says of the group. */
      async function members(group: string): Promise<number> {
        const args = [
          '--bootstrap-server',
          kafka.bootstrapServers,
          '--describe',
          '--group',
          group,
          '--members',
        ]
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
        await using application = await fragile.start({
          groupProtocol: 'consumer',
          groupInstanceId: 'static',
        })
        await assert.rejects(application.close({ leaveGroup: true }), {
          code: 'config-invalid',
          message: 'close: leaveGroup true: a static member can leave under WEIR_GROUP_PROTOCOL=classic only',
        })
        await fragile.give(['a'])
        await fragile.consumed(application)
      })
    })
  })
})
