/** Transactions over librdkafka's mock brokers, which answer each step with an error. What every error means to the producer: native/test/transactions_test.cc. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'

import { type GroupMember, MockCluster, Producer } from '../../../src/native.ts'
import { Transactions } from '../../../src/produce/transactions.ts'
import { numbered, produceAll } from '../native/records.ts'

const PRODUCE = 0
const INIT_PRODUCER_ID = 22
const ADD_PARTITIONS = 24
const END_TXN = 26
const TXN_OFFSET_COMMIT = 28

const member: GroupMember = { groupId: 'group', memberId: 'member', generation: 1, groupInstanceId: null }
const offsets = [{ topic: 'in', partition: 0, offset: 5 }]

describe('Transactions', () => {
  let cluster: MockCluster
  before(() => {
    cluster = new MockCluster({ brokers: 1 })
    for (const name of ['in', 'out']) cluster.createTopic(name, 1)
  })
  after(() => cluster.close())

  let retries = 0
  let restarts: unknown[] = []
  beforeEach(() => {
    retries = 0
    restarts = []
  })

  async function open(config: Record<string, string> = {}, timeoutMs = 10_000) {
    const producer = new Producer({
      'bootstrap.servers': cluster.bootstrapServers,
      'transactional.id': 'id',
      'transaction.timeout.ms': String(timeoutMs),
      'linger.ms': '5',
      'retry.backoff.ms': '10',
      log_level: '0',
      ...config,
    })
    const topic = producer.topic('out', 1)
    const transactions = new Transactions({
      producer,
      timeoutMs,
      onRetry: () => retries++,
      onRestart: (error) => restarts.push(error),
    })
    return {
      producer,
      transactions,
      produce: () => produceAll(producer, topic, 0, numbered(10)),
      [Symbol.asyncDispose]: () => producer.close(),
    }
  }

  type Opened = Awaited<ReturnType<typeof open>>

  async function commitsAgain({ transactions, produce }: Opened): Promise<void> {
    await produce()
    await transactions.commit(offsets, member)
    transactions.begin()
  }

  test('commits one after the other', async () => {
    await using opened = await open()
    await opened.transactions.start()
    for (let round = 0; round < 3; round++) await commitsAgain(opened)
    await opened.transactions.end()
    assert.deepEqual([retries, restarts], [0, []])
  })

  test('a start that has to wait is tried again, and told', async () => {
    await using opened = await open()
    cluster.injectErrors(INIT_PRODUCER_ID, ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_LOAD_IN_PROGRESS'])
    await opened.transactions.start()
    assert.ok(retries > 0)
    await commitsAgain(opened)
  })

  test('a start without an answer ends with its signal', async () => {
    await using opened = await open({ 'bootstrap.servers': '127.0.0.1:1' })
    const stopping = new AbortController()
    const started = opened.transactions.start(stopping.signal)
    stopping.abort()
    await assert.rejects(started, { retriable: true })
    // Nothing was begun: there is nothing to end, and nobody to wait for.
    await opened.transactions.abort()
    await opened.transactions.end()
  })

  for (const [step, request, error] of [
    ['the records', PRODUCE, 'INVALID_PRODUCER_EPOCH'],
    ['their partitions', ADD_PARTITIONS, 'PRODUCER_FENCED'],
    ['the offsets', TXN_OFFSET_COMMIT, 'INVALID_PRODUCER_EPOCH'],
    ['the end', END_TXN, 'PRODUCER_FENCED'],
  ] as const) {
    test(`fenced at ${step}: an abort replaces the producer, and the next transaction commits`, async () => {
      await using opened = await open()
      const { transactions, produce, producer } = opened
      await transactions.start()
      cluster.injectErrors(request, [error])
      const committed = produce().then(() => transactions.commit(offsets, member))
      await assert.rejects(committed, { code: 'kafka:_FENCED', fatal: true })
      await transactions.abort()
      assert.equal(restarts.length, 1)
      assert.equal(producer.firstError(), null)
      await commitsAgain(opened)
    })
  }

  test('a member that is refused: an abort is enough', async () => {
    await using opened = await open()
    const { transactions, produce } = opened
    await transactions.start()
    await produce()
    cluster.injectErrors(TXN_OFFSET_COMMIT, ['ILLEGAL_GENERATION'])
    await assert.rejects(transactions.commit(offsets, member), { code: 'kafka:ILLEGAL_GENERATION' })
    await transactions.abort()
    assert.deepEqual(restarts, [])
    await commitsAgain(opened)
  })

  test('an abort of what the broker has aborted already replaces the producer', async () => {
    await using opened = await open()
    await opened.transactions.start()
    await opened.produce()
    cluster.injectErrors(END_TXN, ['INVALID_TXN_STATE'])
    await opened.transactions.abort()
    assert.equal(restarts.length, 1)
    await commitsAgain(opened)
  })

  test('offsets of a topic that is no more are no fault of the topics that are written to', async () => {
    // More errors than are asked for: they stay with these brokers.
    const other = new MockCluster({ brokers: 1 })
    for (const name of ['in', 'out']) other.createTopic(name, 1)
    await using _ = { [Symbol.asyncDispose]: async () => other.close() }
    await using opened = await open({ 'bootstrap.servers': other.bootstrapServers }, 1_000)
    const { transactions, produce } = opened
    await transactions.start()
    await produce()
    other.injectErrors(
      TXN_OFFSET_COMMIT,
      Array.from({ length: 20 }, () => 'UNKNOWN_TOPIC_OR_PART'),
    )
    await assert.rejects(transactions.commit(offsets, member), { code: 'fenced' })
  })

  test('it may have timed out once its time has passed since it was begun', async () => {
    await using opened = await open({}, 1_000)
    await opened.transactions.start()
    while (opened.transactions.mayHaveTimedOut) await commitsAgain(opened)
    const deadline = Date.now() + 30_000
    while (!opened.transactions.mayHaveTimedOut && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10))
    assert.ok(opened.transactions.mayHaveTimedOut)
    await commitsAgain(opened)
  })
})
