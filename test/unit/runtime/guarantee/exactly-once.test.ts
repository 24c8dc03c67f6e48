/** What a thread does when a transaction fails, over librdkafka's mock brokers. That nothing is lost or doubled by it: test/broker/exactly-once.test.ts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { type ConfigInput, configFrom } from '../../../../src/config/load.ts'
import { MockCluster, Producer, type TopicPartitionOffset } from '../../../../src/native.ts'
import { Headers } from '../../../../src/process/headers.ts'
import { OutputBatch } from '../../../../src/produce/output-batch.ts'
import { ExactlyOnce } from '../../../../src/runtime/guarantee/exactly-once.ts'
import type { GuaranteeOptions } from '../../../../src/runtime/guarantee/guarantee.ts'
import { Heartbeat } from '../../../../src/runtime/heartbeat.ts'
import type { Task } from '../../../../src/runtime/task.ts'
import { serdes } from '../../../../src/serde/serdes.ts'

const INIT_PRODUCER_ID = 22
const ADD_PARTITIONS = 24
const END_TXN = 26
const TXN_OFFSET_COMMIT = 28
const running = new AbortController().signal

/** A thread's part in it: a task without state that puts out records, and what is asked of the main thread. */
class World {
  readonly producer: Producer
  readonly output: OutputBatch
  readonly guarantee: ExactlyOnce
  readonly told: string[] = []
  readonly #topic: number
  #open: Task[]

  constructor(cluster: MockCluster, settings: Partial<ConfigInput> = {}) {
    const config = configFrom({
      applicationId: 'test',
      bootstrapServers: cluster.bootstrapServers,
      processingGuarantee: 'exactly_once_v2',
      ...settings,
    })
    this.producer = new Producer({
      'bootstrap.servers': cluster.bootstrapServers,
      'transactional.id': 'id',
      'transaction.timeout.ms': String(config.transactionTimeoutMs),
      'message.max.bytes': '2000',
      'linger.ms': '5',
      'retry.backoff.ms': '10',
      log_level: '0',
    })
    this.#topic = this.producer.topic('out', 1)
    this.output = new OutputBatch(this.producer, 1000, 1 << 20)
    this.#open = [this.#task()]
    const { told } = this
    this.guarantee = new ExactlyOnce({
      config,
      resources: this,
      heartbeat: new Heartbeat(new SharedArrayBuffer(4), 0),
      tasks: {
        running: () => [...this.#open],
        drop: async (task: Task) => {
          told.push(`closed ${task.id}`)
          this.#open = this.#open.filter((one) => one !== task)
          // A processor that forwards when it is closed.
          this.put('last words')
        },
      },
      host: {
        beginCommit: async (_: unknown, offsets: readonly TopicPartitionOffset[]) => ({
          lease: 1,
          member: { groupId: 'test', memberId: 'm', generation: 1, groupInstanceId: null },
          offsets,
        }),
        endCommit: async (_: number, isCommitted: boolean) => {
          told.push(isCommitted ? 'committed' : 'not committed')
        },
        startOver: (tasks: readonly Task[], failures: number) => {
          told.push(`start over ${tasks.map(({ id }) => id)} after ${failures}`)
          this.#open = [this.#task()]
        },
        log: () => {},
      },
    } as unknown as GuaranteeOptions)
  }

  #task(): Task {
    return {
      id: '0_0',
      state: null,
      flushChanges: () => true,
      offsets: () => [{ topic: 'in', partition: 0, offset: 1 }],
      commitDone: () => {},
    } as unknown as Task
  }

  put(value: string): void {
    this.output.add(this.#topic, 0, serdes.string, 'key', serdes.string, value, 1, Headers.empty)
  }

  /** As a stream thread commits. */
  async commit(): Promise<void> {
    const tasks = [...this.#open]
    try {
      await this.guarantee.commit(tasks)
    } catch (error) {
      await this.guarantee.commitFailed(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guarantee.close().catch(() => {})
    await this.producer.close()
  }
}

describe('ExactlyOnce', () => {
  let cluster: MockCluster
  before(() => {
    cluster = new MockCluster({ brokers: 1 })
    for (const name of ['in', 'out']) cluster.createTopic(name, 1)
  })
  after(() => cluster.close())

  let world: World
  async function started(settings?: Partial<ConfigInput>): Promise<World> {
    world = new World(cluster, settings)
    await world.guarantee.start(running)
    return world
  }

  for (const [what, request, error] of [
    ['the group refuses the member', TXN_OFFSET_COMMIT, 'ILLEGAL_GENERATION'],
    ['the producer was fenced', END_TXN, 'PRODUCER_FENCED'],
    ['the broker has aborted', END_TXN, 'INVALID_TXN_STATE'],
  ] as const) {
    test(`${what}: its tasks are closed, the transaction aborted, then the tasks begin again`, async () => {
      await using one = await started()
      one.put('a')
      await one.commit()
      assert.equal(one.guarantee.commitsEachTask, false)
      one.put('b')
      cluster.injectErrors(request, [error])
      await one.commit()
      assert.deepEqual(one.told.splice(0), [
        'committed',
        'not committed',
        'closed 0_0',
        'start over 0_0 after 1',
      ])
      assert.ok(one.output.isEmpty, 'nothing of the aborted transaction, nor of what closed its tasks')
      assert.equal(one.guarantee.commitsEachTask, true)
      one.put('c')
      await one.commit()
      assert.deepEqual(one.told, ['committed'])
      assert.equal(one.guarantee.commitsEachTask, false)
    })
  }

  test('a record that is too large ends the thread: it would be so again', async () => {
    await using one = await started()
    one.put('x'.repeat(5_000))
    await assert.rejects(one.commit(), { code: 'kafka:MSG_SIZE_TOO_LARGE' })
    assert.deepEqual(one.told, [])
  })

  test('what an operator has to change ends the thread', async () => {
    await using one = await started()
    one.put('a')
    cluster.injectErrors(ADD_PARTITIONS, ['TOPIC_AUTHORIZATION_FAILED'])
    await assert.rejects(one.commit(), { code: 'kafka:TOPIC_AUTHORIZATION_FAILED' })
  })

  test('lost partitions are no failure of the thread, however often', async () => {
    await using one = await started()
    for (let time = 0; time < 5; time++) {
      one.put('a')
      await one.guarantee.beforeLoss()
      assert.deepEqual(one.told.splice(0), ['closed 0_0', 'start over 0_0 after 0'])
    }
  })

  test('failing again and again ends the thread; having failed long ago does not', async () => {
    const maxPollIntervalMs = 2_000
    await using one = await started({
      maxPollIntervalMs,
      sessionTimeoutMs: 1_000,
      transactionTimeoutMs: 2_000,
    })
    const fail = (): Promise<void> => {
      cluster.injectErrors(TXN_OFFSET_COMMIT, ['ILLEGAL_GENERATION'])
      return one.commit()
    }
    await fail()
    await sleep(maxPollIntervalMs + 100)
    await fail()
    assert.equal(one.told.at(-1), 'start over 0_0 after 1')
    const again = async (): Promise<void> => {
      for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) await fail()
    }
    await assert.rejects(again(), { code: 'kafka:ILLEGAL_GENERATION' })
  })

  test('another process with the same transactional.id: the third time it is named', async () => {
    await using one = await started()
    const fenced = async (): Promise<void> => {
      one.put('a')
      cluster.injectErrors(END_TXN, ['PRODUCER_FENCED'])
      await one.commit()
      one.put('b')
      await one.commit()
    }
    await fenced()
    await fenced()
    await assert.rejects(fenced(), {
      code: 'producer-fenced',
      message: /^another process has the same transactional.id.*WEIR_STATE_DIR/,
    })
  })

  test('a broker that has timed transactions out is not taken for another process', async () => {
    await using one = await started({ transactionTimeoutMs: 1_000 })
    for (let time = 1; time <= 4; time++) {
      one.put('a')
      await sleep(1_000)
      cluster.injectErrors(END_TXN, ['INVALID_PRODUCER_EPOCH'])
      await one.commit()
      assert.equal(one.told.at(-1), `start over 0_0 after ${time}`)
    }
  })

  test('a time-out that the brokers do not allow is refused in one line', async () => {
    const one = new World(cluster)
    cluster.injectErrors(INIT_PRODUCER_ID, ['INVALID_TRANSACTION_TIMEOUT'])
    await assert.rejects(one.guarantee.start(running), {
      code: 'config-invalid',
      message:
        'WEIR_TRANSACTION_TIMEOUT_MS=10000: at most what the brokers allow (their transaction.max.timeout.ms)',
    })
    await one.producer.close()
  })
})
